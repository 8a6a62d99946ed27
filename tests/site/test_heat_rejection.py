"""Dry coolers and chillers behind them, from nothing to reject to everything exhausted."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from voltherm.site import with_parameters
from voltherm.site.equipment import equipment
from voltherm.site.heat_rejection import reject

SET_POINT, FLOW = 309.15, 25.0
CASES = {  # dry coolers, chillers, return [K], dry bulb [K]
    "nothing to reject": (2.0, 4.0, 308.0, 298.15),
    "bypass at least fan speed": (2.0, 4.0, 309.5, 263.15),
    "fans": (2.0, 4.0, 319.0, 298.15),
    "chillers": (2.0, 4.0, 319.0, 313.15),
    "exhausted": (2.0, 2.0, 319.0, 318.15),
    "air warmer than the return": (2.0, 4.0, 319.0, 321.15),
    "air nearly as warm": (2.0, 4.0, 319.0, 318.9999),
    "air barely warmer": (2.0, 4.0, 319.0, 319.0001),
    "no coolers": (0.0, 4.0, 319.0, 298.15),
    "nothing works": (0.0, 0.0, 319.0, 298.15),
}


@pytest.fixture(scope="module")
def plants(site):
    """What becomes of each case, and the rate of heat [W] taken from the water."""
    made = equipment(site)

    def one(coolers, chillers, back, dry_bulb):
        there = with_parameters(site, {"climate.dry_bulb": dry_bulb})
        return reject(
            there.climate,
            made.dry_cooler,
            made.trim_chiller,
            coolers=coolers,
            chillers=chillers,
            mass_flow=jnp.asarray(FLOW),
            return_temperature=back,
            set_point=jnp.asarray(SET_POINT),
            sink_temperature=dry_bulb,
        )

    found = jax.jit(jax.vmap(one))(*jnp.asarray(list(CASES.values())).T)
    water = made.water
    taken = FLOW * (
        water.specific_enthalpy(found.return_temperature) - water.specific_enthalpy(found.supply_temperature)
    )
    named = {name: jax.tree.map(lambda leaf, lane=lane: float(leaf[lane]), found) for lane, name in enumerate(CASES)}
    return named, np.asarray(taken)


def test_heat_taken_is_the_heat_the_water_loses(plants):
    named, taken = plants
    for plant, lost in zip(named.values(), taken, strict=True):
        assert plant.heat == pytest.approx(plant.dry_cooler_heat + plant.chiller_heat, rel=1e-14)
        assert plant.heat == pytest.approx(lost, rel=1e-9, abs=1e-3)
        assert plant.dry_cooler_heat >= 0.0
        assert plant.chiller_heat >= 0.0


def test_nothing_to_reject(plants):
    plant = plants[0]["nothing to reject"]
    assert plant.heat == plant.compressor_power == 0.0
    assert plant.supply_temperature == pytest.approx(308.0, abs=1e-9)


def test_least_fan_speed_holds_the_set_point_by_bypass(plants, site):
    plant = plants[0]["bypass at least fan speed"]
    least = float(site.dry_coolers.minimum_speed)
    assert plant.fan_speed == pytest.approx(least, rel=1e-12)
    # by the cube of the speed, in air that is colder and denser than at rating
    assert 1.0 < plant.fan_power / (2.0 * 32e3 * least**3) < 1.2
    assert plant.supply_temperature == pytest.approx(SET_POINT, abs=1e-9)
    assert plant.compressor_power == 0.0


def test_fans_alone_hold_the_set_point(plants, site):
    plant = plants[0]["fans"]
    assert float(site.dry_coolers.minimum_speed) < plant.fan_speed < 1.0
    assert plant.supply_temperature == pytest.approx(SET_POINT, abs=1e-6)
    assert plant.chiller_heat < 1e-6 * plant.dry_cooler_heat


def test_chillers_take_what_full_fans_leave(plants):
    plant = plants[0]["chillers"]
    assert plant.fan_speed == 1.0
    assert plant.supply_temperature == pytest.approx(SET_POINT, abs=1e-9)
    assert 0.0 < plant.chiller_heat < 4 * 270e3
    assert plant.compressor_power > plant.chiller_heat / 12.0 * (1.0 - 1e-9)


def test_supply_floats_beyond_the_chillers(plants):
    plant = plants[0]["exhausted"]
    assert plant.chiller_heat == pytest.approx(2 * 270e3, rel=1e-12)
    assert SET_POINT + 0.5 < plant.supply_temperature < 319.0


def test_exhausted_chillers_lift_from_the_temperature_that_they_reach(plants, site):
    plant = plants[0]["exhausted"]
    chillers = site.chillers
    evaporating = plant.supply_temperature - float(chillers.evaporator_approach)
    lift = 318.15 + float(chillers.condenser_approach) - evaporating
    # half a per cent: the upper bound of the COP is smooth and begins to be felt
    assert plant.compressor_power == pytest.approx(
        plant.chiller_heat * lift / (float(chillers.carnot_fraction) * evaporating), rel=5e-3
    )


def test_fans_step_back_without_a_jump_where_air_and_return_meet(plants, site):
    below, above = plants[0]["air nearly as warm"], plants[0]["air barely warmer"]
    assert below.fan_speed == pytest.approx(float(site.dry_coolers.minimum_speed), rel=1e-3)
    assert below.fan_power == pytest.approx(above.fan_power, rel=1e-2)
    assert below.supply_temperature == pytest.approx(above.supply_temperature, abs=1e-6)
    assert below.compressor_power == pytest.approx(above.compressor_power, rel=1e-4)


def test_air_warmer_than_the_return_is_kept_out(plants, site):
    plant = plants[0]["air warmer than the return"]
    assert plant.dry_cooler_heat == 0.0
    assert plant.fan_speed == pytest.approx(float(site.dry_coolers.minimum_speed))
    assert plant.chiller_heat > 0.0


def test_machines_that_do_not_work_do_nothing(plants):
    without = plants[0]["no coolers"]
    assert without.dry_cooler_heat == without.fan_power == 0.0
    assert without.supply_temperature == pytest.approx(SET_POINT, abs=1e-9)
    idle = plants[0]["nothing works"]
    assert idle.heat == idle.fan_power == idle.compressor_power == 0.0
    assert idle.supply_temperature == pytest.approx(319.0, abs=1e-9)
