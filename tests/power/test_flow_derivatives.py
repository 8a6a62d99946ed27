"""Exact derivatives of the power flow: forward, reverse, batched, second order, against central differences."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from tests.power.cases import ring
from voltherm.power import steady

NETWORK, PARAMETERS = ring()
VECTOR, UNRAVEL = ravel_pytree(eqx.filter(PARAMETERS, eqx.is_array))


@jax.jit
def objective(vector):
    state = steady(NETWORK, UNRAVEL(vector), tolerance=1e-12).value
    return jnp.sum(state.active_loss) / 1e4 + jnp.sum(state.loading) + 10.0 * state.voltage_magnitude[4]


@pytest.fixture(scope="module")
def gradient():
    return jax.jit(jax.grad(objective))(VECTOR)


def test_every_parameter_against_central_differences(gradient):
    # powers are of order 1e6, per-unit numbers of order 1e-2 to 1
    step = 1e-6 * np.maximum(np.abs(np.asarray(VECTOR)), 1e-1)
    high = jax.lax.map(objective, VECTOR[None] + jnp.diag(jnp.asarray(step)))
    low = jax.lax.map(objective, VECTOR[None] - jnp.diag(jnp.asarray(step)))
    differences = np.asarray((high - low) / (2 * step))
    scaled = np.asarray(gradient) * step
    np.testing.assert_allclose(scaled, differences * step, rtol=1e-6, atol=1e-7 * np.abs(scaled).max())


def test_forward_and_reverse_agree(gradient):
    direction = jnp.sin(jnp.arange(VECTOR.size, dtype=VECTOR.dtype)) * jnp.abs(VECTOR)
    _, tangent = jax.jit(lambda vector, direction: jax.jvp(objective, (vector,), (direction,)))(VECTOR, direction)
    np.testing.assert_allclose(tangent, gradient @ direction, rtol=1e-10)


def test_batch_of_gradients_is_the_gradient_of_each(gradient):
    batch = VECTOR[None] * jnp.array([1.0, 0.97])[:, None]
    batched = jax.jit(jax.vmap(jax.grad(objective)))(batch)
    np.testing.assert_allclose(batched[0], gradient, rtol=1e-8, atol=1e-11)
    assert bool(jnp.isfinite(batched).all())


def test_second_derivatives(gradient):
    direction = jnp.zeros_like(VECTOR).at[:5].set(jnp.array([1e-3, 2e-3, -1e-3, 1e-3, 0.0]))
    product = jax.jit(lambda vector: jax.jvp(jax.grad(objective), (vector,), (direction,))[1])(VECTOR)
    step = 1e-3
    slope = jax.jit(jax.grad(objective))
    differences = (slope(VECTOR + step * direction) - slope(VECTOR - step * direction)) / (2 * step)
    scale = float(jnp.abs(differences[:10]).max())
    np.testing.assert_allclose(product[:10], differences[:10], atol=1e-5 * scale)
