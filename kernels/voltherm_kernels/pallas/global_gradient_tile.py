"""The iteration of `global_gradient.py` for one tile of lanes.

Steps, convergence and result codes are those of `voltherm.coolant.global_gradient`, lane by lane. A lane that has
finished keeps its bits while others of its tile go on: it stops moving.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from .elimination import Pattern, Side, Start, backward, eliminate
from .iteration import CONVERGED, MAXIMUM_ITERATIONS, NOT_FINITE, SINGULAR, Progress
from .tables import Tables
from .tiles import Largest, Matrix, Shared, Tile, any_of, loop, walk

_LEAST_SLOPE = 1e-6
_LEAST_SCALE = 1.0
_FULL_STEPS = 15
_RELAXATION = 0.6
_ROUND_OFF_FLOOR = 1000.0
_STALLED = 0.5

Rows = Tile | Shared
Read = Callable[[Array], Array]
Law = Callable[[Array, Array], tuple[Array, Array]]


class Walk(NamedTuple):
    """Index arrays (int32) of the branches. `incident_start` cuts `incident` and `arrives` into stretches by node."""

    start: np.ndarray  # (branch,) node where it starts
    end: np.ndarray  # (branch,)
    incident_start: np.ndarray  # (free + 1,)
    incident: np.ndarray  # the branches at each free node
    arrives: np.ndarray  # 1 where such a branch ends there, 0 where it starts
    entry_branch: np.ndarray  # branch of each off-diagonal entry, in the order of `Tables.entry`


class Elimination(NamedTuple):
    """The system of the free nodes."""

    pattern: Pattern
    tables: Tables
    blocks: Tile


class Lane(NamedTuple):
    """What the iteration of one tile works on, by branch or by node: the free nodes, then one for all references.

    `groups`: number of branches, and their law: pressure drop and slope of a row of the group at a flow.
    """

    walk: Walk
    groups: Sequence[tuple[int, Law]]
    elimination: Elimination | None
    flow: Tile
    pressure: Tile
    residual: Tile
    conductance: Tile
    step: Tile
    width: int
    dtype: Any

    @property
    def free(self) -> int:
        """Number of free nodes."""
        return 0 if self.elimination is None else self.elimination.pattern.size

    @property
    def branches(self) -> int:
        """Number of branches."""
        return sum(count for count, _ in self.groups)

    def zero(self) -> Array:
        """Zero for every lane."""
        return jnp.zeros((self.width,), self.dtype)


class Given(NamedTuple):
    """Right-hand sides of the equations, start of the iteration, and the flow that balances are measured against."""

    drive: Rows
    demand: Rows
    flow: Rows
    pressure: Rows
    largest_flow: Rows


class Sizes(NamedTuple):
    """The largest scaled residual of each lane, NaN where any is not finite, and which it is."""

    norm: Array
    worst: Array


def iterate(lane: Lane, given: Given, tolerance: float, maximum_iterations: int) -> Progress:
    """Solve the lanes of a tile; what it returns tells how they ended."""
    epsilon = float(np.finfo(lane.dtype).eps)
    free, branches = lane.free, lane.branches
    row = jnp.int32(0)

    def begin_branch(branch: Array, largest: Array) -> Array:
        lane.flow[branch] = given.flow[branch]
        return jnp.maximum(largest, jnp.abs(given.drive[branch]))

    def begin_node(node: Array) -> None:
        lane.pressure[node] = given.pressure[node]

    largest_drive = loop(0, branches, begin_branch, lane.zero() + _LEAST_SCALE)
    largest_flow = given.largest_flow[row]
    loop(0, free, begin_node)
    _references(lane, lane.pressure)
    _references(lane, lane.step)

    def measure(flow_of: Read) -> Sizes:
        largest_drop, at_branches = _residuals(lane, given.drive, flow_of, largest_drive)
        at_nodes = _balances(lane, given.demand)
        of_branches, of_nodes = at_branches.magnitude / largest_drop, at_nodes.magnitude / largest_flow
        finite = jnp.isfinite(of_branches + of_nodes)
        return Sizes(
            jnp.where(finite, jnp.maximum(of_branches, of_nodes), jnp.nan),
            jnp.where(of_nodes > of_branches, branches + at_nodes.row, at_branches.row),
        )

    def turn(progress: Progress) -> Progress:
        running, before = progress.running, progress.sizes
        _solve_nodes(lane)
        late = (progress.iterations >= _FULL_STEPS) & (progress.iterations % 2 == 1)
        fraction = jnp.where(late, lane.zero() + _RELAXATION, lane.zero() + 1.0)

        def move(node: Array) -> None:
            pressure = lane.pressure[node]
            lane.pressure[node] = jnp.where(running, pressure - lane.step[node], pressure)

        def moved(branch: Array) -> Array:
            flow = lane.flow[branch]
            flow = jnp.where(running, flow - fraction * _change(lane, branch), flow)
            lane.flow[branch] = flow
            return flow

        loop(0, free, move)
        found = measure(moved)
        finite, met = jnp.isfinite(found.norm), found.norm <= tolerance
        stalled = (found.norm <= _ROUND_OFF_FLOOR * epsilon) & (found.norm > _STALLED * before.norm)
        converged = finite & (met | stalled)
        result = jnp.where(converged, CONVERGED, jnp.where(finite, progress.result, SINGULAR)).astype(jnp.int32)
        still_running = running & finite & ~converged
        return Progress(
            turns=progress.turns + 1,
            go_on=any_of(still_running),
            sizes=Sizes(*(jnp.where(running, new, old) for new, old in zip(found, before, strict=True))),
            iterations=progress.iterations + jnp.where(running, 1, 0).astype(jnp.int32),
            result=jnp.where(running, result, progress.result),
            running=still_running,
        )

    sizes = measure(lambda branch: lane.flow[branch])
    finite, met = jnp.isfinite(sizes.norm), sizes.norm <= tolerance
    first = jnp.where(met, CONVERGED, jnp.where(finite, MAXIMUM_ITERATIONS, NOT_FINITE)).astype(jnp.int32)
    running = lane.flow.among(finite & ~met)
    nothing = jnp.zeros((lane.width,), jnp.int32)
    return lax.while_loop(
        lambda progress: (progress.go_on > 0) & (progress.turns < maximum_iterations),
        turn,
        Progress(jnp.int32(0), any_of(running), sizes, nothing, first, running),
    )


def one_step(lane: Lane, flow: Rows, at_branches: Rows, at_nodes: Rows) -> None:
    """J^-1 times a right-hand side at given flows; leaves the changes in `flow` and `pressure`."""

    def branch(law: Law, row: Array, branch: Array) -> None:
        _, slope = law(row, flow[branch])
        lane.conductance[branch] = _inverse(slope)
        lane.residual[branch] = at_branches[branch]

    def change(branch: Array) -> None:
        lane.flow[branch] = _change(lane, branch)

    def copy(node: Array) -> None:
        lane.pressure[node] = lane.step[node]

    _over_branches(lane, branch)
    _references(lane, lane.step)
    _assemble(lane, lambda node: (at_nodes[node], None))
    _solve_nodes(lane)
    loop(0, lane.branches, change)
    loop(0, lane.free, copy)


def _references(lane: Lane, array: Tile) -> None:
    def clear(node: Array) -> None:
        array[node] = lane.zero()

    loop(lane.free, lane.free + 1, clear)


def _inverse(slope: Array) -> Array:
    """Laws rise strictly; a flat one gets the least slope. NaN stays."""
    return 1.0 / jnp.where(slope < _LEAST_SLOPE, _LEAST_SLOPE, slope)


def _change(lane: Lane, branch: Array) -> Array:
    """How far the flow of a branch goes in a full step."""
    pushed = lane.step[lane.walk.start[branch]] - lane.step[lane.walk.end[branch]]
    return lane.conductance[branch] * (lane.residual[branch] + pushed)


def _over_branches(lane: Lane, body: Any, *carry: Any) -> Any:
    """body(law, row of the group, branch, carry) for every branch, group by group."""
    first = 0
    for count, law in lane.groups:

        def one(row: Array, *carry: Any, law: Law = law, first: int = first) -> Any:
            return body(law, row, first + row, *carry)

        carry = (loop(0, count, one, *carry),)
        first += count
    return carry[0]


def _residuals(lane: Lane, drive: Rows, flow_of: Read, largest_drive: Array) -> tuple[Array, Largest]:
    """Residuals and conductances of the branches; the largest pressure drop and the largest residual."""

    def branch(law: Law, row: Array, branch: Array, carry: tuple[Array, Largest]) -> tuple[Array, Largest]:
        largest_drop, worst = carry
        drop, slope = law(row, flow_of(branch))
        pressures = lane.pressure[lane.walk.start[branch]] - lane.pressure[lane.walk.end[branch]]
        residual = drop - (drive[branch] + pressures)
        lane.residual[branch] = residual
        lane.conductance[branch] = _inverse(slope)
        return jnp.maximum(largest_drop, jnp.abs(drop)), worst.and_of(residual, branch)

    nothing = Largest.of_none(lane.width, lane.dtype, lane.branches)
    found: tuple[Array, Largest] = _over_branches(lane, branch, (largest_drive, nothing))
    return found


def _balances(lane: Lane, demand: Rows) -> Largest:
    """The linear system of the nodes; the largest of their balances."""

    def balance(node: Array, worst: Largest) -> tuple[Array, Largest]:
        def incident(numbers: list[Array], total: Array) -> Array:
            branch, arrives = numbers
            flow = lane.flow[branch]
            return total + jnp.where(arrives > 0, -flow, flow)

        first, last = lane.walk.incident_start[node], lane.walk.incident_start[node + 1]
        total = walk(first, last, [lane.walk.incident, lane.walk.arrives], incident, demand[node])
        return total, worst.and_of(total, node)

    nothing = Largest.of_none(lane.width, lane.dtype, lane.free)
    found: Largest = _assemble(lane, balance, nothing)
    return found


def _assemble(lane: Lane, right: Callable[..., tuple[Array, Any]], *carry: Any) -> Any:
    """Diagonal and right-hand side of the nodes' system; `right(node, carry)` is what their equations have there."""
    elimination = lane.elimination
    if elimination is None:
        return carry[0] if carry else None

    def pivot(position: Array, *carry: Any) -> Any:
        node = elimination.tables.node[position]
        total, found = right(node, *carry)

        def incident(numbers: list[Array], sums: tuple[Array, Array]) -> tuple[Array, Array]:
            (branch, arrives), (diagonal, rest) = numbers, sums
            conductance = lane.conductance[branch]
            pushed = conductance * lane.residual[branch]
            return diagonal + conductance, rest - jnp.where(arrives > 0, -pushed, pushed)

        first, last = lane.walk.incident_start[node], lane.walk.incident_start[node + 1]
        diagonal, rest = walk(first, last, [lane.walk.incident, lane.walk.arrives], incident, (lane.zero(), total))
        elimination.blocks[position] = diagonal
        lane.step[node] = rest
        return found

    return loop(0, elimination.pattern.size, pivot, *carry)


def _solve_nodes(lane: Lane) -> None:
    """The step of the free nodes, from the right-hand side that lies in its place. A singular lane becomes NaN."""
    elimination = lane.elimination
    if elimination is None:
        return
    pattern, tables, blocks = elimination

    def off_diagonal(slot: Array) -> Matrix:
        def entry(numbers: list[Array], total: Array) -> Array:
            return total - lane.conductance[numbers[0]]

        first, last = tables.entry_start[slot], tables.entry_start[slot + 1]
        return [[walk(first, last, [lane.walk.entry_branch], entry, lane.zero())]]

    matrix = Start(lambda position: blocks.matrix(position, 1), off_diagonal, symmetric=True)
    side = Side(lambda node: lane.step.vector(node, 1), lane.step, False)
    regular = eliminate(tables, pattern, matrix, blocks, jnp.ones((lane.width,), bool), side)
    backward(tables, pattern, blocks, lane.step, regular, False)
