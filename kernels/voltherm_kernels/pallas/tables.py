"""The schedule as a lane walks it alone: no levels and no padding, every block of the factors finished in one visit.

For pivot k with front N(k), in the order of elimination,

    D_k = A_kk - sum L_km V_mk                      over the earlier pivots m whose front holds k
    L_ik = (A_ik - sum L_im V_mk) D_k^-1            for i in N(k), over the m whose front holds both i and k
    V_ki =  A_ki - sum L_km V_mi                    V = D U, the same m

An off-diagonal number a stands for the pair (pivot, neighbour) of L_a and V_a, as in `schedule.py`. The sum of a lower
block and that of its mirrored upper block run over the same pairs of numbers (a, b), exchanged.
"""

import functools
from typing import NamedTuple

import numpy as np

from ..graph import starts
from ..schedule import Schedule


class Tables(NamedTuple):
    """Index arrays (int32), in the order in which the kernels take them. `x_start` cuts `x` into stretches."""

    node: np.ndarray  # (size,) node eliminated at each position
    entry_start: np.ndarray  # (size + 2 fill + 1,) per slot
    entry: np.ndarray  # (entries,) the values added to a slot
    front_start: np.ndarray  # (size + 1,) per position k: the numbers a whose pivot is k
    neighbour_node: np.ndarray  # (fill,) node of the neighbour of each number
    row_start: np.ndarray  # (size + 1,) per position k
    row: np.ndarray  # (fill,) the numbers a whose neighbour is k: row k of L
    row_node: np.ndarray  # (fill,) node of the pivot of those numbers
    pair_start: np.ndarray  # (fill + 1,) per number, that of the target
    left: np.ndarray  # (pairs,) number a of L_im
    right: np.ndarray  # (pairs,) number b of V_mk


@functools.lru_cache(maxsize=256)
def tables(schedule: Schedule) -> Tables:
    """The walk of one schedule."""
    size, fill = schedule.size, schedule.fill
    pivot, neighbour = schedule.fill_pivot.astype(np.int64), schedule.fill_neighbour.astype(np.int64)
    left, right, target = _pairs(pivot, neighbour, size)
    row = np.argsort(neighbour, kind="stable")
    arrays = Tables(
        node=schedule.order,
        entry_start=starts(schedule.entry_slot, size + 2 * fill),
        entry=np.argsort(schedule.entry_slot, kind="stable"),
        front_start=starts(pivot, size),
        neighbour_node=schedule.order[neighbour],
        row_start=starts(neighbour, size),
        row=row,
        row_node=schedule.order[pivot[row]],
        pair_start=starts(target, fill),
        left=left,
        right=right,
    )
    return Tables(*map(with_one_more, arrays))


class Incidence(NamedTuple):
    """The entries of every row of the matrix, or of every column."""

    start: np.ndarray  # (size + 1,)
    entry: np.ndarray  # (entries,)
    other: np.ndarray  # (entries,) the column of an entry of a row, the row of one of a column


@functools.lru_cache(maxsize=512)
def incidence(schedule: Schedule, transpose: bool) -> Incidence:
    """By row, or with `transpose` by column."""
    rows, columns = (schedule.columns, schedule.rows) if transpose else (schedule.rows, schedule.columns)
    entry = np.argsort(rows, kind="stable")
    return Incidence(*map(with_one_more, (starts(rows, schedule.size), entry, columns[entry])))


def _pairs(pivot: np.ndarray, neighbour: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For every number t = (k, i) the pairs of numbers a = (m, i), b = (m, k), sorted by t and then by m."""
    fill = pivot.size
    front = np.bincount(pivot, minlength=size)
    start = np.cumsum(front) - front
    siblings = front[pivot]
    left = np.repeat(np.arange(fill), siblings)
    within = np.arange(left.size) - np.repeat(np.cumsum(siblings) - siblings, siblings)
    right = start[pivot[left]] + within
    below = neighbour[left] > neighbour[right]
    left, right = left[below], right[below]
    keys = pivot * size + neighbour
    by_key = np.argsort(keys)
    target = by_key[np.searchsorted(keys, neighbour[right] * size + neighbour[left], sorter=by_key)]
    by_target = np.argsort(target, kind="stable")
    return left[by_target], right[by_target], target[by_target]


def with_one_more(array: np.ndarray) -> np.ndarray:
    """As int32 and read-only, with one more number at the end: a loop loads the numbers of its next turn."""
    padded = np.append(array, 0).astype(np.int32)
    padded.setflags(write=False)
    return padded
