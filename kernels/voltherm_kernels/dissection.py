"""Nested dissection: separators found by distance, for the graph of a symmetric pattern (host side, numpy).

A part of the graph is cut at a threshold of a field that varies slowly over it, here the distance from a node a at one
end, from a node b at the other, and the difference of the two:

    separator(c) = nodes with field <= c that have a neighbour with field > c

Of all fields and thresholds the one is taken with the smallest ratio of the nodes in the separator to the product of
the nodes on its two sides. What is left falls into parts that are cut again until they are small. All parts are worked
on together, so that the time depends on how far they reach and not on how many they are.

George, J. A. (1973), SIAM J. Numer. Anal. 10, 345-363; separators from level structures: George and Liu (1978), SIAM
J. Numer. Anal. 15, 1053-1069.
"""

from typing import NamedTuple

import numpy as np

from .graph import Graph

_SMALL = 100  # nodes of a part that is left whole: smallest deficiency alone orders it as well
_FARTHEST = 2000  # steps of a search from end to end; in a graph so long and thin separators are tiny anyway


def stages(graph: Graph) -> np.ndarray | None:
    """(size,) when each node may go: 0 inside the last parts, later in separators, last in the first of them.

    None where there is nothing to cut, or the graph is too long and thin for this to be worth its time.
    """
    found = np.full(graph.size, -1)  # round in which a node became part of a separator
    rounds = 0
    while True:
        label = graph.components()
        large = (np.bincount(label, minlength=graph.size)[label] > _SMALL) & (found < 0)
        separator = _separators(graph, label, large)
        if separator is None:
            return None
        if separator.size == 0:
            break
        found[separator] = rounds
        rounds += 1
        graph = graph.without(found >= 0)
    return np.where(found >= 0, rounds - found, 0).astype(np.int32) if rounds else None


def _separators(graph: Graph, label: np.ndarray, large: np.ndarray) -> np.ndarray | None:
    """Nodes of one separator in every large part that has one; None if a part is too long."""
    parts, first, of_large = np.unique(label[large], return_index=True, return_inverse=True)
    if parts.size == 0:
        return parts
    nodes = np.flatnonzero(large)
    part = np.full(graph.size, -1)
    part[nodes] = of_large
    # The node farthest from any node lies at an end; the one farthest from that, at the other.
    roots, distances = nodes[first], []
    for _ in range(3):
        distance = graph.distances(roots, _FARTHEST)
        if distance is None:
            return None
        distances.append(distance)
        by_distance = nodes[np.lexsort((-nodes, distance[nodes], of_large))]
        roots = by_distance[np.cumsum(np.bincount(of_large)) - 1]
    fields = (distances[1], distances[2], distances[1] - distances[2])
    highest = [graph.highest(field) for field in fields]
    cuts = [_cut(field[nodes], above[nodes], of_large) for field, above in zip(fields, highest, strict=True)]
    best = np.argmin([cut.ratio for cut in cuts], axis=0)
    threshold = np.choose(best, [cut.threshold for cut in cuts])[of_large]
    possible = np.isfinite(np.min([cut.ratio for cut in cuts], axis=0))[of_large]
    below = np.choose(best[of_large], [field[nodes] for field in fields]) <= threshold
    above = np.choose(best[of_large], [field[nodes] for field in highest]) > threshold
    return nodes[possible & below & above]


class _Cut(NamedTuple):
    """For each part the best threshold, and its ratio (infinite where no threshold leaves two sides)."""

    ratio: np.ndarray
    threshold: np.ndarray


def _cut(field: np.ndarray, highest: np.ndarray, part: np.ndarray) -> _Cut:
    """Thresholds compared, from the field at every node, at its highest neighbour, and the node's part."""
    lowest, most = np.full(int(part.max()) + 1, field.max()), np.full(int(part.max()) + 1, field.min())
    np.minimum.at(lowest, part, field)
    np.maximum.at(most, part, field)
    # One counter for every threshold of every part.
    counters = most - lowest + 1
    ends = np.cumsum(counters)
    first = (ends - counters)[part] - lowest[part]
    entering = np.bincount(first + field, minlength=ends[-1])
    # A node is in the separator from its own threshold until that of its highest neighbour.
    separator = np.cumsum(entering - np.bincount(first + highest, minlength=ends[-1]))
    until = np.cumsum(entering)
    of_part = np.repeat(np.arange(counters.size), counters)
    before = np.concatenate([[0], until[ends[:-1] - 1]])[of_part]
    below = until - before - separator
    above = until[ends - 1][of_part] - until
    ratio = np.full(ends[-1], np.inf)
    sides = (below > 0) & (above > 0)
    ratio[sides] = separator[sides] / (below[sides].astype(float) * above[sides])
    best = np.lexsort((ratio, of_part))[ends - counters]
    return _Cut(ratio[best], best - (ends - counters) + lowest)
