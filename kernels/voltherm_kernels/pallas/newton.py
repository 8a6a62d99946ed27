"""A whole Newton iteration of a network as one kernel: assembly, factorisation, sweeps and line search of a lane.

    R_i(y) = r_i(y_i) + sum over the couplings h = (i, j) of i of r_h(s_i, s_j)        s = state(y)
    J_ii = dR_i/dy_i,    J_ij = sum over h of dr_h/dy_j
    y <- y - t J^-1 R,    t = 1, 1/2, 1/4, ... until |R| falls

The physics comes as Python functions of tiles of lanes, the very functions that the plain residual of a domain calls on
its arrays. J_ij is never stored: the elimination asks for a block when it comes to it. An unknown may be held at a set
point, which makes its row that of the identity.

Convergence, line search and result codes are those of `voltherm.numerics.newton`, lane by lane. A lane that has
finished keeps its bits while others of its tile go on.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.experimental import pallas as pl

from ..schedule import Schedule
from .calls import call, pattern_of, place, programs_at_once, rows, width_of
from .elimination import Pattern, Side, Start, backward, eliminate
from .tables import Incidence, Tables, starts, tables, with_one_more
from .tiles import Matrix, Tile, Vector, diagonal, loop, plus, walk

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


class Operands(NamedTuple):
    """Arrays (number, entry, lane), the lane axis of length 1 where all lanes share one.

    `start`, `fixed` (positive where an unknown is held) and `set_point` are (node, b, lane); `nodes` go to
    `Physics.node`, `couplings`, in the order of the schedule's entries after the diagonal, to `Physics.coupling`.
    """

    start: Array
    fixed: Array
    set_point: Array
    nodes: Sequence[Array]
    couplings: Sequence[Array]


class Results(NamedTuple):
    """`unknowns` (node, b, lane); the others (lane,). `worst` counts the entries of a vector through."""

    unknowns: Array
    residual: Array
    iterations: Array
    result: Array
    worst: Array


class _Sizes(NamedTuple):
    """What of a residual decides over a step, per lane; `norm` is infinite where anything is not finite."""

    norm: Array
    largest: Array
    worst: Array


class _Progress(NamedTuple):
    """Carry of the iteration: a count for the tile, the rest per lane."""

    turns: Array
    go_on: Array
    sizes: _Sizes
    iterations: Array
    result: Array
    running: Array


class _Shared:
    """Rows that all lanes share, read once and spread over the tile."""

    def __init__(self, array: Any, width: int):
        self.array, self.width = array, width

    def vector(self, number: Array, size: int) -> Vector:
        return [jnp.broadcast_to(self.array[number * size + row, 0], (self.width,)) for row in range(size)]


def newton(
    schedule: Schedule,
    physics: Physics,
    operands: Operands,
    *,
    tolerance: float,
    maximum_iterations: int,
    interpret: bool,
    width: int | None = None,
    programs: int | None = None,
) -> Results:
    """Solve R(y) = 0 for every lane. The schedule's entries must be the diagonal, then the couplings."""
    size, block = schedule.size, schedule.block_size
    flat = [operands.start, operands.fixed, operands.set_point, *operands.nodes, *operands.couplings]
    lanes = max(array.shape[-1] for array in flat)
    dtype = operands.start.dtype
    width = width_of(lanes, interpret, width)
    tiles = pl.cdiv(lanes, width)
    programs = min(tiles, programs or programs_at_once(schedule, dtype))
    lengths = [array.shape[1] for array in flat]
    shared = [array.shape[-1] == 1 for array in flat]
    first_coupling = 3 + len(operands.nodes)
    listed = (*tables(schedule), *_couplings(schedule))

    def kernel(*references: Any) -> None:
        arrays, references = references[: len(flat)], references[len(flat) :]
        table, coupled = Tables(*references[: len(Tables._fields)]), references[len(Tables._fields) :]
        incident, (own, other), outputs = Incidence(*coupled[:3]), coupled[3:5], coupled[5:]
        program = pl.program_id(0)

        def tile(turn: Array) -> None:
            start, mask = place(program + turn * programs, width, lanes)
            given = [
                _Shared(array, width) if one else Tile(array, start, width, mask, interpret)
                for array, one in zip(arrays, shared, strict=True)
            ]
            readers = [
                functools.partial(_read, part, length) for part, length in zip(given, lengths, strict=True)
            ]
            unknowns, *numbers = (Tile(array, start, width, mask, interpret) for array in outputs[:5])
            room = [Tile(array, program * width, width, None, interpret) for array in outputs[5:]]
            lane = _Lane(
                pattern_of(schedule),
                physics,
                table,
                incident,
                (own, other),
                *readers[:3],
                readers[3:first_coupling],
                readers[first_coupling:],
                unknowns,
                *room,
            )
            progress = _iterate(lane, width, dtype, tolerance, maximum_iterations)
            found = (progress.sizes.largest, progress.iterations, progress.result, progress.sizes.worst)
            for number, value in zip(numbers, found, strict=True):
                loop(0, 1, functools.partial(_store, number, value))

        loop(0, (tiles - program + programs - 1) // programs, tile)

    def per_lane(kind: Any) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct((1, lanes), kind)

    def room(length: int) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct((length, programs * width), dtype)

    results = [
        jax.ShapeDtypeStruct((size * block, lanes), dtype),
        per_lane(dtype),
        *(per_lane(jnp.int32) for _ in range(3)),
        room((size + 2 * schedule.fill) * block**2),
        room(size * physics.states),
        *(room(size * block) for _ in range(3)),
    ]
    given = [rows(array, array.shape[-1]) for array in flat]
    found = call(kernel, "newton", (programs,), results, (*given, *listed), interpret)
    return Results(found[0].reshape(size, block, lanes), *(each[0] for each in found[1:5]))


def _read(source: Any, length: int, number: Array) -> Vector:
    vector: Vector = source.vector(number, length)
    return vector


def _store(target: Tile, value: Array, row: Array) -> None:
    target[row] = value


@functools.lru_cache(maxsize=256)
def _couplings(schedule: Schedule) -> tuple[np.ndarray, ...]:
    """The couplings of every node (start, number, other node), and the two nodes of every coupling."""
    size = schedule.size
    own, other = schedule.rows[size:], schedule.columns[size:]
    diagonal_first = np.array_equal(schedule.rows[:size], np.arange(size)) and np.array_equal(
        schedule.columns[:size], np.arange(size)
    )
    if not diagonal_first or np.any(own == other):
        raise ValueError("the entries of the schedule must be the diagonal, then couplings of two nodes each")
    by_node = np.argsort(own, kind="stable")
    return tuple(map(with_one_more, (starts(own, size), by_node, other[by_node], own, other)))


class _Lane(NamedTuple):
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


def _measure(lane: _Lane, width: int, dtype: Any) -> _Sizes:
    """R at `trial`, the diagonal blocks of J, and how large R is."""
    block, states = lane.pattern.block, lane.physics.states

    def prepare(node: Array) -> None:
        lane.states.set_vector(node, lane.physics.state(lane.trial.vector(node, block)))

    def assemble(position: Array, carry: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
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
        squares, largest, worst = carry
        for number, entry in enumerate(residual):
            magnitude = jnp.abs(entry)
            # positions are not in the order of nodes; the first of equal ones is the one of the smallest number
            row = jnp.full((width,), node * block + number, jnp.int32)
            larger = (magnitude > largest) | ((magnitude == largest) & (row < worst))
            squares = squares + entry * entry
            largest, worst = jnp.where(larger, magnitude, largest), jnp.where(larger, row, worst)
        return squares, largest, worst

    loop(0, lane.pattern.size, prepare)
    zero = jnp.zeros((width,), dtype)
    nothing = (zero, zero, jnp.full((width,), lane.pattern.size * block, jnp.int32))
    squares, largest, worst = loop(0, lane.pattern.size, assemble, nothing)
    finite = jnp.isfinite(squares)
    return _Sizes(
        jnp.where(finite, jnp.sqrt(jnp.where(finite, squares, 0.0)), jnp.inf),
        jnp.where(finite, largest, jnp.nan),
        worst,
    )


def _matrix(lane: _Lane, width: int, dtype: Any) -> Start:
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


def _survey(lane: _Lane, width: int, dtype: Any, epsilon: float) -> _Step:
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


def _try(lane: _Lane, width: int, dtype: Any, sizes: _Sizes, moves: Array) -> tuple[Array, _Sizes]:
    """Line search: fractions of the step, and what was found there. Lanes that do not move stay where they are."""
    block = lane.pattern.block

    def falls(fraction: Array, found: _Sizes) -> Array:
        return found.norm <= (1.0 - _SUFFICIENT_DECREASE * fraction) * sizes.norm

    def trial(carry: tuple[Array, Array, _Sizes]) -> tuple[Array, Array, _Sizes]:
        _, fraction, _ = carry

        def node(number: Array) -> None:
            pairs = zip(lane.unknowns.vector(number, block), lane.step.vector(number, block), strict=True)
            lane.trial.set_vector(number, [jnp.where(moves, y - fraction * change, y) for y, change in pairs])

        loop(0, lane.pattern.size, node)
        found = _measure(lane, width, dtype)
        shorter = moves & ~falls(fraction, found) & (fraction > _SHORTEST_FRACTION)
        return _any(shorter), jnp.where(shorter, 0.5 * fraction, fraction), found

    first = (jnp.int32(1), jnp.ones((width,), dtype), sizes)
    _, fraction, found = lax.while_loop(lambda carry: carry[0] > 0, trial, first)
    return fraction, found


def _iterate(lane: _Lane, width: int, dtype: Any, tolerance: float, maximum_iterations: int) -> _Progress:
    epsilon = float(np.finfo(dtype).eps)
    block = lane.pattern.block

    def begin(node: Array) -> None:
        start = lane.start(node)
        lane.unknowns.set_vector(node, start)
        lane.trial.set_vector(node, start)

    def turn(progress: _Progress) -> _Progress:
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
        return _Progress(
            turns=progress.turns + 1,
            go_on=_any(still_running),
            sizes=_Sizes(*(jnp.where(better, new, old) for new, old in zip(found, sizes, strict=True))),
            iterations=progress.iterations + jnp.where(running, 1, 0).astype(jnp.int32),
            result=jnp.where(running, result, progress.result).astype(jnp.int32),
            running=still_running,
        )

    loop(0, lane.pattern.size, begin)
    sizes = _measure(lane, width, dtype)
    finite, met = jnp.isfinite(sizes.norm), sizes.largest <= tolerance
    first = jnp.where(met, CONVERGED, jnp.where(finite, MAXIMUM_ITERATIONS, NOT_FINITE)).astype(jnp.int32)
    running = finite & ~met
    nothing = jnp.zeros((width,), jnp.int32)
    return lax.while_loop(
        lambda progress: (progress.go_on > 0) & (progress.turns < maximum_iterations),
        turn,
        _Progress(jnp.int32(0), _any(running), sizes, nothing, first, running),
    )


def _any(flags: Array) -> Array:
    return jnp.max(jnp.where(flags, 1, 0).astype(jnp.int32))
