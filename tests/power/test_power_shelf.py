"""Rack power shelf: Titanium points, energy balance, sharing."""

import jax
import jax.numpy as jnp
import numpy as np

from voltherm.power import PowerShelf


def _shelf(count=6.0):
    return PowerShelf.titanium(jnp.array(5.5e3), jnp.array(count), jnp.array(0.98))


def test_titanium_points():
    shelf = _shelf()
    output = 6 * 5.5e3 * jnp.array([0.1, 0.2, 0.5, 1.0])
    np.testing.assert_allclose(output / shelf.input_power(output), [0.90, 0.94, 0.96, 0.91], rtol=1e-14)


def test_input_is_output_plus_heat():
    shelf, output = _shelf(), jnp.array([0.0, 1e4, 3e4])
    np.testing.assert_allclose(shelf.input_power(output) - shelf.loss(output), output, atol=1e-9)
    assert float(shelf.loss(output)[0]) > 0.0


def test_apparent_power_has_the_power_factor():
    shelf, output = _shelf(), jnp.array(2e4)
    active, reactive = shelf.input_power(output), shelf.reactive_power(output)
    np.testing.assert_allclose(active / jnp.hypot(active, reactive), 0.98, rtol=1e-14)


def test_gradient_through_count_and_output():
    def loss(count, output):
        return PowerShelf.titanium(jnp.array(5.5e3), count, jnp.array(0.98)).loss(output)

    point, step = (jnp.array(6.0), jnp.array(1.5e4)), 1e-3
    gradient = jax.grad(loss, argnums=(0, 1))(*point)
    np.testing.assert_allclose(
        gradient[0], (loss(point[0] + step, point[1]) - loss(point[0] - step, point[1])) / (2 * step), rtol=1e-6
    )
    np.testing.assert_allclose(
        gradient[1], (loss(point[0], point[1] + 1.0) - loss(point[0], point[1] - 1.0)) / 2.0, rtol=1e-6
    )
