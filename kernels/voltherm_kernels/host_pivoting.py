"""Lanes of matrices too large for a dense solve, solved on the host by sparse LU with rows scaled and partial pivoting.

The factorisation is SuperLU's (Li, 2005, ACM Trans. Math. Softw. 31, 302), in scipy. A program reaches it by a
callback, which is why smaller matrices do without: jax keeps no program with a callback in its cache on disk.
"""

import functools
import threading
from typing import Any, NamedTuple

import jax
import numpy as np
from jax import Array

from .schedule import Schedule


class Recoveries(NamedTuple):
    """Systems that were pivoted: solved, whether or not the check then took the answer, and found singular.

    A lane of a power flow that is pivoted counts once for every step.
    """

    pivoted: int
    singular: int


class _Counter:
    """Counts what callbacks do, which come from threads of XLA's."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen = Recoveries(0, 0)

    def add(self, *, singular: bool) -> None:
        with self._lock:
            self._seen = Recoveries(self._seen.pivoted + (not singular), self._seen.singular + singular)

    def seen(self) -> Recoveries:
        return self._seen


_COUNTER = _Counter()


def recoveries() -> Recoveries:
    """What the host has pivoted since the process began."""
    return _COUNTER.seen()


def pivoted(
    schedule: Schedule, values: Array, solution: Array, right_hand_side: Array, settled: Array, *, transpose: bool
) -> Array:
    """`solution`, with what is not `settled` (lane, side) solved anew; singular is NaN. Shapes as in `xla.py`."""
    call = functools.partial(_on_host, schedule, transpose)
    result = jax.ShapeDtypeStruct(solution.shape, solution.dtype)
    found: Array = jax.pure_callback(call, result, values, solution, right_hand_side, settled)
    return found


def _on_host(schedule: Schedule, transpose: bool, *operands: Any) -> np.ndarray:
    values, solution, right_hand_side, settled = map(np.asarray, operands)
    found = np.array(solution)
    rows, columns = _places(schedule)
    for lane in np.flatnonzero(~np.all(settled, axis=1)):
        missing = ~settled[lane]
        sides = right_hand_side[:, :, lane, missing]
        flat = sides.reshape(-1, sides.shape[-1])
        places = (columns, rows) if transpose else (rows, columns)
        found[:, :, lane, missing] = _solve(values[..., lane].ravel(), places, flat).reshape(sides.shape)
    return found


def _places(schedule: Schedule) -> tuple[np.ndarray, np.ndarray]:
    """Row and column of every number of the values of a lane, (entries b b,) each."""
    size, block = schedule.block_size, np.arange(schedule.block_size)
    shape = (schedule.entries, size, size)
    rows = size * schedule.rows[:, None, None] + block[:, None]
    columns = size * schedule.columns[:, None, None] + block
    return np.broadcast_to(rows, shape).ravel(), np.broadcast_to(columns, shape).ravel()


def _solve(values: np.ndarray, places: tuple[np.ndarray, np.ndarray], sides: np.ndarray) -> np.ndarray:
    from scipy.sparse import coo_matrix, diags
    from scipy.sparse.linalg import splu

    matrix = coo_matrix((values, places), shape=(len(sides), len(sides))).tocsr()
    largest = np.asarray(abs(matrix).max(axis=1).todense()).ravel()
    try:
        if not np.all(largest > 0.0):
            raise RuntimeError("a row of zeros")
        scale = (1.0 / largest).astype(values.dtype)
        solution = splu((diags(scale) @ matrix).tocsc()).solve(scale[:, None] * sides)
    except RuntimeError:
        _COUNTER.add(singular=True)
        return np.full_like(sides, np.nan)
    _COUNTER.add(singular=False)
    return np.asarray(solution, sides.dtype)
