"""Reach of the sources and start angles."""

import jax
import jax.numpy as jnp
import numpy as np

from tests.power.cases import network_of
from voltherm.power.island import supplied


def test_reach_follows_closed_branches():
    network = network_of([(0, 1), (1, 2), (3, 2), (3, 4)], 5)
    zeros = jnp.zeros(4)
    cases = jnp.array([[1.0, 1.0, 1.0, 1.0], [1.0, 0.0, 1.0, 1.0], [0.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 0.0]])
    reached, _ = jax.jit(jax.vmap(lambda closed: supplied(network, closed, zeros, jnp.zeros(5))))(cases)
    np.testing.assert_array_equal(
        reached, [[True] * 5, [True, True, False, False, False], [True] + [False] * 4, [True] * 4 + [False]]
    )


def test_two_sources_hold_two_islands():
    network = network_of([(0, 1), (1, 2)], 3, slack=(0, 2))
    reached, _ = supplied(network, jnp.array([1.0, 0.0]), jnp.zeros(2), jnp.zeros(3))
    assert bool(reached.all())


def test_angles_follow_the_vector_groups():
    network = network_of([(0, 1), (2, 1)], 3)
    shift = jnp.array([np.pi / 6, np.pi / 6])
    _, angle = supplied(network, jnp.ones(2), shift, jnp.array([0.1, 9.0, 9.0]))
    np.testing.assert_allclose(angle, [0.1, 0.1 - np.pi / 6, 0.1], atol=1e-15)


def test_single_bus():
    reached, angle = supplied(network_of([], 1), jnp.zeros(0), jnp.zeros(0), jnp.array([0.2]))
    assert bool(reached[0])
    assert float(angle[0]) == 0.2
