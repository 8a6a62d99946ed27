"""A whole iteration of Todini's global gradient method as one kernel: laws, assembly, elimination and step of a lane.

    branch k:  R_k = dp_k(m_k) - (p_from - p_to) - drive_k,   g = 1 / (d dp / d m)
    node i:    R_i = sum of m out - sum of m in + demand_i
    step:      (Aᵀ g A) x = R_node - Aᵀ g R_branch,   m <- m - t g (R_branch + A x),   p <- p - x

Branch laws come as Python functions of tiles of lanes, one for each group of branches: the very laws of the plain
path. Flows are eliminated where they stand; what is left is a symmetric system of the free nodes, of which one triangle
is worked on (`elimination.py`). Reference nodes share one row behind the free ones, where pressure and step stay zero.
"""

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.experimental import pallas as pl

from ..graph import starts
from ..schedule import Schedule
from .calls import call, pattern_of, place, programs_at_once, rows, width_of
from .global_gradient_tile import Elimination, Given, Lane, Read, Rows, Walk, iterate, one_step
from .tables import Tables, tables, with_one_more
from .tiles import Shared, Tile, loop


class Group(NamedTuple):
    """Branches of one law; they follow those of the group before.

    `law(read, row, flow)` gives pressure drop and slope of the group's branch `row`, a traced number; `read[n](row)` is
    its number in operand n, which is (size or 1, lane or 1).
    """

    size: int
    law: Callable[[Sequence[Read], Array, Array], tuple[Array, Array]]
    operands: tuple[Array, ...]


@dataclass(frozen=True)
class Branches:
    """Ends of all branches as free nodes, the number of free nodes standing for any reference node; hashable.

    schedule: elimination of the free nodes, its entries the diagonal, then the branches between two free nodes as
    from-to, then the same as to-from; None where no node is free.
    """

    schedule: Schedule | None
    from_node: tuple[int, ...]
    to_node: tuple[int, ...]

    @property
    def free(self) -> int:
        """Number of free nodes."""
        return 0 if self.schedule is None else self.schedule.size


def solve(
    branches: Branches,
    groups: Sequence[Group],
    given: Sequence[Array],
    *,
    tolerance: float,
    maximum_iterations: int,
    interpret: bool,
    width: int | None = None,
    programs: int | None = None,
) -> tuple[Array, ...]:
    """Flows (branch, lane), pressures (free, lane), residual, iterations, result and worst (lane,).

    given: drive (branch, lane), demand (free, lane), start of the flows and of the pressures, and largest flow (1,
    lane), which residuals of nodes are measured against; a lane axis may be of length 1. `worst` counts branches first.
    """

    def work(lane: Lane, read: Sequence[Rows], numbers: Sequence[Tile]) -> None:
        progress = iterate(lane, Given(*read), tolerance, maximum_iterations)
        found = (progress.sizes.norm, progress.iterations, progress.result, progress.sizes.worst)
        for number, value in zip(numbers, found, strict=True):
            number.set_first(value)

    kinds = (given[0].dtype, jnp.int32, jnp.int32, jnp.int32)
    flow, pressure, *numbers = _on_tiles("coolant", branches, groups, given, kinds, work, interpret, width, programs)
    return flow, pressure, *(number[0] for number in numbers)


def step(
    branches: Branches,
    groups: Sequence[Group],
    given: Sequence[Array],
    *,
    interpret: bool,
    width: int | None = None,
    programs: int | None = None,
) -> tuple[Array, Array]:
    """J^-1 times a right-hand side: changes of the flows (branch, lane) and pressures (free, lane).

    given: flows, right-hand sides of the branches (branch, lane) and of the nodes (free, lane); a lane axis may be of
    length 1.
    """

    def work(lane: Lane, read: Sequence[Rows], _: Sequence[Tile]) -> None:
        one_step(lane, *read)

    flow, pressure = _on_tiles("coolant_step", branches, groups, given, (), work, interpret, width, programs)
    return flow, pressure


def _on_tiles(
    name: str,
    branches: Branches,
    groups: Sequence[Group],
    given: Sequence[Array],
    kinds: Sequence[Any],
    work: Callable[[Lane, Sequence[Rows], Sequence[Tile]], None],
    interpret: bool,
    width: int | None,
    programs: int | None,
) -> list[Array]:
    """Do the work for every tile: flows, pressures, and a number (1, lane) of each of the kinds."""
    schedule, free, count = branches.schedule, branches.free, len(branches.from_node)
    groups = [group for group in groups if group.size]
    operands = [*given, *(operand for group in groups for operand in group.operands)]
    (lanes,) = np.broadcast_shapes(*(operand.shape[-1:] for operand in operands))
    dtype = given[0].dtype
    if not lanes:
        return [jnp.zeros((count, 0), dtype), jnp.zeros((free, 0), dtype), *(jnp.zeros((1, 0), kind) for kind in kinds)]
    width = width_of(lanes, interpret, width)
    tiles = pl.cdiv(lanes, width)
    rooms = [count, count, free + 1] + ([] if schedule is None else [schedule.size + 2 * schedule.fill])
    programs = min(tiles, programs or programs_at_once(sum(rooms), dtype))
    # an array without rows is no operand of a kernel; nobody reads what stands for it
    operands = [operand if operand.shape[0] else jnp.zeros((1, 1), dtype) for operand in operands]
    listed = [*_walk(branches), *(() if schedule is None else tables(schedule))]
    walks = len(Walk._fields)

    def lane_of(
        operands: Iterator[Rows], indices: Sequence[Any], results: Sequence[Tile], room: Sequence[Tile]
    ) -> Lane:
        eliminated = None
        if schedule is not None:
            eliminated = Elimination(pattern_of(schedule), Tables(*indices[walks:]), room[3])
        laws = []
        for group in groups:
            read = [_row_of(next(operands), array.shape[0]) for array in group.operands]
            laws.append((group.size, functools.partial(group.law, read)))
        return Lane(
            walk=Walk(*indices[:walks]),
            groups=laws,
            elimination=eliminated,
            flow=results[0],
            pressure=results[1],
            residual=room[0],
            conductance=room[1],
            step=room[2],
            width=width,
            dtype=dtype,
        )

    def kernel(*references: Any) -> None:
        arrays, references = references[: len(operands)], references[len(operands) :]
        indices, outputs = references[: len(listed)], references[len(listed) :]
        program = pl.program_id(0)

        def tile(turn: Array) -> None:
            start, mask = place(program + turn * programs, width, lanes)
            read: list[Rows] = [
                Shared(array, width) if operand.shape[-1] == 1 else Tile(array, start, width, mask, interpret)
                for array, operand in zip(arrays, operands, strict=True)
            ]
            results = [Tile(array, start, width, mask, interpret) for array in outputs[: 2 + len(kinds)]]
            room = [Tile(array, program * width, width, None, interpret) for array in outputs[2 + len(kinds) :]]
            work(lane_of(iter(read[len(given) :]), indices, results, room), read[: len(given)], results[2:])

        loop(0, (tiles - program + programs - 1) // programs, tile)

    shapes = [
        *(jax.ShapeDtypeStruct((length, lanes), dtype) for length in (count, free + 1)),
        *(jax.ShapeDtypeStruct((1, lanes), kind) for kind in kinds),
        *(jax.ShapeDtypeStruct((length, programs * width), dtype) for length in rooms),
    ]
    flat = [rows(operand, operand.shape[-1]) for operand in operands]
    flow, pressure, *rest = call(kernel, name, (programs,), shapes, (*flat, *listed), interpret)
    return [flow, pressure[:free], *rest[: len(kinds)]]


def _row_of(array: Rows, length: int) -> Read:
    """Reads the row of a branch, or the one that all branches of the group share."""
    return array.__getitem__ if length != 1 else lambda row: array[jnp.zeros_like(row)]


@functools.lru_cache(maxsize=256)
def _walk(branches: Branches) -> Walk:
    free, schedule = branches.free, branches.schedule
    start, end = np.array(branches.from_node, int), np.array(branches.to_node, int)
    nodes = np.r_[start, end]
    by_node = np.argsort(nodes, kind="stable")
    by_node = by_node[nodes[by_node] < free]
    inner = np.flatnonzero(np.maximum(start, end) < free)
    entry_branch = np.zeros(0, int)
    if schedule is not None:
        diagonal, one, other = np.arange(free), start[inner], end[inner]
        expected = (np.r_[diagonal, one, other], np.r_[diagonal, other, one])
        if not all(map(np.array_equal, (schedule.rows, schedule.columns), expected)):
            raise ValueError("the entries of the schedule must be the diagonal, then inner branches in both directions")
        entry_branch = np.r_[diagonal, inner, inner][np.argsort(schedule.entry_slot, kind="stable")]
    incident, arrives = by_node % start.size, by_node >= start.size
    arrays = (start, end, starts(nodes[by_node], free), incident, arrives, entry_branch)
    return Walk(*map(with_one_more, arrays))
