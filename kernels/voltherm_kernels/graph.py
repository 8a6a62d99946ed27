"""The graph of a pattern: which block rows are joined by an off-diagonal entry, in either direction (numpy)."""

from typing import NamedTuple

import numpy as np


class Graph(NamedTuple):
    """A graph without loops: the neighbours of node k, ascending, are `neighbour[start[k]:start[k + 1]]`."""

    start: np.ndarray
    neighbour: np.ndarray

    @property
    def size(self) -> int:
        """Number of nodes."""
        return self.start.size - 1

    @property
    def edges(self) -> int:
        """Number of edges, each counted once."""
        return self.neighbour.size // 2

    @property
    def degree(self) -> np.ndarray:
        """(size,) neighbours of each node."""
        return np.diff(self.start)

    @property
    def node(self) -> np.ndarray:
        """(2 edges,) the node whose neighbour each one is."""
        return np.repeat(np.arange(self.size), self.degree)

    def without(self, removed: np.ndarray) -> "Graph":
        """The same nodes without the edges of those `removed` (size,)."""
        node = self.node
        kept = ~(removed[node] | removed[self.neighbour])
        return Graph(starts(node[kept], self.size), self.neighbour[kept])

    def highest(self, values: np.ndarray) -> np.ndarray:
        """(size,) the largest value of each node and its neighbours."""
        return self._extreme(np.maximum, values)

    def lowest(self, values: np.ndarray) -> np.ndarray:
        """(size,) the smallest value of each node and its neighbours."""
        return self._extreme(np.minimum, values)

    def _extreme(self, function: np.ufunc, values: np.ndarray) -> np.ndarray:
        found = values.copy()
        joined = np.flatnonzero(self.degree)
        if joined.size:
            found[joined] = function(values[joined], function.reduceat(values[self.neighbour], self.start[joined]))
        return found

    def components(self) -> np.ndarray:
        """(size,) the smallest node that each node is connected with."""
        label = np.arange(self.size)
        while True:
            # Every label moves to the smallest that one of its nodes can see, then to where that one has moved.
            moved = label.copy()
            np.minimum.at(moved, label, self.lowest(label))
            while np.any(moved[moved] != moved):
                moved = moved[moved]
            moved = moved[label]
            if np.array_equal(moved, label):
                return label
            label = moved

    def distances(self, roots: np.ndarray, farthest: int) -> np.ndarray | None:
        """(size,) steps from the nearest of some nodes, -1 where none is; None if some node is `farthest` or more."""
        distance = np.full(self.size, -1)
        distance[roots] = 0
        front, degree = roots, self.degree
        for step in range(1, farthest):
            counts = degree[front]
            ends = np.cumsum(counts)
            within = np.arange(ends[-1]) - np.repeat(ends - counts, counts)
            reached = self.neighbour[np.repeat(self.start[front], counts) + within]
            front = np.unique(reached[distance[reached] < 0])
            if front.size == 0:
                return distance
            distance[front] = step
        return None


def graph_of(rows: np.ndarray, columns: np.ndarray, size: int) -> Graph:
    """The graph of the off-diagonal entries; duplicates count once."""
    off = rows != columns
    row, column = rows[off], columns[off]
    keys = np.sort(np.concatenate([row * size + column, column * size + row]))
    node, neighbour = np.divmod(keys[np.diff(keys, prepend=-1) != 0], size)
    return Graph(starts(node, size), neighbour.astype(np.int32))


def starts(group: np.ndarray, groups: int) -> np.ndarray:
    """Where the stretch of every group starts when items are sorted by group; one more for the end."""
    return np.concatenate([[0], np.cumsum(np.bincount(group, minlength=groups))])


class Triangle(NamedTuple):
    """The fill of a symmetric elimination: its numbers (pivot, neighbour) sorted, and where products go.

    `start` (size + 1,): of every pivot's front. `key` (fill,): pivot * size + neighbour, rising. `target`: number of
    the pair (i, j) for every pivot in order and all i before j of its front.
    """

    start: np.ndarray
    neighbour: np.ndarray
    key: np.ndarray
    target: np.ndarray


def triangle(pivot: np.ndarray, neighbour: np.ndarray, size: int) -> Triangle:
    """Sorts pairs of positions, pivot first, and finds the targets of their products."""
    pivot, neighbour = pivot.astype(np.int64), neighbour.astype(np.int64)
    in_order = np.lexsort((neighbour, pivot))
    pivot, neighbour = pivot[in_order], neighbour[in_order]
    start, key = starts(pivot, size), pivot * size + neighbour
    # beside every number of a front those that follow it there
    following = start[pivot + 1] - np.arange(pivot.size) - 1
    first = np.repeat(np.arange(pivot.size), following)
    second = first + 1 + np.arange(first.size) - np.repeat(np.cumsum(following) - following, following)
    return Triangle(start, neighbour, key, np.searchsorted(key, neighbour[first] * size + neighbour[second]))
