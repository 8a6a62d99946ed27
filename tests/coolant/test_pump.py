import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from tests.coolant.cases import DENSITY, VISCOSITY, check_gradient, pump
from voltherm.coolant import Pump
from voltherm.coolant.law import pressure_drop_and_slope

ONE = jnp.ones(1)
GIVEN = (DENSITY * ONE, VISCOSITY * ONE)


def test_holds_the_set_point_between_its_limits():
    np.testing.assert_allclose(pump(1.0e5).pressure_drop(8.0 * ONE, *GIVEN), -1.0e5, rtol=1e-5)


def test_saturates_at_full_and_least_speed():
    controlled = pump(1.9e5)
    loss = controlled.internal_loss.pressure_drop(12.0 * ONE, *GIVEN)
    full = controlled.curve.pressure_rise(0.012 * ONE, ONE, GIVEN[0]) - loss
    np.testing.assert_allclose(-controlled.pressure_drop(12.0 * ONE, *GIVEN), full, rtol=1e-4)
    low = pump(1.0e4)
    least = low.curve.pressure_rise(1e-3 * ONE, 0.3 * ONE, GIVEN[0]) - low.internal_loss.pressure_drop(ONE, *GIVEN)
    np.testing.assert_allclose(-low.pressure_drop(ONE, *GIVEN), least, rtol=1e-4)


def test_law_rises_strictly_over_all_flows():
    def drop_and_slope(flow):
        drop, slope = pressure_drop_and_slope(pump(), flow * ONE, *GIVEN)
        return drop[0], slope[0]

    drops, slopes = jax.vmap(drop_and_slope)(jnp.linspace(-5.0, 25.0, 601))
    assert jnp.all(slopes > 0.0)
    assert jnp.all(jnp.diff(drops) > 0.0)


def test_operating_point_reproduces_the_rise():
    controlled = pump(1.0e5)
    for flow in (1.0, 8.0, 13.0):
        speed, rise = controlled.operating_point(flow * ONE, *GIVEN)
        again = controlled.curve.pressure_rise(flow * ONE / DENSITY, speed, GIVEN[0])
        np.testing.assert_allclose(again, rise, rtol=1e-12)
        lost = controlled.internal_loss.pressure_drop(flow * ONE, *GIVEN)
        np.testing.assert_allclose(rise - lost, -controlled.pressure_drop(flow * ONE, *GIVEN), rtol=1e-12)


def test_parallel_pumps_share_the_flow():
    curve = pump().curve
    one = Pump(curve, 0.9 * ONE).pressure_drop(4.0 * ONE, *GIVEN)
    three = Pump(curve, 0.9 * ONE, number_running=3.0).pressure_drop(12.0 * ONE, *GIVEN)
    np.testing.assert_allclose(three, one, rtol=1e-12)


def test_gradient_through_saturation():
    def drop(x):
        return jnp.sum(pump(1.0e5 * x[:1]).pressure_drop(11.0 * x[1:], *GIVEN))

    check_gradient(drop, jnp.asarray([1.5, 1.0]))


def test_single_precision():
    controlled = jax.tree.map(lambda leaf: leaf.astype(jnp.float32) if eqx.is_array(leaf) else leaf, pump())
    one = jnp.ones(1, jnp.float32)
    assert controlled.pressure_drop(8.0 * one, 1e3 * one, 1e-3 * one).dtype == jnp.float32
