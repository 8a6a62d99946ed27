"""Reach of the sources and start values."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.power.cases import network_of
from voltherm.power.island import levels, supplied, vector_groups


@pytest.mark.parametrize("more", [(), ((0, 1),)], ids=["tree", "double circuit"])
def test_reach_follows_closed_branches(more):
    network = network_of([(0, 1), (1, 2), (3, 2), (3, 4), *more], 5)
    cases = jnp.array([[1.0, 1.0, 1.0, 1.0], [1.0, 0.0, 1.0, 1.0], [0.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 0.0]])
    cases = jnp.concatenate([cases, jnp.zeros((4, len(more)))], axis=1)
    reached = jax.jit(jax.vmap(lambda closed: supplied(network, closed)))(cases)
    np.testing.assert_array_equal(
        reached, [[True] * 5, [True, True, False, False, False], [True] + [False] * 4, [True] * 4 + [False]]
    )


def test_another_way_round_a_ring():
    network = network_of([(0, 1), (1, 2), (2, 3), (3, 0)], 4)
    assert bool(supplied(network, jnp.array([0.0, 1.0, 1.0, 1.0])).all())
    np.testing.assert_array_equal(supplied(network, jnp.array([0.0, 0.0, 1.0, 1.0])), [True, False, True, True])


def test_two_sources_hold_two_islands():
    network = network_of([(0, 1), (1, 2)], 3, slack=(0, 2))
    assert bool(supplied(network, jnp.array([1.0, 0.0])).all())


def test_a_bus_without_branches_is_not_reached():
    network = network_of([(0, 1)], 3)
    np.testing.assert_array_equal(supplied(network, jnp.ones(1)), [True, True, False])
    np.testing.assert_array_equal(levels(network, jnp.ones((1, 1)), jnp.ones((3, 1)))[:, 0], [1.0, 0.0, 0.0])


def test_levels_fall_along_the_path_from_a_source():
    network = network_of([(0, 1), (2, 1), (2, 3)], 4)
    drop = jnp.array([[np.pi / 6, 0.05], [np.pi / 6, -0.02], [0.0, 0.1]])
    level = levels(network, drop, jnp.array([[0.1, 0.2], [9.0, 9.0], [9.0, 9.0], [9.0, 9.0]]))
    np.testing.assert_allclose(level, [[0.1, 0.2], [0.1 - np.pi / 6, 0.15], [0.1, 0.13], [0.1, 0.03]], atol=1e-15)


def test_levels_at_the_end_of_a_long_chain():
    network = network_of([(bus, bus + 1) for bus in range(99)], 100)
    level = levels(network, jnp.arange(99.0)[:, None], jnp.zeros((100, 1)))
    np.testing.assert_allclose(level[:, 0], -np.concatenate([[0.0], np.cumsum(np.arange(99.0))]))


def test_only_whole_vector_groups_turn_what_is_behind_them():
    degrees = jnp.array([0.0, 30.0, -150.0, 330.0, 3.2, -16.0, 29.9, 14.0])
    expected = [0.0, 30.0, -150.0, 330.0, 0.0, 0.0, 30.0, 0.0]
    np.testing.assert_allclose(jnp.rad2deg(vector_groups(jnp.deg2rad(degrees))), expected, atol=1e-12)


def test_single_bus():
    network = network_of([], 1)
    assert bool(supplied(network, jnp.zeros(0))[0])
    assert float(levels(network, jnp.zeros((0, 1)), jnp.array([[0.2]]))[0, 0]) == 0.2
