import jax.numpy as jnp
import numpy as np

from tests.coolant.cases import check_gradient
from voltherm.coolant import PumpEfficiency

ONE = jnp.ones(1)
EFFICIENCY = PumpEfficiency(0.01 * ONE, 0.8 * ONE, 0.95 * ONE, 0.97 * ONE)


def test_best_point():
    power = EFFICIENCY.power(10.0 * ONE, 2e5 * ONE, ONE, 1000.0 * ONE)
    np.testing.assert_allclose(power.hydraulic_power, 2000.0)
    np.testing.assert_allclose(power.efficiency, 0.8, rtol=2e-4)
    np.testing.assert_allclose(power.shaft_power * power.efficiency, power.hydraulic_power, rtol=1e-12)
    np.testing.assert_allclose(power.electric_power, power.shaft_power / (0.95 * 0.97))


def test_affine_points_have_one_efficiency_and_power_falls_with_the_cube():
    full = EFFICIENCY.power(10.0 * ONE, 2e5 * ONE, ONE, 1000.0 * ONE)
    half = EFFICIENCY.power(5.0 * ONE, 0.5e5 * ONE, 0.5 * ONE, 1000.0 * ONE)
    np.testing.assert_allclose(half.efficiency, full.efficiency, rtol=1e-12)
    np.testing.assert_allclose(half.shaft_power, full.shaft_power / 8.0, rtol=1e-12)


def test_shut_valve_takes_finite_power():
    power = EFFICIENCY.power(0.0 * ONE, 2.5e5 * ONE, ONE, 1000.0 * ONE)
    best = EFFICIENCY.power(10.0 * ONE, 2e5 * ONE, ONE, 1000.0 * ONE)
    assert 0.3 < float(power.shaft_power[0] / best.shaft_power[0]) < 0.8


def test_losses_are_never_negative():
    flows = jnp.linspace(0.0, 19.0, 50)
    many = PumpEfficiency(*(jnp.full_like(flows, value) for value in (0.01, 0.8, 0.95, 0.97)))
    power = many.power(flows, jnp.full_like(flows, 1e5), jnp.ones_like(flows), jnp.full_like(flows, 1e3))
    assert jnp.all(power.shaft_power >= power.hydraulic_power)
    assert jnp.all(power.electric_power >= power.shaft_power)


def test_parallel_pumps():
    one = EFFICIENCY.power(8.0 * ONE, 2e5 * ONE, ONE, 1000.0 * ONE)
    four = EFFICIENCY.power(32.0 * ONE, 2e5 * ONE, ONE, 1000.0 * ONE, number_running=4.0)
    np.testing.assert_allclose(four.electric_power, 4.0 * one.electric_power, rtol=1e-12)


def test_gradient():
    def electric(x):
        return jnp.sum(EFFICIENCY.power(8.0 * x[:1], 2e5 * x[1:2], x[2:], 1000.0 * ONE).electric_power)

    check_gradient(electric, jnp.asarray([1.0, 0.9, 0.95]))
