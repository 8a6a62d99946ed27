import jax.numpy as jnp
import numpy as np

from tests.coolant.cases import check_gradient
from voltherm.coolant import PumpCurve

ONE = jnp.ones(1)
CURVE = PumpCurve.through_duty_point(2.5e5 * ONE, 10.0 * ONE, 2.0e5 * ONE, 1000.0 * ONE)


def test_passes_through_shut_off_and_duty_point():
    np.testing.assert_allclose(CURVE.pressure_rise(0.0 * ONE, ONE, 1000.0 * ONE), 2.5e5)
    np.testing.assert_allclose(CURVE.pressure_rise(0.01 * ONE, ONE, 1000.0 * ONE), 2.0e5, rtol=1e-8)


def test_affinity_laws():
    full = CURVE.pressure_rise(0.01 * ONE, ONE, 1000.0 * ONE)
    half = CURVE.pressure_rise(0.005 * ONE, 0.5 * ONE, 1000.0 * ONE)
    np.testing.assert_allclose(half, 0.25 * full, rtol=1e-7)
    np.testing.assert_allclose(CURVE.pressure_rise(0.01 * ONE, ONE, 900.0 * ONE), 0.9 * full, rtol=1e-12)


def test_general_exponent_scales_with_speed():
    curve = PumpCurve(3e5 * ONE, 0.0 * ONE, -1e8 * ONE, 1000.0 * ONE, exponent=1.77)
    expected = 0.8**2 * (3e5 - 1e8 * (0.01 / 0.8) ** 1.77)
    np.testing.assert_allclose(curve.pressure_rise(0.01 * ONE, 0.8 * ONE, 1000.0 * ONE), expected, rtol=1e-7)


def test_a_stopped_pump_resists_both_ways():
    assert CURVE.pressure_rise(0.01 * ONE, 0.0 * ONE, 1000.0 * ONE)[0] < 0.0
    assert CURVE.pressure_rise(-0.01 * ONE, 0.0 * ONE, 1000.0 * ONE)[0] > 0.0


def test_speed_inverts_the_curve():
    curve = PumpCurve(2.5e5 * ONE, -1e6 * ONE, -4e8 * ONE, 1000.0 * ONE)
    rise = curve.pressure_rise(0.008 * ONE, 0.7 * ONE, 990.0 * ONE)
    np.testing.assert_allclose(curve.speed_for(0.008 * ONE, rise, 990.0 * ONE), 0.7, rtol=1e-12)


def test_gradient():
    def rise(x):
        curve = PumpCurve(2.5e5 * x[:1], -1e6 * x[1:2], -4e8 * x[2:3], 1000.0 * ONE)
        return jnp.sum(curve.pressure_rise(0.008 * ONE, x[3:], 990.0 * ONE))

    check_gradient(rise, jnp.asarray([1.0, 1.1, 0.9, 0.8]))
