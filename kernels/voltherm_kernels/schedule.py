"""The schedule: everything about a sparse factorisation that depends on the pattern alone, as arrays.

With the filled pattern split into unit lower L, block diagonal D and unit upper U,

    A = (I + L) D (I + U)

the right-looking elimination of pivot k with front N(k) (its neighbours that are eliminated later) is

    A_ij <- A_ij - A_ik D_k^-1 A_kj        for all i, j in N(k)

and afterwards L_ik = A_ik D_k^-1, U_kj = D_k^-1 A_kj for all k at once. Pivots of one level of the elimination tree
do not touch each other. The schedule stores the pivots and products level by level, cut into steps of one fixed width,
so that a loop over the steps is a program whose size does not depend on the matrix.

Storage of the factors, one block per slot:

| slots | content |
| --- | --- |
| 0 .. n-1 | D_k^-1, in order of elimination |
| n .. n+m-1 | L_ik, sorted by k |
| n+m .. n+2m-1 | U_ki, the mirrored blocks in the same order |
| n+2m | an identity block that padding inverts and multiplies by |
| n+2m+1 | a zero block that padding multiplies and adds to |
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .ordering import Elimination, eliminate, postorder

# Cost of a step and of one gathered block product in one lane, in nanoseconds on one CPU core (measured), and a
# typical number of lanes. They only rank orders and widths of the same factorisation; no result depends on them.
_STEP_COST = 400.0
_PRODUCT_COST = 4.0
_TYPICAL_LANES = 64
_WIDTHS = (4, 8, 16, 32, 64, 128, 256, 512)
_SLACKS = (0, 1, 2, 4)
_LARGE = 3000


@dataclass(frozen=True, eq=False)
class Schedule:
    """A factorisation plan for one pattern. Equal and hashable by digest: fit for a static field or a closure.

    Public fields: `size` (block rows), `block_size`, `entries` (values expected), `levels`, `fill` (off-diagonal
    blocks of L), `products` (block products of one factorisation), `digest`. All index arrays are int32 and read-only.

    Positions, slots and fronts are numbered level by level. `postorder` lists the same positions so that a pivot comes
    right after the subtree below it: any walk in that order is a valid elimination, too, and finds in the cache what
    its children have just updated.
    """

    size: int
    block_size: int
    entries: int
    levels: int
    fill: int
    products: int
    digest: str
    rows: np.ndarray  # (entries,) as given
    columns: np.ndarray  # (entries,)
    order: np.ndarray  # (size,) node at each position
    position: np.ndarray  # (size,) position of each node
    entry_slot: np.ndarray  # (entries,) where each value is added
    fill_pivot: np.ndarray  # (fill,) position k of slot L_ik and U_ki
    fill_neighbour: np.ndarray  # (fill,) position i; ascending within one pivot's front
    front_start: np.ndarray  # (size + 1,) first fill number of each pivot's front, and past the last
    parent: np.ndarray  # (size,) parent in the elimination tree: smallest position in the front, -1 at a root
    postorder: np.ndarray  # (size,) positions k in a postorder of the elimination tree: every subtree is contiguous
    pivot_steps: np.ndarray  # (pivot steps, 1, pivot width): diagonal slots to invert
    product_steps: np.ndarray  # (product steps, 4, product width): slots of A_ik, D_k, A_kj and of the target A_ij
    level_steps: np.ndarray  # (levels, 4): first and past-last pivot step, first and past-last product step
    sweep_steps: np.ndarray  # (sweep steps, 3, sweep width): off-diagonal number, k, i

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Schedule) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return (
            f"Schedule(size={self.size}, block_size={self.block_size}, entries={self.entries}, levels={self.levels}, "
            f"fill={self.fill}, products={self.products}, digest={self.digest[:8]})"
        )

    @property
    def slots(self) -> int:
        """Blocks in the factors, with the two that padding uses."""
        return self.size + 2 * self.fill + 2

    @property
    def identity_slot(self) -> int:
        """The block that padding inverts and multiplies by."""
        return self.size + 2 * self.fill

    @property
    def zero_slot(self) -> int:
        """The block that padding multiplies and adds to."""
        return self.size + 2 * self.fill + 1


def analyse(
    rows: np.ndarray | Sequence[int],
    columns: np.ndarray | Sequence[int],
    size: int,
    block_size: int = 1,
    *,
    slack: int | None = None,
) -> Schedule:
    """Order a pattern, find its fill and lay the block operations out by level.

    **Arguments**

    - `rows`, `columns`: (entries,) block row and block column of every value, in the order in which `solve` will get
      the values. Duplicates are summed. A missing mirrored or diagonal entry is a zero.
    - `size`: number of block rows. Patterns of several disconnected parts are fine.
    - `block_size`: rows of one block.
    - `slack`: how far above the smallest degree a node may be to be eliminated in the same round. 0 gives least fill
      (none on a tree), more gives fewer levels. None takes the cheapest by a cost model.

    **Returns** a `Schedule`. **Raises** `ValueError` for indices that do not fit.
    """
    rows, columns = _indices("rows", rows, size), _indices("columns", columns, size)
    if rows.shape != columns.shape:
        raise ValueError(f"rows and columns must be of one length, not {rows.size} and {columns.size}")
    if size < 1 or block_size < 1:
        raise ValueError(f"size and block_size must be at least 1, not {size} and {block_size}")
    header = f"voltherm_kernels 1,{size},{block_size},{slack},{rows.size}".encode()
    digest = hashlib.sha256(header + rows.tobytes() + columns.tobytes()).hexdigest()

    slacks = (slack,) if slack is not None else _SLACKS if size <= _LARGE else (0, 2)
    plans = [_plan(eliminate(rows, columns, size, choice), size, block_size) for choice in slacks]
    plan = min(plans, key=lambda plan: plan.cost)
    elimination = plan.elimination

    position = np.empty(size, dtype=np.int64)
    position[elimination.order] = np.arange(size)
    arrays = {
        "rows": rows,
        "columns": columns,
        "order": elimination.order,
        "position": position,
        "entry_slot": _slot(elimination, size, position[rows], position[columns]),
        "fill_pivot": elimination.pivot,
        "fill_neighbour": elimination.neighbour,
        "front_start": elimination.front_start,
        "parent": elimination.parent,
        "postorder": postorder(elimination.parent),
        "pivot_steps": plan.pivot_steps,
        "product_steps": plan.product_steps,
        "level_steps": plan.level_steps,
        "sweep_steps": plan.sweep_steps,
    }
    frozen = {name: np.ascontiguousarray(array, dtype=np.int32) for name, array in arrays.items()}
    for array in frozen.values():
        array.setflags(write=False)
    return Schedule(
        size=size,
        block_size=block_size,
        entries=int(rows.size),
        levels=int(elimination.level.max(initial=-1)) + 1,
        fill=int(elimination.pivot.size),
        products=plan.products,
        digest=digest,
        **frozen,
    )


def _indices(name: str, given: np.ndarray | Sequence[int], size: int) -> np.ndarray:
    array = np.asarray(given)
    if array.ndim != 1:
        raise ValueError(f"{name} must be 1-D, not of the shape {array.shape}")
    if array.size and not np.issubdtype(array.dtype, np.integer):
        raise ValueError(f"{name} must be integers, not {array.dtype}")
    if array.size and size > 0 and (array.min() < 0 or array.max() >= size):
        raise ValueError(f"{name} must lie in 0 .. {size - 1}; found {array.min()} .. {array.max()}")
    return array.astype(np.int64)


def _slot(elimination: Elimination, size: int, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Slot of the block at two positions; both must lie in the filled pattern."""
    keys = elimination.pivot * size + elimination.neighbour
    by_key = np.argsort(keys)
    low, high = np.minimum(row, column), np.maximum(row, column)
    slots = low.copy()
    off = row != column
    number = by_key[np.searchsorted(keys, (low * size + high)[off], sorter=by_key)] if keys.size else slots[off]
    slots[off] = size + number + np.where(row[off] > column[off], 0, keys.size)
    return slots


class _Plan(NamedTuple):
    """The steps of one elimination, and what they cost by the model."""

    elimination: Elimination
    products: int
    pivot_steps: np.ndarray
    product_steps: np.ndarray
    level_steps: np.ndarray
    sweep_steps: np.ndarray
    cost: float


def _plan(elimination: Elimination, size: int, block_size: int) -> _Plan:
    pivot, neighbour, level = elimination.pivot, elimination.neighbour, elimination.level
    fill, levels = pivot.size, int(level.max()) + 1
    # All ordered pairs (i, j) of one front: every off-diagonal number beside each number with the same pivot.
    front_size = np.bincount(pivot, minlength=size)
    front_start = np.cumsum(front_size) - front_size
    siblings = front_size[pivot]
    first = np.repeat(np.arange(fill), siblings)
    second = front_start[pivot[first]] + np.arange(first.size) - np.repeat(np.cumsum(siblings) - siblings, siblings)
    target = _slot(elimination, size, neighbour[first], neighbour[second])
    products = np.stack([size + first, pivot[first], size + fill + second, target])
    sweep = np.stack([np.arange(fill), pivot, neighbour])
    identity, zero = size + 2 * fill, size + 2 * fill + 1

    of_pivots = _cut(np.arange(size)[None], level, levels, (identity,), block_size)
    of_products = _cut(products, level[products[1]], levels, (zero, identity, zero, zero), block_size)
    of_sweep = _cut(sweep, level[pivot], levels, (fill, size, size), block_size)
    return _Plan(
        elimination=elimination,
        products=products.shape[1],
        pivot_steps=of_pivots.table,
        product_steps=of_products.table,
        level_steps=np.stack([of_pivots.ends[:-1], of_pivots.ends[1:], of_products.ends[:-1], of_products.ends[1:]], 1),
        sweep_steps=of_sweep.table,
        cost=of_pivots.cost + 2.0 * of_products.cost + 2.0 * of_sweep.cost,
    )


class _Steps(NamedTuple):
    """Items in steps: `table` (steps, kinds, width), `ends` (levels + 1,) the first step of each level."""

    table: np.ndarray
    ends: np.ndarray
    cost: float


def _cut(items: np.ndarray, level: np.ndarray, levels: int, padding: tuple[int, ...], block_size: int) -> _Steps:
    """Lay (kinds, items) sorted by level out in steps of the cheapest width; no step holds two levels."""
    per_level = np.bincount(level, minlength=levels)

    def cost(width: int) -> float:
        step_cost = _STEP_COST + _PRODUCT_COST * _TYPICAL_LANES * block_size**2 * width
        return float(np.ceil(per_level / width).sum() * step_cost)

    width = min(_WIDTHS, key=cost)
    ends = np.concatenate([[0], np.cumsum(-(-per_level // width))])
    within = np.arange(items.shape[1]) - np.repeat(np.cumsum(per_level) - per_level, per_level)
    table = np.empty((int(ends[-1]), items.shape[0], width), dtype=np.int64)
    table[:] = np.array(padding)[None, :, None]
    table[np.repeat(ends[:-1], per_level) + within // width, :, within % width] = items.T
    return _Steps(table, ends, cost(width))
