"""GMRES against a dense solve."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from voltherm.numerics.krylov import gmres


def _contraction(size: int) -> jnp.ndarray:
    generator = np.random.default_rng(size)
    return jnp.eye(size) - 0.8 * jnp.asarray(generator.normal(size=(size, size))) / np.sqrt(4.0 * size)


@pytest.mark.parametrize("size", [1, 2, 40])
def test_agrees_with_a_dense_solve(size):
    matrix, right = _contraction(size), jnp.linspace(-1.0, 2.0, size)
    found = gmres(lambda x: matrix @ x, right, tolerance=1e-14, maximum_steps=60)
    np.testing.assert_allclose(found, jnp.linalg.solve(matrix, right), rtol=0.0, atol=1e-12)


def test_zero_right_hand_side_gives_zero():
    matrix = _contraction(5)
    np.testing.assert_array_equal(gmres(lambda x: matrix @ x, jnp.zeros(5), tolerance=1e-14, maximum_steps=9), 0.0)


def test_the_identity_takes_one_step():
    right = jnp.arange(1.0, 7.0)
    np.testing.assert_allclose(gmres(lambda x: x, right, tolerance=1e-14, maximum_steps=1), right, rtol=1e-14)


def test_lanes_stop_each_at_its_own_step():
    matrix, rights = _contraction(12), jnp.stack([jnp.zeros(12), jnp.ones(12), jnp.linspace(0.0, 1.0, 12)])
    found = jax.vmap(lambda right: gmres(lambda x: matrix @ x, right, tolerance=1e-14, maximum_steps=12))(rights)
    np.testing.assert_allclose(found, jnp.linalg.solve(matrix, rights.T).T, atol=1e-12)
