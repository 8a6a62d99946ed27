import numpy as np
import pytest
from voltherm_kernels.ordering import eliminate

from tests.kernels.patterns import chain, random_graph, random_tree


@pytest.mark.parametrize("slack", [0, 1, 4])
def test_order_is_a_permutation_with_levels_ascending(slack: int):
    rows, columns = random_graph(30, 50, seed=1)
    elimination = eliminate(rows, columns, 30, slack)
    np.testing.assert_array_equal(np.sort(elimination.order), np.arange(30))
    assert np.all(np.diff(elimination.level) >= 0)
    assert np.all(elimination.level[elimination.neighbour] > elimination.level[elimination.pivot])


def test_tree_has_no_fill():
    rows, columns = random_tree(60, seed=2)
    assert eliminate(rows, columns, 60, 0).pivot.size == 59


def test_slack_makes_a_chain_shallow():
    deep, shallow = (eliminate(*chain(128), 128, slack) for slack in (0, 1))
    assert deep.level.max() + 1 >= 60
    assert shallow.level.max() + 1 <= 10
    assert deep.pivot.size == 127
    assert shallow.pivot.size <= 2 * 127


def test_fill_is_that_of_dense_elimination():
    rows, columns = random_graph(20, 30, seed=3)
    elimination = eliminate(rows, columns, 20, 1)
    position = np.argsort(elimination.order)
    present = np.eye(20, dtype=bool)
    present[position[rows], position[columns]] = True
    for pivot in range(20):
        later = np.flatnonzero(present[pivot, pivot + 1 :]) + pivot + 1
        present[np.ix_(later, later)] = True
    found = np.eye(20, dtype=bool)
    found[elimination.pivot, elimination.neighbour] = True
    np.testing.assert_array_equal(found | found.T, present)
