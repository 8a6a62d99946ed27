"""ZIP loads: fractions, sums on buses, power factor."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from voltherm.power import Load, reactive_power_of


def test_fractions_at_and_away_from_nominal():
    load = Load.from_fractions(jnp.array([100.0]), jnp.array([50.0]), 0.5, 0.3)
    np.testing.assert_allclose(load.active_power(jnp.ones(1)), 100.0)
    np.testing.assert_allclose(load.active_power(jnp.array([0.9])), 20.0 + 30.0 * 0.9 + 50.0 * 0.81)
    np.testing.assert_allclose(load.reactive_power(jnp.array([0.9])), 10.0 + 15.0 * 0.9 + 25.0 * 0.81)


def test_loads_add_up_on_their_buses():
    first = Load.from_fractions(jnp.array([1.0, 2.0, 4.0]), jnp.array([0.1, 0.2, 0.4]), jnp.array([0.0, 0.5, 1.0]))
    summed = first.at_buses(np.array([1, 1, 2]), 4)
    np.testing.assert_allclose(summed.active_power(jnp.full(4, 0.9)), [0.0, 1.0 + 1.0 + 0.81, 4 * 0.81, 0.0])
    doubled = summed + summed
    np.testing.assert_allclose(doubled.reactive_power(jnp.ones(4)), 2 * summed.reactive_power(jnp.ones(4)))
    assert float(Load.none(3).active_power(jnp.ones(3)).sum()) == 0.0


@pytest.mark.parametrize("power_factor", [0.8, 0.95, 1.0])
def test_power_factor(power_factor):
    reactive = reactive_power_of(jnp.array(3.0), power_factor)
    np.testing.assert_allclose(3.0 / np.hypot(3.0, float(reactive)), power_factor, rtol=1e-14)


def test_unity_power_factor_has_a_finite_derivative():
    assert float(jax.grad(lambda p: reactive_power_of(jnp.array(3.0), p))(jnp.array(1.0))) == 0.0
    assert reactive_power_of(jnp.array(1.0, jnp.float32), 0.9).dtype == jnp.float32
