import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.coolant.cases import check_gradient
from voltherm.coolant import CoolantDistributionUnit
from voltherm.media import Water, propylene_glycol_from_volume_fraction

GLYCOL, WATER = propylene_glycol_from_volume_fraction(0.25), Water()
SUPPLY, SECONDARY, FACILITY = jnp.asarray(299.95), jnp.asarray(31.5), jnp.asarray(32.3)
UNIT = CoolantDistributionUnit.from_rating(
    GLYCOL,
    WATER,
    heat_flow=jnp.asarray(2.0e6),
    secondary_mass_flow=SECONDARY,
    facility_mass_flow=FACILITY,
    facility_supply_temperature=SUPPLY,
    approach=jnp.asarray(3.0),
)
HOT = GLYCOL.temperature_at_enthalpy(GLYCOL.specific_enthalpy(SUPPLY + 3.0) + 2.0e6 / SECONDARY)


def test_rating_is_reproduced_and_energy_closes():
    state = eqx.filter_jit(UNIT.exchange)(HOT, SUPPLY, SECONDARY, FACILITY)
    np.testing.assert_allclose(state.heat_flow, 2.0e6, rtol=1e-12)
    np.testing.assert_allclose(state.secondary_outlet_temperature - SUPPLY, 3.0, atol=1e-9)
    given = SECONDARY * (GLYCOL.specific_enthalpy(HOT) - GLYCOL.specific_enthalpy(state.secondary_outlet_temperature))
    taken = FACILITY * (WATER.specific_enthalpy(state.facility_outlet_temperature) - WATER.specific_enthalpy(SUPPLY))
    np.testing.assert_allclose([given, taken], 2.0e6, rtol=1e-11)


def test_without_flow_nothing_changes():
    for flows in ((SECONDARY, jnp.asarray(0.0)), (jnp.asarray(0.0), FACILITY)):
        state = UNIT.exchange(HOT, SUPPLY, *flows)
        assert state.heat_flow == 0.0
        np.testing.assert_allclose(state.secondary_outlet_temperature, HOT, rtol=1e-12)
        np.testing.assert_allclose(state.facility_outlet_temperature, SUPPLY, rtol=1e-12)


def test_facility_flow_holds_the_set_point_or_stands_at_an_end():
    set_points = jnp.asarray([SUPPLY + 0.5, SUPPLY + 3.0, SUPPLY + 5.0, HOT - 0.01])
    four = jnp.ones(4)
    flows = eqx.filter_jit(UNIT.facility_mass_flow_for)(set_points, HOT * four, SUPPLY * four, SECONDARY * four)
    np.testing.assert_allclose(flows[0], UNIT.maximum_facility_mass_flow)
    np.testing.assert_allclose(flows[1], FACILITY, rtol=1e-9)
    np.testing.assert_allclose(flows[3], UNIT.minimum_facility_mass_flow)
    state = UNIT.exchange(HOT * four, SUPPLY * four, SECONDARY * four, flows)
    np.testing.assert_allclose(state.secondary_outlet_temperature[1:3], set_points[1:3], atol=1e-9)


def test_water_warmer_than_the_coolant_opens_the_valve():
    cold = jnp.asarray([HOT - 0.5, HOT, HOT + 0.5, HOT + 20.0])
    flows = UNIT.facility_mass_flow_for((SUPPLY + 3.0) * jnp.ones(4), HOT * jnp.ones(4), cold, SECONDARY * jnp.ones(4))
    np.testing.assert_allclose(flows, UNIT.maximum_facility_mass_flow)


def test_gradients():
    def needed(x):
        return UNIT.facility_mass_flow_for(303.5 * x[0], HOT * x[1], SUPPLY * x[2], SECONDARY * x[3])

    check_gradient(needed, jnp.ones(4), step=1e-6, tolerance=1e-5)
    saturated = jax.grad(lambda x: UNIT.facility_mass_flow_for(x, HOT, SUPPLY, SECONDARY))(SUPPLY + 0.5)
    assert saturated == 0.0


def test_single_precision():
    single = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float32), UNIT)
    given = (jnp.asarray(value, jnp.float32) for value in (HOT, SUPPLY, SECONDARY, FACILITY))
    state = single.exchange(*given)
    assert state.heat_flow.dtype == jnp.float32
    np.testing.assert_allclose(state.heat_flow, 2.0e6, rtol=1e-4)


def test_numbers_that_no_unit_has_are_refused():
    with pytest.raises(ValueError, match="maximum_facility_mass_flow is 0 kg/s and has to be above 0 kg/s"):
        dataclasses.replace(UNIT, maximum_facility_mass_flow=jnp.asarray(0.0))
