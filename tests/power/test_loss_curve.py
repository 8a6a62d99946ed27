"""Interpolated losses: through the points, rising, smooth, positive."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from voltherm.power import LossCurve
from voltherm.power.power_shelf import TITANIUM_EFFICIENCY, TITANIUM_LOAD_FRACTION

TITANIUM = LossCurve(jnp.array(TITANIUM_LOAD_FRACTION), jnp.array(TITANIUM_EFFICIENCY))


def test_passes_through_the_published_points():
    load = TITANIUM.load_fraction
    np.testing.assert_allclose(load / (load + TITANIUM.loss(load)), TITANIUM.efficiency, rtol=1e-14)


def test_loss_is_positive_and_rises():
    loss = TITANIUM.loss(jnp.linspace(0.0, 1.2, 241))
    assert float(loss[0]) > 0.0
    assert float(jnp.diff(loss).min()) > 0.0


@pytest.mark.parametrize("knot", TITANIUM_LOAD_FRACTION)
def test_first_derivative_is_continuous(knot):
    slope = jax.vmap(jax.grad(TITANIUM.loss))(jnp.array([knot - 1e-7, knot + 1e-7]))
    np.testing.assert_allclose(slope[0], slope[1], rtol=1e-4)


def test_gradients_match_central_differences():
    load, step = jnp.array([0.05, 0.15, 0.33, 0.8, 1.05]), 1e-6

    def total(curve, load):
        return jnp.sum(curve.loss(load))

    by_load = jax.grad(total, argnums=1)(TITANIUM, load)
    differences = (TITANIUM.loss(load + step) - TITANIUM.loss(load - step)) / (2 * step)
    np.testing.assert_allclose(by_load, differences, rtol=1e-7)
    by_curve = jax.grad(total)(TITANIUM, load)
    for index in range(4):
        shift = step * jnp.eye(4)[index]
        high, low = (LossCurve(TITANIUM.load_fraction, TITANIUM.efficiency + sign * shift) for sign in (1.0, -1.0))
        difference = (total(high, load) - total(low, load)) / (2 * step)
        np.testing.assert_allclose(by_curve.efficiency[index], difference, rtol=1e-6)


def test_steep_first_segment_keeps_the_no_load_loss_positive():
    curve = LossCurve(jnp.array([0.5, 1.0]), jnp.array([0.99, 0.9]))
    assert float(curve.loss(jnp.array(0.0))) >= 0.0


def test_jit_vmap_and_single_precision():
    single = jax.tree.map(lambda leaf: leaf.astype(jnp.float32), TITANIUM)
    load = jnp.linspace(0.0, 1.0, 6, dtype=jnp.float32).reshape(2, 3)
    loss = jax.jit(jax.vmap(single.loss))(load)
    assert loss.dtype == jnp.float32
    assert loss.shape == (2, 3)
    np.testing.assert_allclose(loss, TITANIUM.loss(load.astype(jnp.float64)), rtol=1e-5)
