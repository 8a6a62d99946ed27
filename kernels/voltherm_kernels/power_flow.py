"""The fused power flow for CPUs: tables of a network, and the two custom calls (sources: kernels/native/power_flow*).

    solve    start, set points, generation, shunts, admittances, loads -> unknowns, residual, iterations, result, worst
    step     the same and a right-hand side -> J^-1 r, or J^-T r, with the Jacobian at `start`

Loads and generation are in units of which `base_power` are 1 p.u., all else is per unit.

Operands are (bus, 2, lane), (branch, lane) and (bus, lane), each with a lane axis of length 1 where all lanes share it.
The library gets them with the lanes first, and in memory those of one part of all buses before those of the other.
Positions are a postorder of the elimination tree: what a pivot updates lies near it.
"""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import numpy as np
from jax import Array

from .graph import starts, triangle
from .native import attributes, lanes_first
from .newton import lanes_of
from .schedule import Schedule


class Plan(NamedTuple):
    """How the steps of an iteration are made, as long as they contract.

    `shared_steps`: so many first steps use one factorisation that all lanes share, the one at a common start.
    `chords`: so many steps reuse fresh factors before they are made anew. `single_factors`: factors in single
    precision; residuals and unknowns keep theirs. A lane whose steps do not contract as they do around a single root,
    or where the determinant is negative, is solved with `EXACT` from its start: no plan chooses among roots.
    """

    shared_steps: int
    chords: int
    single_factors: bool


# Memory of a bus and of a pair of mirrored blocks for eight lanes, and what of a core's cache a subtree may take.
_BUS_BYTES = 768
_BLOCK_BYTES = 256
_CACHE_BYTES = 400_000

EXACT = Plan(0, 0, False)
"""Newton's method as it is: fresh factors in full precision for every step."""

AUTO = Plan(1, 1, True)
"""Measured best at equal tolerance on every case (docs/kernels.md). A common start gives the first factors to all;
fresh ones serve two steps, the second of which is mostly the one that finds the tolerance met."""


class Tables(NamedTuple):
    """What the calls know of a network, in the order of their operands."""

    order: np.ndarray
    position: np.ndarray
    front_start: np.ndarray
    neighbour: np.ndarray
    target: np.ndarray
    pair_start: np.ndarray
    pair_number: np.ndarray
    branch_pair: np.ndarray
    from_position: np.ndarray
    to_position: np.ndarray
    segments: np.ndarray


def tables(schedule: Schedule, from_bus: np.ndarray, to_bus: np.ndarray) -> Tables:
    """Tables of a network whose Jacobian has this schedule; from and to bus of every branch."""
    size = schedule.size
    place = np.empty(size, np.int64)
    place[schedule.postorder] = np.arange(size)
    fill = triangle(place[schedule.fill_pivot], place[schedule.fill_neighbour], size)
    order = np.empty(size, np.int64)
    order[place] = schedule.order
    position = np.empty(size, np.int64)
    position[order] = np.arange(size)

    from_position, to_position = position[from_bus], position[to_bus]
    low, high = np.minimum(from_position, to_position), np.maximum(from_position, to_position)
    pair_number, branch_pair = np.unique(np.searchsorted(fill.key, low * size + high), return_inverse=True)
    pair_start = starts(fill.key[pair_number] // size, size)
    found = Tables(
        order,
        position,
        fill.start,
        fill.neighbour,
        fill.target,
        pair_start,
        pair_number,
        branch_pair,
        from_position,
        to_position,
        _segments(fill.start, fill.neighbour).ravel(),
    )
    return Tables(*(np.ascontiguousarray(table, np.int32) for table in found))


def _segments(front_start: np.ndarray, neighbour: np.ndarray) -> np.ndarray:
    """Subtrees that fit into the cache of a core, and what is left above them, as runs of positions (segment, 4)."""
    size, fronts = front_start.size - 1, np.diff(front_start)
    parent = np.full(size, size)
    inner = fronts > 0
    parent[inner] = neighbour[front_start[:-1][inner]]
    # in a postorder a subtree is a run of positions that ends with its root
    descendants = np.ones(size + 1, np.int64)
    for child in range(size):
        descendants[parent[child]] += descendants[child]
    node = np.arange(size)
    first = node - descendants[:-1] + 1
    weight = _BUS_BYTES * descendants[:-1] + _BLOCK_BYTES * (front_start[1:] - front_start[first])
    fits = np.append(weight <= _CACHE_BYTES, False)
    is_root = fits[:-1] & ~fits[parent]
    inside = np.zeros(size + 1, np.int64)
    np.add.at(inside, first[is_root], 1)
    np.add.at(inside, node[is_root] + 1, -1)
    top = np.cumsum(inside[:-1]) == 0
    # neighbouring small subtrees are one segment
    firsts, packed = [], 0.0
    for at in range(size):
        if top[at]:
            if at == 0 or not top[at - 1]:
                firsts.append(at)
        elif at == 0 or top[at - 1]:
            firsts.append(at)
            packed = 0.0
        if is_root[at]:
            packed += weight[at]
            if at + 1 < size and not top[at + 1] and packed + _next_weight(at + 1, is_root, weight) > _CACHE_BYTES:
                firsts.append(at + 1)
                packed = 0.0
    begin = np.array(firsts)
    targets = np.concatenate([[0], np.cumsum(fronts * (fronts - 1) // 2)])
    return np.stack([begin, np.append(begin[1:], size), targets[begin], top[begin]], axis=1)


def _next_weight(at: int, is_root: np.ndarray, weight: np.ndarray) -> float:
    return float(weight[at + int(np.argmax(is_root[at:]))])


def solve(
    tables: Tables,
    operands: Sequence[Array],
    plan: Plan,
    tolerance: float,
    maximum_iterations: int,
    *,
    fallback: Array | None = None,
    base_power: float = 1.0,
    wanted: str | None = None,
) -> tuple[Array, ...]:
    """Unknowns (bus, 2, lane), largest residual, iterations, result code and its bus, (lane,) each.

    A residual that is round-off at 1 p.u. (`mismatch_round_off` in power_network.h) counts as none.
    `fallback` (bus, 2, lane): flat voltages, where a lane begins anew that finds no root from `start`, or one where the
    determinant of the Jacobian is negative; by default `start`. A root of another sign than there is refused: result
    code 7, and the bus is that of the lowest voltage. A lane without a solution has the unknowns of its start that are
    finite, and zero for others.
    """
    start = operands[0]
    operands = (*operands, start if fallback is None else fallback)
    lanes = lanes_of(operands)
    number = jax.ShapeDtypeStruct((lanes,), np.int32)
    results = (
        jax.ShapeDtypeStruct((*start.shape[:-1], lanes), start.dtype),
        jax.ShapeDtypeStruct((lanes,), start.dtype),
        number,
        number,
        number,
    )
    return lanes_first(
        "voltherm_power_flow",
        results,
        tables,
        operands,
        tolerance=np.float64(tolerance),
        maximum_iterations=np.int64(maximum_iterations),
        base_power=np.float64(base_power),
        shared_steps=np.int64(plan.shared_steps),
        chords=np.int64(plan.chords),
        single_factors=np.int64(plan.single_factors),
        **attributes(wanted),
    )


def step(
    tables: Tables,
    operands: Sequence[Array],
    right_hand_side: Array,
    transpose: bool,
    *,
    base_power: float = 1.0,
    wanted: str | None = None,
) -> Array:
    """J^-1 r or J^-T r (bus, 2, lane); zero where r is, whatever J is there, and NaN where J is singular.

    Every solution is checked by its backward error; where that is too large, the lane is solved with pivoting.
    """
    given = (*operands, right_hand_side)
    lanes = lanes_of(given)
    result = jax.ShapeDtypeStruct((*right_hand_side.shape[:-1], lanes), right_hand_side.dtype)
    chosen = {"base_power": np.float64(base_power)} | attributes(wanted, transpose)
    return lanes_first("voltherm_power_step", [result], tables, given, **chosen)[0]
