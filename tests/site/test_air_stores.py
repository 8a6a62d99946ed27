"""Room air and chilled water in time: at rest, without air handlers, without a plant, and with heat conserved."""

import jax.numpy as jnp
import pytest

from voltherm.site.air_stores import chilled_water_mass, room_heat_capacity, step_air
from voltherm.site.equipment import build_equipment
from voltherm.site.states import AirState, RejectionState

CHILLED = 291.15


def settled(site, heat=1e5, plant_supply=CHILLED, flow=10.0):
    names = RejectionState.__dataclass_fields__
    plant = RejectionState(
        **dict.fromkeys(names, jnp.zeros(()))
        | {"supply_temperature": jnp.asarray(plant_supply), "mass_flow": jnp.asarray(flow)}
    )
    return AirState(
        plant=plant,
        supply_temperature=site.air.supply_temperature,
        return_temperature=site.air.supply_temperature + 15.0,
        heat=jnp.asarray(heat),
        fan_power=jnp.zeros(()),
        pump_power=jnp.zeros(()),
    )


def stepped(site, state, work, air, enthalpy, duration=15.0):
    equipment = build_equipment(site)
    return step_air(
        site,
        equipment.water,
        state,
        jnp.asarray(work),
        (jnp.asarray(air), enthalpy),
        jnp.asarray(CHILLED),
        jnp.asarray(duration),
    )


def at(site, temperature):
    return build_equipment(site).water.specific_enthalpy(jnp.asarray(temperature))


def test_rest_stays_rest(site):
    air, water = stepped(site, settled(site), 1.0, float(site.air.supply_temperature), at(site, CHILLED))
    assert air == pytest.approx(float(site.air.supply_temperature), abs=1e-10)
    assert water == pytest.approx(float(at(site, CHILLED)), abs=1e-6)


def test_without_air_handlers_the_room_warms_by_its_heat_alone(site):
    air, water = stepped(site, settled(site), 0.0, 298.15, at(site, CHILLED), 60.0)
    assert air - 298.15 == pytest.approx(60.0 * 1e5 / (8 * 100e3), rel=1e-12)
    assert water == pytest.approx(float(at(site, CHILLED)), rel=1e-14)


def test_without_a_plant_the_chilled_water_takes_the_heat(site):
    flow = 10.0
    returning = float(at(site, CHILLED)) + 1e5 / flow
    warm = float(build_equipment(site).water.temperature_at_enthalpy(jnp.asarray(returning)))
    _, water = stepped(
        site, settled(site, plant_supply=warm), 1.0, float(site.air.supply_temperature), at(site, CHILLED), 1.0
    )
    mass = float(chilled_water_mass(site, build_equipment(site).water))
    assert water - at(site, CHILLED) == pytest.approx(1e5 / mass, rel=0.01)


def test_air_above_where_it_settles_gives_its_heat_to_the_water(site):
    start = float(site.air.supply_temperature) + 4.0
    air, water = stepped(site, settled(site, flow=0.0), 1.0, start, at(site, CHILLED), 30.0)
    assert float(site.air.supply_temperature) < air < start
    lost = float(room_heat_capacity(site)) * (start - float(air))
    gained = float(chilled_water_mass(site, build_equipment(site).water)) * float(water - at(site, CHILLED))
    assert gained == pytest.approx(lost, rel=1e-9)
