import jax
import jax.numpy as jnp
import numpy as np

from tests.coolant.cases import check_gradient
from voltherm.coolant import AirCooledChiller

CHILLER = AirCooledChiller(jnp.asarray(2.0e6), jnp.asarray(0.45))
WATER, AIR = jnp.asarray(303.15), jnp.asarray(316.15)


def test_full_load_is_a_share_of_carnot():
    state = CHILLER.operate(jnp.asarray(2.0e6), WATER, AIR)
    evaporating, condensing = 303.15 - 3.0, 316.15 + 14.0
    expected = 0.45 * evaporating / (condensing - evaporating)
    np.testing.assert_allclose(state.coefficient_of_performance, expected, rtol=1e-2)
    np.testing.assert_allclose(state.power * state.coefficient_of_performance, 2.0e6)
    np.testing.assert_allclose(state.condenser_heat_flow, 2.0e6 + state.power)


def test_capacity_limit_is_said():
    state = CHILLER.operate(jnp.asarray(2.5e6), WATER, AIR)
    np.testing.assert_allclose([state.heat_flow, state.unmet_heat_flow], [2.0e6, 0.5e6])


def test_no_load_takes_no_power_and_has_a_slope():
    state = CHILLER.operate(jnp.asarray(0.0), WATER, AIR)
    assert state.power == 0.0
    slope = jax.grad(lambda heat: CHILLER.operate(heat, WATER, AIR).power)(jnp.asarray(1.0))
    assert 0.05 < slope < 0.5


def test_performance_is_bounded_whatever_the_lift():
    air = jnp.linspace(240.0, 330.0, 50)
    state = CHILLER.operate(jnp.full(50, 1.0e6), jnp.full(50, 293.15), air)
    assert jnp.all(state.coefficient_of_performance <= 12.0)
    assert jnp.all(jnp.diff(state.power) >= 0.0)


def test_part_load_coefficients():
    curved = AirCooledChiller(jnp.asarray(2.0e6), jnp.asarray(0.45), 0.0, 0.0, part_load=(1.3, -0.8, 0.5))
    plain = AirCooledChiller(jnp.asarray(2.0e6), jnp.asarray(0.45), 0.0, 0.0)
    heat = jnp.asarray([1.0e6, 2.0e6])
    ratio = curved.operate(heat, WATER * jnp.ones(2), AIR * jnp.ones(2)).power
    ratio = ratio / plain.operate(heat, WATER * jnp.ones(2), AIR * jnp.ones(2)).power
    np.testing.assert_allclose(ratio, [1.3 - 0.4 + 0.125, 1.0])


def test_gradient():
    check_gradient(
        lambda x: CHILLER.operate(1.2e6 * x[0], WATER * x[1], AIR * x[2]).power / 1e5, jnp.ones(3), tolerance=1e-5
    )
