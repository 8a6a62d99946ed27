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


@pytest.mark.parametrize("trim", ["linear", "equal_percentage"])
def test_the_gradient_at_a_clip_is_one_of_both_sides_and_points_inwards_at_an_end(trim):
    def phi(opening):
        return ControlValve(ONE, opening * ONE, leakage=jnp.asarray(1e-4), trim=trim).relative_flow_coefficient()[0]

    step = 1e-7
    for opening, inwards in ((0.0, step), (0.1, step), (1.0, -step)):
        slope = jax.grad(phi)(jnp.asarray(opening))
        np.testing.assert_allclose(slope, (phi(opening + inwards) - phi(opening)) / inwards, rtol=1e-5)
    assert jax.grad(phi)(jnp.asarray(-0.1)) == jax.grad(phi)(jnp.asarray(1.1)) == 0.0


def test_a_shut_valve_without_leakage_has_a_law_and_gradients():
    def drop(leakage, opening):
        return ControlValve(36.0 * ONE, opening * ONE, leakage=leakage).pressure_drop(2e-6 * ONE, 1e3 * ONE, ONE)[0]

    # 1e-7 of 10 kg/s at 1 bar, by hand
    np.testing.assert_allclose(drop(0.0, 0.0), 4e5, rtol=1e-6)
    np.testing.assert_array_equal(drop(jnp.asarray(1e-9), 0.0), drop(0.0, 0.0))
    assert all(jnp.isfinite(slope) for slope in jax.grad(drop, (0, 1))(jnp.asarray(0.0), jnp.asarray(0.0)))


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
