import numpy as np
import pytest
from hypothesis import given, settings, strategies
from voltherm_kernels import dissection, library
from voltherm_kernels.graph import Graph, graph_of
from voltherm_kernels.ordering import best, by_deficiency, by_degree, eliminate, levels, postorder

from tests.kernels.patterns import chain, grid, random_graph, random_tree

WITHOUT_LIBRARY = library.Loaded(None, "not built")


def _all_at_once(size: int) -> np.ndarray:
    return np.zeros(size, dtype=np.int32)


def _dense_fill(graph: Graph, order: np.ndarray) -> np.ndarray:
    """The filled pattern, found by eliminating a dense matrix of truth values."""
    position = np.argsort(order)
    present = np.eye(graph.size, dtype=bool)
    present[position[graph.node], position[graph.neighbour]] = True
    for pivot in range(graph.size):
        later = np.flatnonzero(present[pivot, pivot + 1 :]) + pivot + 1
        present[np.ix_(later, later)] = True
    return present


@settings(max_examples=25, deadline=None)
@given(size=strategies.integers(1, 24), edges=strategies.integers(0, 60), seed=strategies.integers(0, 999))
def test_every_rule_gives_an_elimination_of_the_graph(size: int, edges: int, seed: int):
    graph = graph_of(*random_graph(size, edges, seed), size)
    stages = np.random.default_rng(seed).integers(0, 3, size).astype(np.int32)
    orders = [by_degree(graph, slack) for slack in (0, 1, 4)]
    orders += [by_deficiency(graph, stages), best(graph, 2)]
    for order in orders:
        np.testing.assert_array_equal(np.sort(order.node), np.arange(size))
        found = eliminate(graph, order.node)
        lower = np.eye(size, dtype=bool)
        lower[found.pivot, found.neighbour] = True
        np.testing.assert_array_equal(lower | lower.T, _dense_fill(graph, found.order))
        assert (order.fill, order.products) == (found.neighbour.size, int((np.diff(found.start) ** 2).sum()))
        assert np.all(np.diff(levels(found.parent)) >= 0)
    np.testing.assert_array_equal(stages[orders[3].node], np.sort(stages))


@pytest.mark.skipif(library.load().library is None, reason=library.load().why_not or "built")
@settings(max_examples=40, deadline=None)
@given(
    size=strategies.integers(1, 60),
    edges=strategies.integers(0, 150),
    slack=strategies.integers(0, 5),
    seed=strategies.integers(0, 999),
)
def test_python_finds_the_order_of_native_code(size: int, edges: int, slack: int, seed: int):
    generator = np.random.default_rng(seed)
    rows, columns = random_graph(size, edges, seed)
    hub = np.full(size // 2, size - 1), np.arange(size // 2)  # one node with far more neighbours than the others
    graph = graph_of(np.concatenate([rows, hub[0]]), np.concatenate([columns, hub[1]]), size)
    stages = generator.integers(0, 1 + seed % 3, size).astype(np.int32)
    native = by_degree(graph, slack), by_deficiency(graph, stages), by_deficiency(graph, _all_at_once(size))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(library, "load", lambda: WITHOUT_LIBRARY)
        plain = by_degree(graph, slack), by_deficiency(graph, stages), by_deficiency(graph, _all_at_once(size))
    for one, other in zip(native, plain, strict=True):
        np.testing.assert_array_equal(one.node, other.node)
        np.testing.assert_array_equal(one.front_size, other.front_size)


@pytest.mark.skipif(library.load().library is None, reason=library.load().why_not or "built")
@pytest.mark.parametrize(
    ("start", "neighbour"),
    [
        ([0, 1, 2], [1, 2]),
        ([0, 1, 2], [1, -1]),
        ([0, 1, 2], [0, 0]),
        ([0, 2, 1], [1, 0]),
        ([1, 1, 2], [1, 0]),
        ([0, 1, 3], [1, 0]),
        ([0, 2, 3], [1, 1, 0]),
        ([0, 1, 1], [1]),
    ],
)
def test_native_code_refuses_what_is_no_graph(start: list[int], neighbour: list[int]):
    with pytest.raises(ValueError, match="not a graph"):
        by_degree(Graph(np.array(start), np.array(neighbour, dtype=np.int32)), 0)


@pytest.mark.parametrize("rule", [lambda graph: by_degree(graph, 0), lambda graph: best(graph, 1)])
def test_tree_has_no_fill(rule):
    for rows, columns in (random_tree(60, seed=2), chain(60), (np.zeros(60, dtype=np.int64), np.arange(60))):
        order = rule(graph_of(rows, columns, 60))
        assert order.fill == 59
        assert order.front_size.max() == 1


def test_slack_makes_a_chain_shallow():
    graph = graph_of(*chain(128), 128)
    deep, shallow = (eliminate(graph, by_degree(graph, slack).node) for slack in (0, 1))
    assert levels(deep.parent)[-1] + 1 >= 60
    assert levels(shallow.parent)[-1] + 1 <= 10
    assert deep.neighbour.size == 127
    assert shallow.neighbour.size <= 2 * 127


def test_deficiency_beats_degree_on_meshes():
    for side in (12, 20):
        graph = graph_of(*grid(side, side), side**2)
        assert by_deficiency(graph, _all_at_once(side**2)).products < by_degree(graph, 0).products


def test_dissection_beats_deficiency_where_fronts_are_large():
    size = 12**3
    node = np.arange(size).reshape(12, 12, 12)
    ends = [(node[:-1], node[1:]), (node[:, :-1], node[:, 1:]), (node[:, :, :-1], node[:, :, 1:])]
    graph = graph_of(*(np.concatenate([each.ravel() for each in side]) for side in zip(*ends, strict=True)), size)
    plain = by_deficiency(graph, _all_at_once(size))
    assert best(graph, 1).products < 0.8 * plain.products


def test_stages_separate():
    graph = graph_of(*grid(25, 30), 750)
    stages = dissection.stages(graph)
    assert stages is not None
    left = graph.without(stages > 0).components()
    assert np.bincount(left[stages == 0]).max() <= 100
    assert np.count_nonzero(stages) < 250
    # Two neighbours of one stage belong to the same separator: parts of that stage touch later ones only.
    top = stages == stages.max()
    assert np.unique(graph.without(top).components()[~top]).size == 2


def test_nothing_to_cut_has_no_stages():
    assert dissection.stages(graph_of(*chain(50), 50)) is None
    everyone = np.repeat(np.arange(150), 150), np.tile(np.arange(150), 150)
    assert dissection.stages(graph_of(*everyone, 150)) is None
    assert dissection.stages(graph_of(*chain(5000), 5000)) is None


def test_components_and_distances():
    graph = graph_of(np.array([0, 1, 5, 6, 3]), np.array([1, 2, 6, 5, 3]), 8)
    np.testing.assert_array_equal(graph.components(), [0, 0, 0, 3, 4, 5, 5, 7])
    np.testing.assert_array_equal(graph.distances(np.array([2, 5]), 9), [2, 1, 0, -1, -1, 0, 1, -1])
    assert graph.distances(np.array([2]), 2) is None
    generator = np.random.default_rng(1)
    chain_of_any_numbers = generator.permutation(3000)
    graph = graph_of(chain_of_any_numbers[:-1], chain_of_any_numbers[1:], 3000)
    np.testing.assert_array_equal(graph.components(), np.zeros(3000))


@pytest.mark.parametrize("seed", range(5))
def test_postorder_keeps_subtrees_together(seed: int):
    graph = graph_of(*random_graph(40, 30 + 10 * seed, seed), 40)
    parent = eliminate(graph, best(graph, 1).node).parent
    order = postorder(parent)
    np.testing.assert_array_equal(np.sort(order), np.arange(40))
    place = np.argsort(order)
    below = np.ones(40, dtype=np.int64)
    for position in range(40):
        if parent[position] >= 0:
            assert place[position] < place[parent[position]]
            below[parent[position]] += below[position]
    # A subtree of m nodes takes the m places up to that of its root.
    first = place - below + 1
    children = parent >= 0
    assert np.all(first[children] >= first[parent[children]])
