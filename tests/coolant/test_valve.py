import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.coolant.cases import check_gradient
from voltherm.coolant import CheckValve, ControlValve
from voltherm.coolant.law import pressure_drop_and_slope

ONE = jnp.ones(1)


def test_flow_coefficient_is_the_flow_at_one_bar():
    valve = ControlValve(36.0 * ONE, ONE)
    np.testing.assert_allclose(valve.pressure_drop(10.0 * ONE, 1000.0 * ONE, 1e-3 * ONE), 1e5, rtol=1e-7)
    np.testing.assert_allclose(valve.pressure_drop(10.0 * ONE, 500.0 * ONE, 1e-3 * ONE), 2e5, rtol=1e-7)


@pytest.mark.parametrize("trim", ["linear", "equal_percentage"])
def test_trim_rises_from_leakage_to_one_without_a_jump(trim):
    openings = jnp.linspace(-0.1, 1.1, 1201)
    phi = ControlValve(jnp.ones_like(openings), openings, trim=trim).relative_flow_coefficient()
    assert jnp.all(jnp.diff(phi) >= 0.0)
    assert jnp.max(jnp.diff(phi)) < 5e-3
    np.testing.assert_allclose(phi[jnp.asarray([0, -1])], [1e-4, 1.0], rtol=1e-12)


def test_equal_percentage():
    phi = ControlValve(jnp.ones(2), jnp.asarray([0.5, 0.6]), rangeability=30.0).relative_flow_coefficient()
    np.testing.assert_allclose(phi, 30.0 ** np.asarray([-0.5, -0.4]), rtol=1e-12)


def test_a_closed_valve_still_has_a_finite_law():
    drop, slope = pressure_drop_and_slope(ControlValve(36.0 * ONE, 0.0 * ONE), 1e-3 * ONE, 1e3 * ONE, 1e-3 * ONE)
    np.testing.assert_allclose(drop, 1e5, rtol=1e-6)
    assert jnp.isfinite(slope[0])


def test_gradient_with_respect_to_opening_and_coefficient():
    def drop(x):
        valve = ControlValve(36.0 * x[:2], 0.5 * x[2:])
        return jnp.sum(valve.pressure_drop(jnp.asarray([1.0, -2.0]), jnp.full(2, 1e3), jnp.full(2, 1e-3)))

    check_gradient(drop, jnp.asarray([1.0, 1.1, 0.8, 1.2]))


def test_check_valve_blocks_backwards_and_stays_smooth():
    valve = CheckValve(ONE, 1e4 * ONE)
    flows = jnp.linspace(-3e-6, 3e-6, 601)

    def drop_and_slope(flow):
        drop, slope = pressure_drop_and_slope(valve, flow * ONE, 1e3 * ONE, 1e-3 * ONE)
        return drop[0], slope[0]

    drops, slopes = jax.vmap(drop_and_slope)(flows)
    assert jnp.all(slopes > 0.0)
    assert jnp.all(jnp.diff(drops) > 0.0)
    assert jnp.max(jnp.abs(jnp.diff(slopes))) < 0.02 * jnp.max(slopes)
    np.testing.assert_allclose(valve.pressure_drop(ONE, 1e3 * ONE, 1e-3 * ONE), 1e4, rtol=1e-7)
    np.testing.assert_allclose(valve.pressure_drop(-1e-5 * ONE, 1e3 * ONE, 1e-3 * ONE), -1e4, rtol=0.06)
