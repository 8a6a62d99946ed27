import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.coolant.cases import NETWORK, loop_network
from voltherm.coolant import BranchGroup, Network


def test_equal_content_is_equal_and_hashes_alike():
    again = loop_network()
    assert again == NETWORK
    assert hash(again) == hash(NETWORK)
    assert loop_network(4) != NETWORK
    assert jax.tree.leaves(NETWORK) == []


def test_numbers_by_name():
    assert NETWORK.nodes[NETWORK.node_index("M1")] == "M1"
    assert NETWORK.branches[NETWORK.branch_index("valve 2")] == "valve 2"
    assert [part.stop - part.start for part in NETWORK.group_slices] == [1, 7, 3, 3]


def test_incidence_is_adjoint():
    rng = np.random.default_rng(0)
    branch, node = jnp.asarray(rng.normal(size=14)), jnp.asarray(rng.normal(size=len(NETWORK.nodes)))
    left = jnp.sum(branch * NETWORK.difference(node))
    right = jnp.sum(NETWORK.gather_at_nodes(branch, -branch) * node)
    np.testing.assert_allclose(left, right, rtol=1e-12)


def _one(branches, nodes=("a", "b"), reference="a"):
    return Network.build(nodes, branches, reference)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: _one([BranchGroup(["p"], ["a"], ["c"])]), "'p' is connected to 'c'"),
        (lambda: _one([BranchGroup(["p"], ["a"], ["a"])]), "starts and ends at node 'a'"),
        (lambda: _one([BranchGroup(["p", "p"], ["a", "a"], ["b", "b"])]), "two branches are called 'p'"),
        (lambda: _one([BranchGroup(["p"], ["a"], ["b"])], nodes=("a", "b", "b")), "two nodes are called 'b'"),
        (lambda: _one([BranchGroup(["p"], ["a"], ["b"])], reference="z"), "reference node 'z'"),
        (
            lambda: _one([BranchGroup(["p"], ["a"], ["b"])], nodes=("a", "b", "c")),
            "no path to a reference node from 'c'",
        ),
        (lambda: BranchGroup(["p", "q"], ["a"], ["b"]), "2 branches has 1 from-nodes"),
    ],
)
def test_mistakes_are_named(build, message):
    with pytest.raises(ValueError, match=message):
        build()
