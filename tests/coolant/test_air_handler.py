import dataclasses

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

from tests.coolant.cases import check_gradient
from voltherm.coolant import AirHandler
from voltherm.media import Water, dry_air

AIR, WATER, PRESSURE = jnp.asarray(316.15), jnp.asarray(291.15), jnp.asarray(95.0e3)
HANDLER = AirHandler.from_rating(
    Water(),
    heat_flow=jnp.asarray(160e3),
    air_flow=jnp.asarray(7.5),
    water_mass_flow=jnp.asarray(4.8),
    air_inlet_temperature=AIR,
    water_inlet_temperature=WATER,
    fan_pressure=jnp.asarray(450.0),
    fan_efficiency=jnp.asarray(0.65),
    air_pressure=PRESSURE,
)
AIR_FLOW = HANDLER.conductance.nominal_first_flow


def test_rating_is_reproduced_and_air_balances():
    state = HANDLER.operate(AIR, AIR_FLOW, WATER, jnp.asarray(4.8), PRESSURE)
    np.testing.assert_allclose(state.heat_flow, 160e3, rtol=1e-12)
    np.testing.assert_allclose(state.fan_power, 450.0 * 7.5 / 0.65, rtol=1e-12)
    rate = AIR_FLOW * dry_air.heat_capacity(0.5 * (AIR + WATER))
    np.testing.assert_allclose(rate * (AIR - state.supply_air_temperature), 160e3 - state.fan_power, rtol=1e-12)
    gained = Water().specific_enthalpy(state.water_outlet_temperature) - Water().specific_enthalpy(WATER)
    np.testing.assert_allclose(4.8 * gained, 160e3, rtol=1e-10)


def test_water_flow_holds_the_set_point_or_stands_at_an_end():
    three = jnp.ones(3)
    set_points = jnp.asarray([293.0, 302.0, 330.0])
    flows = eqx.filter_jit(HANDLER.water_mass_flow_for)(
        set_points, AIR * three, AIR_FLOW * three, WATER * three, PRESSURE * three
    )
    np.testing.assert_allclose(flows[0], HANDLER.maximum_water_mass_flow)
    np.testing.assert_allclose(flows[2], HANDLER.minimum_water_mass_flow)
    state = HANDLER.operate(AIR * three, AIR_FLOW * three, WATER * three, flows, PRESSURE * three)
    np.testing.assert_allclose(state.supply_air_temperature[1], 302.0, atol=1e-9)


def test_water_as_warm_as_the_air_asks_for_all_of_it():
    """It asked for the least, and rooms went to hundreds of degrees."""
    water = AIR + jnp.asarray([-1.0, -1e-6, 0.0, 1.0, 20.0])
    five = jnp.ones(5)
    flows = eqx.filter_jit(HANDLER.water_mass_flow_for)(
        302.0 * five, AIR * five, AIR_FLOW * five, water, PRESSURE * five
    )
    np.testing.assert_allclose(flows, HANDLER.maximum_water_mass_flow)


def test_standing_fans_carry_nothing():
    state = HANDLER.operate(AIR, jnp.asarray(0.0), WATER, jnp.asarray(4.8), PRESSURE)
    assert state.heat_flow == 0.0
    assert state.fan_power == 0.0
    assert state.supply_air_temperature == AIR


def test_gradient():
    def needed(x):
        return HANDLER.water_mass_flow_for(302.0 * x[0], AIR * x[1], AIR_FLOW * x[2], WATER * x[3], PRESSURE)

    check_gradient(needed, jnp.ones(4), step=1e-6, tolerance=1e-5)


def test_numbers_that_no_unit_has_are_refused():
    with pytest.raises(ValueError, match="rated_fan_power is -1 W and has to be at least 0 W"):
        dataclasses.replace(HANDLER, rated_fan_power=jnp.asarray(-1.0))
