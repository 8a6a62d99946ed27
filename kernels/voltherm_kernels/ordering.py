"""Elimination orders on the graph of a structurally symmetric matrix (host side).

Eliminating node k joins all its remaining neighbours, its front N(k), to each other (fill). An order is judged by what
the factorisation and the two sweeps of a solve cost with blocks of b rows, counted in products of two blocks:

    cost = sum over k of |N(k)|^2  +  2 (1 + 1/b) sum over k of |N(k)|
             products of A_ij         scaling of L and U, two sweeps

`best` tries three rules and takes the cheapest order; one without fill, as of a tree, cannot be beaten and ends the
search.

- Smallest deficiency (Tinney and Walker 1967, Proc. IEEE 55, 1801-1809, their third scheme): of the nodes that would
  make the least fill the one of lowest level in the elimination tree so far.
- Smallest degree, in rounds: nodes of at most `slack` above the smallest degree, an independent set of them at a time.
  `slack = 0` is multiple minimum degree (Liu 1985, ACM TOMS 11, 141-153). `slack >= 1` on a chain removes every second
  node, which is cyclic reduction: log2(n) levels for about twice the work. Only `slack = 0` is tried without being
  asked for, because levels cost nothing in `native`.
- Nested dissection (`dissection.py`), with smallest deficiency inside the parts and the separators; where fronts are
  large, for it never pays elsewhere.

Ties go by node number. The library does the first two in native code; without it the same rules in Python find the same
order.
"""

import ctypes
import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from . import dissection, library
from .graph import Graph, starts

_LARGE_FRONTS = 64  # products per node of an order from which on nested dissection is tried


@dataclass(frozen=True)
class Elimination:
    """A finished symbolic elimination.

    - `order`: (size,) node eliminated at each position.
    - `start`: (size + 1,) where the front of each position starts among all of them.
    - `neighbour`: (fill,) positions of the fronts, ascending in each: one off-diagonal block of the filled lower
      triangle each.
    """

    order: np.ndarray
    start: np.ndarray
    neighbour: np.ndarray

    @property
    def pivot(self) -> np.ndarray:
        """(fill,) the position whose front each neighbour is in."""
        return np.repeat(np.arange(self.order.size), np.diff(self.start))

    @property
    def parent(self) -> np.ndarray:
        """(size,) parent of each position in the elimination tree: the first of its front to be eliminated, or -1."""
        parent = np.full(self.order.size, -1)
        inner = np.flatnonzero(np.diff(self.start))
        parent[inner] = self.neighbour[self.start[inner]]
        return parent


class Order(NamedTuple):
    """Nodes in their order of elimination, and the size of the front that each of them has then: (size,) both."""

    node: np.ndarray
    front_size: np.ndarray

    @property
    def fill(self) -> int:
        """Off-diagonal blocks of the filled lower triangle."""
        return int(self.front_size.sum())

    @property
    def products(self) -> int:
        """Block products of a factorisation."""
        return int((self.front_size.astype(np.int64) ** 2).sum())

    def cost(self, block_size: int) -> float:
        """The cost of the order, in block products."""
        return self.products + 2.0 * (1.0 + 1.0 / block_size) * self.fill


def best(graph: Graph, block_size: int) -> Order:
    """The cheapest order that the rules find."""
    deficiency = by_deficiency(graph, np.zeros(graph.size, dtype=np.int32))
    if deficiency.fill == graph.edges:
        return deficiency
    found = [deficiency, by_degree(graph, 0)]
    if min(order.products for order in found) > _LARGE_FRONTS * graph.size:
        stages = dissection.stages(graph)
        if stages is not None:
            found.append(by_deficiency(graph, stages))
    return min(found, key=lambda order: order.cost(block_size))


def by_degree(graph: Graph, slack: int) -> Order:
    """Smallest degree, in rounds."""
    slack = min(slack, graph.size)
    native = _native(graph, slack, None)
    return _by_degree(graph, slack) if native is None else native


def by_deficiency(graph: Graph, stages: np.ndarray) -> Order:
    """Smallest deficiency, nodes of an earlier stage (size,) first."""
    native = _native(graph, 0, stages)
    return _by_deficiency(graph, stages) if native is None else native


def _native(graph: Graph, slack: int, stages: np.ndarray | None) -> Order | None:
    """What the library finds, if there is one."""
    function = getattr(library.load().library, "voltherm_order", None)
    if function is None:
        return None
    start, neighbour = np.ascontiguousarray(graph.start, np.int64), np.ascontiguousarray(graph.neighbour, np.int32)
    earliest = None if stages is None else np.ascontiguousarray(stages, np.int32)
    order = Order(np.empty(graph.size, np.int32), np.empty(graph.size, np.int32))
    pointer = [None if array is None else array.ctypes.data for array in (start, neighbour, earliest, *order)]
    function.restype = ctypes.c_int64
    function.argtypes = [ctypes.c_int64, *[ctypes.c_void_p] * 2, *[ctypes.c_int64] * 2, *[ctypes.c_void_p] * 3]
    outcome = function(graph.size, *pointer[:2], neighbour.size, slack, *pointer[2:])
    if outcome == 2:
        raise MemoryError(f"no memory left to order {graph.size} nodes")
    if outcome:
        raise ValueError("not a graph: neighbours must ascend, without loops, and every edge stand there twice")
    return order


def _neighbours(graph: Graph) -> list[set[int]]:
    ends, neighbour = graph.start.tolist(), graph.neighbour.tolist()
    return [set(neighbour[first:last]) for first, last in pairwise(ends)]


def _eliminate(adjacent: list[set[int]], level: list[int], node: int) -> None:
    """Join the neighbours of a node to each other and take it out of their lists."""
    front = adjacent[node]
    for other in front:
        adjacent[other] |= front
        adjacent[other] -= {other, node}
        level[other] = max(level[other], level[node] + 1)


def _by_degree(graph: Graph, slack: int) -> Order:
    size, adjacent = graph.size, _neighbours(graph)
    level, order = [0] * size, Order(np.empty(size, np.int32), np.empty(size, np.int32))
    of_degree: list[set[int]] = [set() for _ in range(size)]
    for node in range(size):
        of_degree[len(adjacent[node])].add(node)
    done = 0
    while done < size:
        for node in _independent_subset(adjacent, of_degree, slack):
            front = adjacent[node]
            of_degree[len(front)].remove(node)
            for other in front:
                of_degree[len(adjacent[other])].remove(other)
            _eliminate(adjacent, level, node)
            for other in front:
                of_degree[len(adjacent[other])].add(other)
            order.node[done], order.front_size[done] = node, len(front)
            done += 1
    return order


def _independent_subset(adjacent: list[set[int]], of_degree: list[set[int]], slack: int) -> list[int]:
    """Nodes of nearly smallest degree, no two of them adjacent."""
    smallest = next(degree for degree, nodes in enumerate(of_degree) if nodes)
    chosen: list[int] = []
    blocked: set[int] = set()
    for nodes in of_degree[smallest : smallest + slack + 1]:
        for node in sorted(nodes):
            if node not in blocked:
                chosen.append(node)
                blocked |= adjacent[node]
    return chosen


def _by_deficiency(graph: Graph, stages: np.ndarray) -> Order:
    size, adjacent, stage = graph.size, _neighbours(graph), stages.tolist()
    level, order = [0] * size, Order(np.empty(size, np.int32), np.empty(size, np.int32))

    def deficiency_of(node: int) -> int:
        """Pairs of neighbours that are not neighbours of each other."""
        around = adjacent[node]
        return (len(around) * (len(around) - 1) - sum(len(around & adjacent[one]) for one in around)) // 2

    deficiency = [deficiency_of(node) for node in range(size)]
    current = [(stage[node], deficiency[node], 0, node) for node in range(size)]
    queue = current.copy()
    heapq.heapify(queue)
    done = 0
    while done < size:
        least = heapq.heappop(queue)
        node = least[3]
        if least != current[node]:
            continue  # an older key of the node
        current[node] = (-1, 0, 0, node)
        front = adjacent[node]
        changed: Iterable[int] = front
        if deficiency[node] == 0:
            _eliminate(adjacent, level, node)
            for one in front:
                # It loses the pairs of this node and whatever that was not joined to.
                deficiency[one] -= len(adjacent[one]) - (len(front) - 1)
        else:
            # Every new edge is one pair less to fill for whoever is a neighbour of both its ends.
            affected = set(front)
            for one in front:
                for two in front - adjacent[one]:
                    if one < two:
                        common = adjacent[one] & adjacent[two]
                        affected |= common
                        for other in common:
                            deficiency[other] -= 1
            _eliminate(adjacent, level, node)
            for one in front:
                deficiency[one] = deficiency_of(one)
            changed = affected - {node}
        for other in changed:
            key = (stage[other], deficiency[other], level[other], other)
            if key != current[other]:
                current[other] = key
                heapq.heappush(queue, key)
        order.node[done], order.front_size[done] = node, len(front)
        done += 1
    return order


def eliminate(graph: Graph, order: np.ndarray) -> Elimination:
    """Carry an elimination out symbolically, with positions numbered anew level by level.

    A level of the elimination tree then is one contiguous stretch of the diagonal.
    """
    size = graph.size
    place = np.empty(size, dtype=np.int64)
    place[order] = np.arange(size)
    node, neighbour = place[graph.node], place[graph.neighbour]
    low, high = node[node < neighbour], neighbour[node < neighbour]
    high = high[np.argsort(low, kind="stable")].tolist()
    first = starts(low, size).tolist()
    members: list[int] = []  # of all fronts, one after the other
    start = [0]
    # A front passes on to the first of its nodes. Those that a node gets are chained: the youngest, then what is older.
    parent, youngest, older = [-1] * size, [-1] * size, [-1] * size
    for step in range(size):
        front = set(high[first[step] : first[step + 1]])
        child = youngest[step]
        while child >= 0:
            front.update(members[start[child] : start[child + 1]])
            child = older[child]
        front.discard(step)
        if front:
            members += sorted(front)
            above = parent[step] = members[start[step]]
            older[step], youngest[above] = youngest[above], step
        start.append(len(members))

    by_level = np.argsort(levels(np.array(parent)), kind="stable")
    position = np.empty(size, dtype=np.int64)
    position[by_level] = np.arange(size)
    sizes = np.diff(start)
    keys = np.sort(np.repeat(position, sizes) * size + position[np.array(members, dtype=np.int64)])
    return Elimination(
        order=np.asarray(order, dtype=np.int64)[by_level],
        start=np.concatenate([[0], np.cumsum(sizes[by_level])]),
        neighbour=keys % size,
    )


def levels(parent: np.ndarray) -> np.ndarray:
    """(size,) level of each position: one above the highest of its children (which stand before their parents)."""
    level = [0] * parent.size
    for position, above in enumerate(parent.tolist()):
        if above >= 0:
            level[above] = max(level[above], level[position] + 1)
    return np.array(level, dtype=np.int64)


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
