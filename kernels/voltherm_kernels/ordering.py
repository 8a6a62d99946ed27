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
      pivot.
    """

    order: np.ndarray
    level: np.ndarray
    pivot: np.ndarray
    neighbour: np.ndarray


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
    neighbour = np.array([other for step in by_level for other in fronts[step]], dtype=np.int64)
    return Elimination(
        order=final_order,
        level=level_by_step[by_level],
        pivot=np.repeat(np.arange(size), lengths),
        neighbour=position[neighbour] if neighbour.size else neighbour,
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
