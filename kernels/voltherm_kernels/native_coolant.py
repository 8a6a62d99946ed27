"""The coolant network's fused iteration: tables of a network, and the call of kernels/native/coolant.h.

Branches are worked on in the order in which elimination reaches their ends, so that what one branch touches is still in
cache when the next one does. Free nodes are eliminated level by level of the elimination tree: neighbours in that order
do not wait for each other.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import jax
import numpy as np
from jax import Array

from .graph import starts, triangle
from .native import attributes, lanes_first
from .newton import lanes_of
from .schedule import Schedule

TERMS = {
    "linear": 2,
    "quadratic": 2,
    "power": 4,
    "colebrook": 3,
    "epanet": 5,
    "check_valve": 3,
    "controlled_pump": 10,
    "controlled_pump_power": 11,
}
"""Kinds of terms of a branch law, in the order of their numbers, and how many constants each has (laws.h)."""

_FRICTIONS = ("colebrook", "epanet")


@dataclass(frozen=True)
class Branches:
    """What the tables of a network follow from; hashable.

    schedule: elimination of the free nodes. from_node, to_node (branch,): free nodes, `schedule.size` for any
    reference node. groups: number of branches and terms of each group in order; a term is its kind and whether it is
    part of a pump's internal loss.
    """

    schedule: Schedule | None
    from_node: tuple[int, ...]
    to_node: tuple[int, ...]
    groups: tuple[tuple[int, tuple[tuple[str, bool], ...]], ...]

    @property
    def free(self) -> int:
        """Number of free nodes."""
        return 0 if self.schedule is None else self.schedule.size


def solve_network(
    branches: Branches,
    constants: Sequence[Array],
    *,
    drive: Array,
    demand: Array,
    flow: Array,
    pressure: Array,
    largest_flow: Array,
    tolerance: float,
    maximum_iterations: int,
    wanted: str | None = None,
) -> tuple[Array, ...]:
    """Flows (branch, lane), pressures (free, lane), residual, iterations, result and worst (lane,).

    constants: of all terms, in order, each (rows or 1, lane or 1), as are the others: drive (branch, lane), demand and
    pressure (free, lane), flow (branch, lane), largest_flow (1, lane). wanted: an instruction set.
    """
    operands = (drive, demand, flow, pressure, largest_flow, *constants)
    lanes = lanes_of(operands)
    dtype = flow.dtype
    one, whole = jax.ShapeDtypeStruct((lanes,), dtype), jax.ShapeDtypeStruct((lanes,), np.int32)
    results = (
        jax.ShapeDtypeStruct((len(branches.from_node), lanes), dtype),
        jax.ShapeDtypeStruct((branches.free, lanes), dtype),
        *(one, whole, whole, whole),
    )
    limits = {"tolerance": np.float64(tolerance), "maximum_iterations": np.int64(maximum_iterations)}
    return lanes_first("voltherm_coolant", results, [_table(branches)], operands, **limits, **attributes(wanted))


def step_of_network(
    branches: Branches,
    constants: Sequence[Array],
    *,
    flow: Array,
    right_branches: Array,
    right_nodes: Array,
    wanted: str | None = None,
) -> tuple[Array, Array]:
    """The Newton step from given flows (branch, lane) for right-hand sides (branch, lane) and (free, lane)."""
    operands = (flow, right_branches, right_nodes, *constants)
    lanes = lanes_of(operands)
    results = (
        jax.ShapeDtypeStruct((len(branches.from_node), lanes), flow.dtype),
        jax.ShapeDtypeStruct((branches.free, lanes), flow.dtype),
    )
    tables, chosen = [_table(branches)], attributes(wanted)
    of_branches, of_nodes = lanes_first("voltherm_coolant_step", results, tables, operands, **chosen)
    return of_branches, of_nodes


@functools.lru_cache(maxsize=256)
def _table(branches: Branches) -> np.ndarray:
    """All tables of `CoolantTables` in coolant_work.h, one behind the other."""
    free = branches.free
    none = np.zeros(0, dtype=np.int64)
    schedule = branches.schedule
    node = none if schedule is None else schedule.order
    pivot, neighbour = (none, none) if schedule is None else (schedule.fill_pivot, schedule.fill_neighbour)
    fill = triangle(pivot, neighbour, free)
    position = np.empty(free + 1, dtype=np.int64)
    position[node] = np.arange(free)
    position[free] = free

    start, end = position[np.array(branches.from_node, int)], position[np.array(branches.to_node, int)]
    sizes = np.array([size for size, _ in branches.groups])
    group = np.repeat(np.arange(sizes.size), sizes)
    row = np.arange(group.size) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    low, high = np.minimum(start, end), np.maximum(start, end)
    branch = np.lexsort((group, high, low))
    place = np.argsort(branch)
    frictions = np.array([sum(kind in _FRICTIONS for kind, _ in terms) for _, terms in branches.groups])[group[branch]]

    incident = np.r_[2 * place, 2 * place + 1]
    at = np.r_[start, end]
    at, incident = at[at < free], incident[at < free]
    by_position = np.lexsort((incident, at))
    # branches between two free nodes, by the number of the pair in the fronts
    inner = np.flatnonzero(high < free)
    number = np.searchsorted(fill.key, low[inner] * free + high[inner])
    by_number = np.argsort(number, kind="stable")

    kinds = list(TERMS)
    terms = [term for _, group_terms in branches.groups for term in group_terms]
    first = np.cumsum([0] + [TERMS[kind] for kind, _ in terms])
    sections = [
        branch,
        place,
        start[branch],
        end[branch],
        group[branch],
        row[branch],
        np.cumsum(frictions) - frictions,
        np.cumsum([0] + [len(group_terms) for _, group_terms in branches.groups]),
        np.array([[kinds.index(kind), inside, first[n]] for n, (kind, inside) in enumerate(terms)], int).reshape(-1),
        node,
        position[:free],
        starts(at, free),
        incident[by_position],
        fill.start,
        fill.neighbour,
        starts(number, fill.key.size),
        place[inner[by_number]],
        fill.target,
    ]
    header = [branch.size, free, fill.key.size, sizes.size, len(terms), frictions.sum()]
    header += [incident.size, inner.size, fill.target.size]
    return np.concatenate([header, *sections]).astype(np.int32)
