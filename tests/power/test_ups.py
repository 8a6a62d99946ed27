"""Uninterruptible power supply: both modes, the mix between them, reactive power."""

import jax
import jax.numpy as jnp
import numpy as np

from voltherm.power import UninterruptiblePowerSupply
from voltherm.power.ups import DOUBLE_CONVERSION_EFFICIENCY, ECO_EFFICIENCY, LOAD_FRACTION


def _ups(eco_mode):
    return UninterruptiblePowerSupply.typical(jnp.array(1.5e6), jnp.array(eco_mode), jnp.array(0.99))


def test_both_modes_have_their_efficiency():
    output = 1.5e6 * jnp.array(LOAD_FRACTION)
    np.testing.assert_allclose(output / _ups(0.0).input_power(output), DOUBLE_CONVERSION_EFFICIENCY, rtol=1e-13)
    np.testing.assert_allclose(output / _ups(1.0).input_power(output), ECO_EFFICIENCY, rtol=1e-13)


def test_typical_figures_are_those_of_large_units():
    assert min(DOUBLE_CONVERSION_EFFICIENCY) >= 0.96
    assert max(DOUBLE_CONVERSION_EFFICIENCY) <= 0.975
    assert min(ECO_EFFICIENCY) >= 0.985
    assert max(ECO_EFFICIENCY) <= 0.99


def test_mixed_mode_lies_between():
    output = jnp.array(1e6)
    losses = [float(_ups(share).loss(output)) for share in (0.0, 0.5, 1.0)]
    np.testing.assert_allclose(losses[1], 0.5 * (losses[0] + losses[2]), rtol=1e-13)
    assert losses[0] > losses[1] > losses[2] > 0.0


def test_reactive_power_of_the_rectifier_or_of_the_load():
    output, behind = jnp.array(1e6), jnp.array(2e5)
    double, bypass = _ups(0.0), _ups(1.0)
    active, reactive = double.input_power(output), double.reactive_power(output, behind)
    np.testing.assert_allclose(active / jnp.hypot(active, reactive), 0.99, rtol=1e-13)
    np.testing.assert_allclose(bypass.reactive_power(output, behind), behind, rtol=1e-13)


def test_gradient_matches_central_difference():
    output, step = jnp.array([3e5, 1.2e6]), 1.0
    ups = _ups(0.3)
    gradient = jax.vmap(jax.grad(ups.input_power))(output)
    differences = (ups.input_power(output + step) - ups.input_power(output - step)) / (2 * step)
    np.testing.assert_allclose(gradient, differences, rtol=1e-7)
    assert float(ups.loss(jnp.array(0.0))) > 0.0
