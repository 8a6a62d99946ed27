import dataclasses

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

from tests.coolant.cases import check_gradient
from voltherm.coolant import DryCooler
from voltherm.media import Water, dry_air

WATER = Water()
INLET, OUTLET, AIR, PRESSURE = jnp.asarray(319.25), jnp.asarray(313.75), jnp.asarray(308.15), jnp.asarray(101325.0)
COOLER = DryCooler.from_rating(
    WATER,
    heat_flow=jnp.asarray(2.931e6),
    coolant_inlet_temperature=INLET,
    coolant_outlet_temperature=OUTLET,
    air_temperature=AIR,
    fan_power=jnp.asarray(117.7e3),
    minimum_fan_speed=jnp.asarray(0.15),
)
MASS_FLOW = COOLER.conductance.nominal_second_flow


def test_rating_is_reproduced():
    state = COOLER.operate(INLET, MASS_FLOW, AIR, PRESSURE, jnp.asarray(1.0))
    np.testing.assert_allclose(state.heat_flow, 2.931e6, rtol=1e-12)
    np.testing.assert_allclose(state.coolant_outlet_temperature, OUTLET, atol=1e-9)
    np.testing.assert_allclose(state.fan_power, 117.7e3, rtol=1e-12)
    fall = WATER.specific_enthalpy(INLET) - WATER.specific_enthalpy(state.coolant_outlet_temperature)
    np.testing.assert_allclose(MASS_FLOW * fall, state.heat_flow, rtol=1e-10)
    assert AIR < state.air_outlet_temperature < INLET


def test_fans_follow_the_cube_and_thin_air_carries_less():
    half = COOLER.operate(INLET, MASS_FLOW, AIR, PRESSURE, jnp.asarray(0.5))
    np.testing.assert_allclose(half.fan_power, 117.7e3 / 8.0, rtol=1e-12)
    high = COOLER.operate(INLET, MASS_FLOW, AIR, 0.8 * PRESSURE, jnp.asarray(1.0))
    assert high.heat_flow < 2.931e6
    np.testing.assert_allclose(high.fan_power, 0.8 * 117.7e3, rtol=1e-9)
    assert dry_air.density(AIR, PRESSURE) == COOLER.rated_air_density


def test_fan_speed_holds_the_set_point_or_stands_at_an_end():
    air = jnp.asarray([308.15, 298.15, 320.0, 310.0, 250.0])
    set_point = jnp.asarray([313.75, 313.75, 313.75, 320.0, 313.75])
    five = jnp.ones(5)
    speed = eqx.filter_jit(COOLER.fan_speed_for)(set_point, INLET * five, MASS_FLOW * five, air, PRESSURE * five)
    np.testing.assert_allclose(speed[0], 1.0, rtol=1e-9)
    assert 0.15 < speed[1] < 1.0
    np.testing.assert_allclose(speed[2:], 0.15)
    state = COOLER.operate(INLET * five, MASS_FLOW * five, air, PRESSURE * five, speed)
    np.testing.assert_allclose(state.coolant_outlet_temperature[1], 313.75, atol=1e-9)


def test_fans_stop_at_their_greatest_speed():
    capped = eqx.tree_at(lambda cooler: cooler.maximum_fan_speed, COOLER, jnp.asarray(0.6))
    speed = capped.fan_speed_for(OUTLET, INLET, MASS_FLOW, AIR, PRESSURE)
    np.testing.assert_allclose(speed, 0.6)
    slope = eqx.filter_grad(lambda cooler: cooler.fan_speed_for(OUTLET, INLET, MASS_FLOW, AIR, PRESSURE))(capped)
    np.testing.assert_allclose(slope.maximum_fan_speed, 1.0)


def test_air_flow_of_the_data_sheet():
    known = DryCooler.from_rating(
        WATER,
        heat_flow=jnp.asarray(2.931e6),
        coolant_inlet_temperature=INLET,
        coolant_outlet_temperature=OUTLET,
        air_temperature=AIR,
        fan_power=jnp.asarray(117.7e3),
        minimum_fan_speed=jnp.asarray(0.15),
        air_flow=jnp.asarray(300.0),
    )
    np.testing.assert_allclose(COOLER.rated_air_flow, 117.7e3 * 0.55 / 180.0)
    assert known.rated_air_flow == 300.0
    full = jnp.asarray(1.0)
    np.testing.assert_allclose(known.operate(INLET, MASS_FLOW, AIR, PRESSURE, full).heat_flow, 2.931e6, rtol=1e-12)
    # less air leaves warmer, and more surface was needed for the same point
    assert known.conductance.nominal_conductance > COOLER.conductance.nominal_conductance


def test_no_coolant_no_heat():
    state = COOLER.operate(INLET, jnp.asarray(0.0), AIR, PRESSURE, jnp.asarray(1.0))
    assert state.heat_flow == 0.0
    np.testing.assert_allclose(state.coolant_outlet_temperature, INLET, rtol=1e-12)


def test_gradients():
    def fans(x):
        given = (MASS_FLOW * x[2], 298.15 * x[3], PRESSURE)
        speed = COOLER.fan_speed_for(OUTLET * x[0], INLET * x[1], *given)
        return COOLER.operate(INLET * x[1], *given, speed).fan_power / 1e4

    check_gradient(fans, jnp.ones(4), step=1e-6, tolerance=1e-5)


def test_numbers_that_no_unit_has_are_refused():
    with pytest.raises(ValueError, match="rated_air_flow is -1 m3/s and has to be above 0 m3/s"):
        dataclasses.replace(COOLER, rated_air_flow=jnp.asarray(-1.0))
