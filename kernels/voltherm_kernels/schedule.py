"""The schedule: everything about a sparse factorisation that depends on the pattern alone, as arrays.

With the filled pattern split into unit lower L, block diagonal D and unit upper U,

    A = (I + L) D (I + U)

the right-looking elimination of pivot k with front N(k) (its neighbours that are eliminated later) is

    A_ij <- A_ij - A_ik D_k^-1 A_kj        for all i, j in N(k)

and afterwards L_ik = A_ik D_k^-1, U_kj = D_k^-1 A_kj for all k at once. Pivots of one level of the elimination tree
do not touch each other; positions are numbered level by level.

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
from functools import cached_property

import numpy as np

from . import cache
from .graph import graph_of
from .ordering import Elimination, best, by_degree, eliminate, levels, postorder
from .steps import Steps, cut


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
    front_start: np.ndarray  # (size + 1,) number m of the first block of each pivot's front, and past the last
    level: np.ndarray  # (size,) level of each position in the elimination tree, ascending
    parent: np.ndarray  # (size,) parent in the elimination tree: smallest position in the front, -1 at a root
    postorder: np.ndarray  # (size,) positions k in a postorder of the elimination tree: every subtree is contiguous

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

    @property
    def is_tree(self) -> bool:
        """Whether no front has two nodes: the pattern is a tree, or several, and its factors have no fill."""
        return bool(np.all(np.diff(self.front_start) <= 1))

    @cached_property
    def product_target(self) -> np.ndarray:
        """(products,) slot of A_ij, for every pivot in order, all i of its front and all j of its front."""
        return _frozen(self._products[3])

    @cached_property
    def pivot_steps(self) -> np.ndarray:
        """(pivot steps, 1, width) diagonal slots to invert."""
        return _frozen(self._pivots_cut.table)

    @cached_property
    def product_steps(self) -> np.ndarray:
        """(product steps, 4, width) slots of A_ik, D_k, A_kj and of the target A_ij."""
        return _frozen(self._products_cut.table)

    @cached_property
    def level_steps(self) -> np.ndarray:
        """(levels, 4) first and past-last pivot step, first and past-last product step."""
        pivots, products = self._pivots_cut.ends, self._products_cut.ends
        return _frozen(np.stack([pivots[:-1], pivots[1:], products[:-1], products[1:]], axis=1))

    @cached_property
    def sweep_steps(self) -> np.ndarray:
        """(sweep steps, 3, width) number of an off-diagonal block, k, i."""
        items = np.stack([np.arange(self.fill), self.fill_pivot, self.fill_neighbour])
        padding = (self.fill, self.size, self.size)
        return _frozen(cut(items, self.level[self.fill_pivot], self.levels, padding, self.block_size).table)

    @cached_property
    def _pivots_cut(self) -> Steps:
        return cut(np.arange(self.size)[None], self.level, self.levels, (self.identity_slot,), self.block_size)

    @cached_property
    def _products_cut(self) -> Steps:
        products = self._products
        padding = (self.zero_slot, self.identity_slot, self.zero_slot, self.zero_slot)
        return cut(products, self.level[products[1]], self.levels, padding, self.block_size)

    @property
    def _products(self) -> np.ndarray:
        """(4, products) slots of A_ik, D_k, A_kj and A_ij: every ordered pair of one front."""
        start, pivot, neighbour = (
            array.astype(np.int64) for array in (self.front_start, self.fill_pivot, self.fill_neighbour)
        )
        front = np.diff(start)[pivot]
        ends = np.cumsum(front)
        first = np.repeat(np.arange(self.fill), front)
        second = np.arange(first.size) - np.repeat(ends - front - start[pivot], front)
        target = neighbour[first]
        upper = np.flatnonzero(first < second)
        number = _numbers(pivot, neighbour, target[upper], neighbour[second[upper]], self.size)
        target[upper] = self.size + self.fill + number
        # The mirrored pair stands in row j and column i of the same square.
        row, column = first[upper], second[upper]
        mirrored = (ends - front)[column] + row - start[pivot[row]]
        target[mirrored] = self.size + number
        return np.stack([self.size + first, pivot[first], self.size + self.fill + second, target])


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
    header = f"voltherm_kernels 2,{size},{block_size},{slack},{rows.size}".encode()
    digest = hashlib.sha256(header + rows.tobytes() + columns.tobytes()).hexdigest()
    graph = graph_of(rows, columns, size)
    elimination = cache.read(digest, graph)
    if elimination is None:
        order = best(graph, block_size) if slack is None else by_degree(graph, slack)
        elimination = eliminate(graph, order.node)
        cache.write(digest, elimination)
    return _schedule(rows, columns, block_size, digest, elimination)


def _schedule(
    rows: np.ndarray, columns: np.ndarray, block_size: int, digest: str, elimination: Elimination
) -> Schedule:
    size = elimination.order.size
    position = np.empty(size, dtype=np.int64)
    position[elimination.order] = np.arange(size)
    level = levels(elimination.parent)
    arrays = {
        "rows": rows,
        "columns": columns,
        "order": elimination.order,
        "position": position,
        "entry_slot": _slots(elimination, position[rows], position[columns]),
        "fill_pivot": elimination.pivot,
        "fill_neighbour": elimination.neighbour,
        "front_start": elimination.start,
        "level": level,
        "parent": elimination.parent,
        "postorder": postorder(elimination.parent),
    }
    return Schedule(
        size=size,
        block_size=block_size,
        entries=int(rows.size),
        levels=int(level[-1]) + 1,
        fill=int(elimination.neighbour.size),
        products=int((np.diff(elimination.start) ** 2).sum()),
        digest=digest,
        **{name: _frozen(array) for name, array in arrays.items()},
    )


def _frozen(array: np.ndarray) -> np.ndarray:
    array = np.ascontiguousarray(array, dtype=np.int32)
    array.setflags(write=False)
    return array


def _indices(name: str, given: np.ndarray | Sequence[int], size: int) -> np.ndarray:
    array = np.asarray(given)
    if array.ndim != 1:
        raise ValueError(f"{name} must be 1-D, not of the shape {array.shape}")
    if array.size and not np.issubdtype(array.dtype, np.integer):
        raise ValueError(f"{name} must be integers, not {array.dtype}")
    if array.size and size > 0 and (array.min() < 0 or array.max() >= size):
        raise ValueError(f"{name} must lie in 0 .. {size - 1}; found {array.min()} .. {array.max()}")
    return array.astype(np.int64)


def _numbers(pivot: np.ndarray, neighbour: np.ndarray, low: np.ndarray, high: np.ndarray, size: int) -> np.ndarray:
    """Numbers of the off-diagonal blocks at positions low < high; all must lie in the filled pattern."""
    return np.searchsorted(pivot * size + neighbour, low * size + high)


def _slots(elimination: Elimination, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Slots of the blocks at two positions each."""
    size, fill = elimination.order.size, elimination.neighbour.size
    slots = row.copy()
    off = np.flatnonzero(row != column)
    low, high = np.minimum(row, column)[off], np.maximum(row, column)[off]
    number = _numbers(elimination.pivot, elimination.neighbour, low, high, size)
    slots[off] = size + number + np.where(row[off] > column[off], 0, fill)
    return slots
