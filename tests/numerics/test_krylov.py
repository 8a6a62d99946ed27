"""GMRES against a dense solve."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from voltherm.numerics.krylov import gmres


def _solve(matrix, right, **options):
    return gmres(lambda p, y, a: (p, y - matrix(y), a), ((), right, ()), **options)[1]


def _contraction(size: int) -> jnp.ndarray:
    generator = np.random.default_rng(size)
    return jnp.eye(size) - 0.8 * jnp.asarray(generator.normal(size=(size, size))) / np.sqrt(4.0 * size)


@pytest.mark.parametrize("size", [1, 2, 40])
def test_agrees_with_a_dense_solve(size):
    matrix, right = _contraction(size), jnp.linspace(-1.0, 2.0, size)
    found = _solve(lambda x: matrix @ x, right, tolerance=1e-14, maximum_steps=60)
    np.testing.assert_allclose(found, jnp.linalg.solve(matrix, right), rtol=0.0, atol=1e-12)


def test_zero_right_hand_side_gives_zero():
    matrix = _contraction(5)
    np.testing.assert_array_equal(_solve(lambda x: matrix @ x, jnp.zeros(5), tolerance=1e-14, maximum_steps=9), 0.0)


def test_the_identity_takes_one_step():
    right = jnp.arange(1.0, 7.0)
    np.testing.assert_allclose(_solve(lambda x: x, right, tolerance=1e-14, maximum_steps=1), right, rtol=1e-14)


def test_lanes_stop_each_at_its_own_step():
    matrix, rights = _contraction(12), jnp.stack([jnp.zeros(12), jnp.ones(12), jnp.linspace(0.0, 1.0, 12)])
    found = jax.vmap(lambda right: _solve(lambda x: matrix @ x, right, tolerance=1e-14, maximum_steps=12))(rights)
    np.testing.assert_allclose(found, jnp.linalg.solve(matrix, rights.T).T, atol=1e-12)


def test_a_chain_is_walked_either_way():
    generator = np.random.default_rng(3)
    inner, into, out, past = (
        jnp.asarray(0.2 * generator.normal(size=size)) for size in ((9, 9), (9, 2), (3, 9), (3, 2))
    )
    whole = jnp.block(
        [[jnp.zeros((2, 14))], [into, inner, jnp.zeros((9, 3))], [past, out, jnp.zeros((3, 3))]],
    )
    right = jnp.asarray(generator.normal(size=14))
    for matrix in (whole, whole.T):

        def product(p, y, a, matrix=matrix):
            return tuple(jnp.split(matrix @ jnp.concatenate([p, y, a]), (2, 11)))

        found = gmres(product, tuple(jnp.split(right, (2, 11))), tolerance=1e-14, maximum_steps=9)
        np.testing.assert_allclose(
            jnp.concatenate(found), jnp.linalg.solve(jnp.eye(14) - matrix, right), rtol=0.0, atol=1e-12
        )
