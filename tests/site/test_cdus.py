"""Exchange in the CDUs: the flow that a set point needs, and what other flows give."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from voltherm.site.cdus import CduDemand
from voltherm.site.equipment import build_equipment

SET_POINT = 313.15
HEAT, PUMP = 250e3, 2e3


@pytest.fixture(scope="module")
def rows(site):
    """Needed flow and exchange at shares of it, for facility supplies from cold to warmer than the set point."""
    equipment = build_equipment(site)

    def one(facility_supply, share):
        demand = CduDemand.at_set_point(
            equipment.cdu,
            heat=jnp.full(1, HEAT),
            pump_heat=jnp.full(1, PUMP),
            secondary_mass_flow=jnp.full(1, 6.0),
            facility_supply_temperature=facility_supply,
            set_point=jnp.asarray(SET_POINT),
        )
        needed = demand.needed_facility_flow()
        return needed[0], jax.tree.map(lambda leaf: leaf[0], demand.at_facility_flow(share * needed))

    supplies = jnp.asarray([290.0, 309.15, 309.15, 314.15])
    return equipment, supplies, *jax.jit(jax.vmap(one))(supplies, jnp.asarray([1.0, 1.0, 0.5, 1.0]))


def test_needed_flow_holds_the_set_point(rows):
    _, _, needed, exchange = rows
    assert needed[0] < needed[1]
    assert np.asarray(exchange.supply_temperature[:2]) == pytest.approx(SET_POINT, abs=1e-6)


def test_less_flow_floats_the_supply(rows):
    exchange = rows[3]
    assert exchange.supply_temperature[2] > SET_POINT + 0.5


def test_a_set_point_out_of_reach_asks_for_all_there_is(rows):
    _, _, needed, exchange = rows
    assert needed[3] == pytest.approx(4.0 * 5.87, rel=1e-12)
    assert exchange.supply_temperature[3] > 314.15


def test_both_sides_carry_the_heat(rows):
    equipment, supplies, needed, exchange = rows
    coolant, water = equipment.coolant, equipment.water
    flow = np.asarray(needed) * np.array([1.0, 1.0, 0.5, 1.0])
    rise = water.specific_enthalpy(exchange.facility_return_temperature) - water.specific_enthalpy(supplies)
    assert np.asarray(rise) * flow == pytest.approx(HEAT, rel=1e-9)
    rise = coolant.specific_enthalpy(exchange.return_temperature) - coolant.specific_enthalpy(
        exchange.supply_temperature
    )
    assert 6.0 * np.asarray(rise) == pytest.approx(HEAT - PUMP, rel=1e-9)
