"""Topology: names, incidence, mistakes, hashing."""

import jax
import pytest

from tests.power.cases import network_of
from voltherm.power import Network


def test_indices_follow_names():
    network = network_of([(0, 1), (2, 1)], 3, slack=(1,))
    assert network.bus_index("b2") == 2
    assert network.branch_index("l1") == 1
    assert network.from_bus.tolist() == [0, 2]
    assert network.to_bus.tolist() == [1, 1]
    with pytest.raises(KeyError, match="no bus 'b9'"):
        network.bus_index("b9")
    with pytest.raises(KeyError, match="no branch 'l9'"):
        network.branch_index("l9")


def test_every_mistake_is_listed_by_name():
    with pytest.raises(ValueError, match="bus 'a' is defined twice") as error:
        Network.build(
            ["a", "a", "b"], [1e3, 1e3, -1.0], [("x", "a", "c"), ("x", "b", "b")], ["d"], ["e"], base_power=0.0
        )
    for part in (
        "branch 'x' is defined twice",
        "bus 'b': base voltage -1.0 V must be positive",
        "branch 'x': unknown bus 'c'",
        "connects bus 'b' to itself",
        "unknown slack bus 'd'",
        "unknown voltage-controlled bus 'e'",
        "base power 0.0 VA must be positive",
    ):
        assert part in str(error.value)


def test_a_network_needs_a_slack_and_distinct_roles():
    with pytest.raises(ValueError, match="no slack bus"):
        network_of([(0, 1)], 2, slack=())
    with pytest.raises(ValueError, match="'b0' is both slack and voltage controlled"):
        network_of([(0, 1)], 2, voltage_controlled=(0,))
    with pytest.raises(ValueError, match="1 buses but 2 base voltages"):
        Network.build(["a"], [1e3, 1e3], [], ["a"])


def test_equal_networks_share_a_compilation():
    first, second, other = (network_of(edges, 3) for edges in ([(0, 1), (1, 2)], [(0, 1), (1, 2)], [(0, 1), (0, 2)]))
    assert first == second
    assert hash(first.topology) == hash(second.topology)
    assert first.topology != other.topology
    assert jax.tree.leaves(first) == []
    assert "3 buses" in repr(first.topology)
