"""The iteration of `newton.py` for one tile of lanes.

Convergence, line search and result codes are those of `voltherm.numerics.newton`, lane by lane. A lane that has
finished keeps its bits while others of its tile go on: it stops moving.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from .elimination import Pattern, Side, Start, backward, eliminate
from .tables import Incidence, Tables
from .tiles import Largest, Matrix, Tile, Vector, any_of, diagonal, loop, plus, walk

CONVERGED, MAXIMUM_ITERATIONS, NOT_FINITE, SINGULAR, NO_DESCENT = 0, 1, 2, 3, 6
"""The result codes of `voltherm.numerics` that an iteration ends with."""

_ROUND_OFF_FLOOR = 1000.0
_ROUND_OFF_STEP = 4.0
_SUFFICIENT_DECREASE = 1e-4
_SHORTEST_FRACTION = 0.5**10


class Physics(NamedTuple):
    """The equations of a network on tiles. A vector is a list of tiles, a block a list of rows.

    - `state(unknowns)`: what couplings need of a node, computed once per node (voltages in rectangular form).
    - `node(operands, unknowns)`: r_i and its derivative.
    - `coupling(operands, own state, other state)`: r_h, its derivatives with respect to y_i and to y_j.
    - `states`: how many numbers `state` returns.
    """

    state: Callable[[Vector], Vector]
    node: Callable[[list[Vector], Vector], tuple[Vector, Matrix]]
    coupling: Callable[[list[Vector], Vector, Vector], tuple[Vector, Matrix, Matrix]]
    states: int


class Sizes(NamedTuple):
    """What of a residual decides over a step, per lane; `norm` is infinite where anything is not finite."""

    norm: Array
    largest: Array
    worst: Array


class Progress(NamedTuple):
    """Carry of an iteration: a count for the tile, the rest per lane; `sizes` is what decides over a step."""

    turns: Array
    go_on: Array
    sizes: Any
    iterations: Array
    result: Array
    running: Array


class Lane(NamedTuple):
    """Everything that the iteration of one tile reads and writes."""

    pattern: Pattern
    physics: Physics
    tables: Tables
    incident: Incidence
    ends: tuple[Any, Any]
    start: Callable[[Array], Vector]
    fixed: Callable[[Array], Vector]
    set_point: Callable[[Array], Vector]
    nodes: Sequence[Callable[[Array], Vector]]
    couplings: Sequence[Callable[[Array], Vector]]
    unknowns: Tile
    blocks: Tile
    states: Tile
    trial: Tile
    residual: Tile
    step: Tile


def _measure(lane: Lane, width: int, dtype: Any) -> Sizes:
    """R at `trial`, the diagonal blocks of J, and how large R is."""
    block, states = lane.pattern.block, lane.physics.states

    def prepare(node: Array) -> None:
        lane.states.set_vector(node, lane.physics.state(lane.trial.vector(node, block)))

    def assemble(position: Array, carry: tuple[Array, Largest]) -> tuple[Array, Largest]:
        node = lane.tables.node[position]
        unknowns, own = lane.trial.vector(node, block), lane.states.vector(node, states)

        def coupling(numbers: list[Array], total: tuple[Vector, Matrix]) -> tuple[Vector, Matrix]:
            number, other = numbers
            operands = [read(number) for read in lane.couplings]
            part, slope, _ = lane.physics.coupling(operands, own, lane.states.vector(other, states))
            return [one + two for one, two in zip(total[0], part, strict=True)], plus(total[1], slope)

        first, last = lane.incident.start[node], lane.incident.start[node + 1]
        total = lane.physics.node([read(node) for read in lane.nodes], unknowns)
        residual, slope = walk(first, last, [lane.incident.entry, lane.incident.other], coupling, total)
        held = [number > 0.0 for number in lane.fixed(node)]
        away = [one - two for one, two in zip(unknowns, lane.set_point(node), strict=True)]
        residual = [jnp.where(*item) for item in zip(held, away, residual, strict=True)]
        unit = diagonal(1.0, block, width, dtype)
        slope = [
            [jnp.where(hold, one, entry) for one, entry in zip(*lines, strict=True)]
            for hold, *lines in zip(held, unit, slope, strict=True)
        ]
        lane.residual.set_vector(node, residual)
        lane.blocks.set_matrix(position, slope)
        squares, largest = carry
        for number, entry in enumerate(residual):
            squares = squares + entry * entry
            largest = largest.and_of(entry, node * block + number)
        return squares, largest

    loop(0, lane.pattern.size, prepare)
    nothing = (jnp.zeros((width,), dtype), Largest.of_none(width, dtype, lane.pattern.size * block))
    squares, largest = loop(0, lane.pattern.size, assemble, nothing)
    finite = jnp.isfinite(squares)
    return Sizes(
        jnp.where(finite, jnp.sqrt(jnp.where(finite, squares, 0.0)), jnp.inf),
        jnp.where(finite, largest.magnitude, jnp.nan),
        largest.row,
    )


def _matrix(lane: Lane, width: int, dtype: Any) -> Start:
    """Blocks of J at `trial`, for the elimination: those of couplings are made when they are asked for."""
    size, block, states = lane.pattern.size, lane.pattern.block, lane.physics.states

    def off_diagonal(slot: Array) -> Matrix:
        def entry(numbers: list[Array], total: Matrix) -> Matrix:
            number = numbers[0] - size
            own, other = lane.ends[0][number], lane.ends[1][number]
            operands = [read(number) for read in lane.couplings]
            states_of = [lane.states.vector(node, states) for node in (own, other)]
            _, _, part = lane.physics.coupling(operands, *states_of)
            held = [each > 0.0 for each in lane.fixed(own)]
            part = [[jnp.where(hold, 0.0, each) for each in row] for hold, row in zip(held, part, strict=True)]
            return plus(total, part)

        first, last = lane.tables.entry_start[slot], lane.tables.entry_start[slot + 1]
        return walk(first, last, [lane.tables.entry], entry, diagonal(0.0, block, width, dtype))

    return Start(lambda position: lane.blocks.matrix(position, block), off_diagonal)


class _Step(NamedTuple):
    """What of a step decides over convergence, per lane."""

    finite: Array
    still: Array
    largest: Array
    largest_unknown: Array


def _survey(lane: Lane, width: int, dtype: Any, epsilon: float) -> _Step:
    block = lane.pattern.block

    def node(number: Array, seen: _Step) -> _Step:
        finite, still, largest, largest_unknown = seen
        pairs = zip(lane.step.vector(number, block), lane.unknowns.vector(number, block), strict=True)
        for change, unknown in pairs:
            length, magnitude = jnp.abs(change), jnp.abs(unknown)
            finite = finite & jnp.isfinite(change)
            still = still & (length <= _ROUND_OFF_STEP * epsilon * magnitude)
            largest, largest_unknown = jnp.maximum(largest, length), jnp.maximum(largest_unknown, magnitude)
        return _Step(finite, still, largest, largest_unknown)

    true, zero = jnp.ones((width,), bool), jnp.zeros((width,), dtype)
    return loop(0, lane.pattern.size, node, _Step(true, true, zero, zero))


def _try(lane: Lane, width: int, dtype: Any, sizes: Sizes, moves: Array) -> tuple[Array, Sizes]:
    """Line search: fractions of the step, and what was found there. Lanes that do not move stay where they are."""
    block = lane.pattern.block

    def falls(fraction: Array, found: Sizes) -> Array:
        return found.norm <= (1.0 - _SUFFICIENT_DECREASE * fraction) * sizes.norm

    def trial(carry: tuple[Array, Array, Sizes]) -> tuple[Array, Array, Sizes]:
        _, fraction, _ = carry

        def node(number: Array) -> None:
            pairs = zip(lane.unknowns.vector(number, block), lane.step.vector(number, block), strict=True)
            lane.trial.set_vector(number, [jnp.where(moves, y - fraction * change, y) for y, change in pairs])

        loop(0, lane.pattern.size, node)
        found = _measure(lane, width, dtype)
        shorter = moves & ~falls(fraction, found) & (fraction > _SHORTEST_FRACTION)
        return any_of(shorter), jnp.where(shorter, 0.5 * fraction, fraction), found

    first = (jnp.int32(1), jnp.ones((width,), dtype), sizes)
    _, fraction, found = lax.while_loop(lambda carry: carry[0] > 0, trial, first)
    return fraction, found


def iterate(lane: Lane, width: int, dtype: Any, tolerance: float, maximum_iterations: int) -> Progress:
    """Solve the lanes of a tile; what it returns tells how they ended."""
    epsilon = float(np.finfo(dtype).eps)
    block = lane.pattern.block

    def begin(node: Array) -> None:
        start = lane.start(node)
        lane.unknowns.set_vector(node, start)
        lane.trial.set_vector(node, start)

    def turn(progress: Progress) -> Progress:
        sizes, running = progress.sizes, progress.running
        side = Side(lambda node: lane.residual.vector(node, block), lane.step, False)
        matrix = _matrix(lane, width, dtype)
        regular = eliminate(lane.tables, lane.pattern, matrix, lane.blocks, jnp.ones((width,), bool), side)
        backward(lane.tables, lane.pattern, lane.blocks, lane.step, regular, False)
        step = _survey(lane, width, dtype, epsilon)
        fraction, found = _try(lane, width, dtype, sizes, running & step.finite)

        descended = found.norm <= (1.0 - _SUFFICIENT_DECREASE * fraction) * sizes.norm
        met = found.largest <= tolerance
        floor = (sizes.largest <= _ROUND_OFF_FLOOR * epsilon) | (
            step.largest <= _ROUND_OFF_FLOOR * epsilon * step.largest_unknown
        )
        converged = met | (step.finite & (step.still | (floor & ~descended)))
        result = jnp.where(descended, progress.result, NO_DESCENT)
        result = jnp.where(converged, CONVERGED, jnp.where(step.finite, result, SINGULAR))
        better = running & (found.norm < sizes.norm)

        def accept(node: Array) -> None:
            pairs = zip(lane.trial.vector(node, block), lane.unknowns.vector(node, block), strict=True)
            lane.unknowns.set_vector(node, [jnp.where(better, new, old) for new, old in pairs])

        loop(0, lane.pattern.size, accept)
        still_running = running & step.finite & descended & ~converged
        return Progress(
            turns=progress.turns + 1,
            go_on=any_of(still_running),
            sizes=Sizes(*(jnp.where(better, new, old) for new, old in zip(found, sizes, strict=True))),
            iterations=progress.iterations + jnp.where(running, 1, 0).astype(jnp.int32),
            result=jnp.where(running, result, progress.result).astype(jnp.int32),
            running=still_running,
        )

    loop(0, lane.pattern.size, begin)
    sizes = _measure(lane, width, dtype)
    finite, met = jnp.isfinite(sizes.norm), sizes.largest <= tolerance
    first = jnp.where(met, CONVERGED, jnp.where(finite, MAXIMUM_ITERATIONS, NOT_FINITE)).astype(jnp.int32)
    running = lane.unknowns.among(finite & ~met)
    nothing = jnp.zeros((width,), jnp.int32)
    return lax.while_loop(
        lambda progress: (progress.go_on > 0) & (progress.turns < maximum_iterations),
        turn,
        Progress(jnp.int32(0), any_of(running), sizes, nothing, first, running),
    )
