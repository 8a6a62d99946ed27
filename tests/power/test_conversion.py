"""Conversion stage with constant and proportional loss."""

import jax
import jax.numpy as jnp
import numpy as np

from voltherm.power import ConversionStage


def _stage(count):
    return ConversionStage(jnp.array(17.0), jnp.array(0.96), jnp.array(count))


def test_closed_form_and_balance():
    np.testing.assert_allclose(_stage(1.0).input_power(jnp.array(1000.0)), 1017.0 / 0.96, rtol=1e-15)
    np.testing.assert_allclose(_stage(1.0).loss(jnp.array(1000.0)), 1017.0 / 0.96 - 1000.0, rtol=1e-13)


def test_converters_share_their_load():
    np.testing.assert_allclose(
        _stage(4.0).input_power(jnp.array(8000.0)), 4 * _stage(1.0).input_power(jnp.array(2000.0)), rtol=1e-15
    )


def test_gradient_and_vmap():
    slope = jax.vmap(jax.grad(_stage(4.0).input_power))(jnp.array([0.0, 5e3]))
    np.testing.assert_allclose(slope, 1 / 0.96, rtol=1e-15)
