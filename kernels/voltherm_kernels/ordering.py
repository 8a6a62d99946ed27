"""Elimination orders on the graph of a structurally symmetric matrix (host side, numpy).

Eliminating node k joins all its remaining neighbours to each other (fill). Two things are wanted at once: little fill,
and a shallow elimination tree, because the levels of that tree are what an accelerator has to walk one after the other.

Both come from one greedy rule, run in rounds:

    candidates = nodes with degree <= smallest degree + slack
    chosen     = an independent subset of the candidates, smallest degree first
    eliminate all chosen nodes (they are at most one level above what they touch)

`slack = 0` is multiple minimum degree (Liu 1985, ACM TOMS 11, 141-153): on a tree only leaves are chosen and there is
no fill. `slack >= 1` on a chain removes every second node, which is cyclic reduction: log2(n) levels for about twice
the work.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Elimination:
    """A finished symbolic elimination.

    - `order`: (size,) node eliminated at each position.
    - `level`: (size,) level of each position; a position depends on lower levels only.
    - `pivot`, `neighbour`: (fill,) positions of the filled lower triangle, one pair per off-diagonal block, sorted by
      pivot,
      then by neighbour.
    """

    order: np.ndarray
    level: np.ndarray
    pivot: np.ndarray
    neighbour: np.ndarray

    @property
    def front_start(self) -> np.ndarray:
        """(size + 1,) where the front of each position starts among the pairs."""
        sizes = np.bincount(self.pivot, minlength=self.order.size)
        return np.concatenate([[0], np.cumsum(sizes)])

    @property
    def parent(self) -> np.ndarray:
        """(size,) parent of each position in the elimination tree: the first of its front to be eliminated, or -1."""
        start = self.front_start
        parent = np.full(self.order.size, -1)
        inner = start[:-1] < start[1:]
        parent[inner] = self.neighbour[start[:-1][inner]]
        return parent


def eliminate(rows: np.ndarray, columns: np.ndarray, size: int, slack: int) -> Elimination:
    """Choose an order with the given slack and carry the elimination out symbolically."""
    adjacent: list[set[int]] = [set() for _ in range(size)]
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        if row != column:
            adjacent[row].add(column)
            adjacent[column].add(row)

    level_of_node = [0] * size
    order: list[int] = []
    fronts: list[list[int]] = []
    by_degree: list[set[int]] = [set() for _ in range(size)]
    for node in range(size):
        by_degree[len(adjacent[node])].add(node)
    while len(order) < size:
        for node in _independent_subset(adjacent, by_degree, slack):
            front = adjacent[node]
            by_degree[len(front)].remove(node)
            order.append(node)
            fronts.append(list(front))
            for other in front:
                by_degree[len(adjacent[other])].remove(other)
                adjacent[other] |= front
                adjacent[other] -= {other, node}
                by_degree[len(adjacent[other])].add(other)
                level_of_node[other] = max(level_of_node[other], level_of_node[node] + 1)

    # Positions are numbered level by level, so that one level is one contiguous stretch of the diagonal.
    level_by_step = np.array([level_of_node[node] for node in order], dtype=np.int64)
    by_level = np.argsort(level_by_step, kind="stable")
    final_order = np.array(order, dtype=np.int64)[by_level]
    position = np.empty(size, dtype=np.int64)
    position[final_order] = np.arange(size)
    lengths = np.array([len(fronts[step]) for step in by_level], dtype=np.int64)
    pivot = np.repeat(np.arange(size), lengths)
    neighbour = position[np.array([other for step in by_level for other in fronts[step]], dtype=np.int64)]
    return Elimination(
        order=final_order,
        level=level_by_step[by_level],
        pivot=pivot,
        neighbour=neighbour[np.lexsort((neighbour, pivot))],
    )


def _independent_subset(adjacent: list[set[int]], by_degree: list[set[int]], slack: int) -> list[int]:
    """Nodes of nearly smallest degree, no two of them adjacent; ties go by node number."""
    smallest = next(degree for degree, nodes in enumerate(by_degree) if nodes)
    chosen: list[int] = []
    blocked: set[int] = set()
    for nodes in by_degree[smallest : smallest + slack + 1]:
        for node in sorted(nodes):
            if node not in blocked:
                chosen.append(node)
                blocked |= adjacent[node]
    return chosen


def postorder(parent: np.ndarray) -> np.ndarray:
    """Positions in a postorder of the elimination tree (parents stand behind their children in `parent`).

    Every subtree is contiguous and ends with its root, so that a walk finds what it needs where it has just been.
    """
    size = parent.size
    above = parent.tolist()
    below = [1] * size  # nodes of each subtree
    for position in range(size):
        if above[position] >= 0:
            below[above[position]] += below[position]
    place = [0] * size
    end = [0] * size + [size]  # first taken place behind the subtrees still to be set; the last entry is for roots
    for position in range(size - 1, -1, -1):
        root = end[above[position]]
        place[position] = root - 1
        end[above[position]] = root - below[position]
        end[position] = root - 1
    order = np.empty(size, dtype=np.int64)
    order[place] = np.arange(size)
    return order
