"""Dry coolers and chillers behind them: who does the work, from nothing to reject to everything exhausted."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from voltherm.site.equipment import build_equipment
from voltherm.site.heat_rejection import Plant, reject

SET_POINT, FLOW = 309.15, 25.0
CASES = {  # dry coolers, chillers, return [K], air [K]
    "nothing to reject": (2.0, 4.0, 308.0, 298.15),
    "bypass at least fan speed": (2.0, 4.0, 309.5, 263.15),
    "fans": (2.0, 4.0, 319.0, 293.15),
    "shared": (2.0, 4.0, 319.0, 307.15),
    "chillers": (2.0, 4.0, 319.0, 313.15),
    "fans help full chillers": (2.0, 2.5, 319.0, 306.65),
    "exhausted": (2.0, 2.0, 319.0, 318.15),
    "air warmer than the return": (2.0, 4.0, 319.0, 321.15),
    "air nearly as warm": (2.0, 4.0, 319.0, 318.9999),
    "air barely warmer": (2.0, 4.0, 319.0, 319.0001),
    "no coolers": (0.0, 4.0, 319.0, 298.15),
    "no chillers": (2.0, 0.0, 319.0, 307.15),
    "nothing works": (0.0, 0.0, 319.0, 298.15),
    "outside the envelope": (2.0, 4.0, 329.0, 334.15),
}


def plant_of(site, coolers, chillers, air):
    equipment = build_equipment(site)
    return Plant(
        equipment.dry_cooler,
        equipment.trim_chiller,
        coolers=jnp.asarray(coolers),
        chillers=jnp.asarray(chillers),
        air_temperature=jnp.asarray(air),
        air_pressure=site.climate.pressure,
        sink_temperature=jnp.asarray(air),
    )


@pytest.fixture(scope="module")
def plants(site):
    """What becomes of each case, and the rate of heat [W] taken from the water."""

    def one(coolers, chillers, back, air):
        plant = plant_of(site, coolers, chillers, air)
        return reject(plant, mass_flow=jnp.asarray(FLOW), return_temperature=back, set_point=jnp.asarray(SET_POINT))

    found = jax.jit(jax.vmap(one))(*jnp.asarray(list(CASES.values())).T)
    water = build_equipment(site).water
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


def brute_force(site, coolers, chillers, back, air):
    """Least power [W] of fans and compressors that hold the set point, and its fan speed, by trying 100,001 speeds."""
    plant = plant_of(site, coolers, chillers, air)
    cooler, water = plant.cooler, plant.cooler.liquid
    wanted = FLOW * (water.specific_enthalpy(jnp.asarray(back)) - water.specific_enthalpy(jnp.asarray(SET_POINT)))
    speed = jnp.linspace(float(site.dry_coolers.minimum_speed), float(site.dry_coolers.maximum_speed), 100001)
    each = jnp.full_like(speed, FLOW / coolers)
    air_temperature, pressure = jnp.full_like(speed, air), jnp.full_like(speed, site.climate.pressure)
    fans = cooler.operate(jnp.full_like(speed, back), each, air_temperature, pressure, speed)
    left = (wanted - coolers * fans.heat_flow) / chillers
    machine = plant.chiller.operate(jnp.maximum(left, 0.0), jnp.full_like(speed, SET_POINT), jnp.full_like(speed, air))
    total = jnp.where(machine.unmet_heat_flow > 0.0, jnp.inf, coolers * fans.fan_power + chillers * machine.power)
    best = int(jnp.argmin(total))
    return float(total[best]), float(speed[best])


@pytest.mark.parametrize("case", ["shared", "chillers", "fans help full chillers", "fans"])
def test_fans_and_chillers_share_the_work_where_their_sum_is_least(case, plants, site):
    plant = plants[0][case]
    power, speed = brute_force(site, *CASES[case])
    assert plant.supply_temperature == pytest.approx(SET_POINT, abs=1e-9)
    assert plant.fan_power + plant.compressor_power == pytest.approx(power, rel=2e-4)
    assert plant.fan_speed == pytest.approx(speed, abs=1e-3)
    if case in ("shared", "chillers"):
        assert float(site.dry_coolers.minimum_speed) < plant.fan_speed < 1.0
        assert plant.chiller_heat > 0.0


def test_supply_floats_beyond_the_chillers(plants):
    plant = plants[0]["exhausted"]
    assert plant.chiller_heat == pytest.approx(2 * 270e3, rel=1e-12)
    assert plant.fan_speed == 1.0
    assert SET_POINT + 0.5 < plant.supply_temperature < 319.0


def test_chillers_outside_their_envelope_take_nothing(plants):
    plant = plants[0]["outside the envelope"]
    assert plant.chiller_heat == plant.compressor_power == 0.0
    assert plant.supply_temperature == pytest.approx(329.0, abs=1e-9)


DERIVED = {"shared": CASES["shared"], "full chillers": CASES["fans help full chillers"], "fans": CASES["fans"]}


@pytest.mark.parametrize("case", [*DERIVED, "capped"])
def test_derivatives_of_the_shared_work(case, site):
    """Power and fan speed against central differences, through the condition that holds in each case."""
    coolers, chillers, back, air = DERIVED.get(case, CASES["shared"])
    cap = 0.4 if case == "capped" else 1.0

    def shown(moved):
        plant = plant_of(site, coolers, chillers * moved[2], air * moved[1])
        plant = eqx.tree_at(lambda plant: plant.cooler.maximum_fan_speed, plant, cap * moved[4])
        equipment = reject(
            plant,
            mass_flow=jnp.asarray(FLOW),
            return_temperature=back * moved[0],
            set_point=SET_POINT * moved[3],
        )
        return jnp.stack(
            [
                (equipment.fan_power + equipment.compressor_power) / 1e4,
                equipment.fan_speed,
                equipment.supply_temperature,
            ]
        )

    jitted, ones, step = jax.jit(shown), jnp.ones(5), 1e-5
    exact = np.asarray(jax.jit(jax.jacrev(shown))(ones))
    assert np.asarray(jax.jit(jax.jacfwd(shown))(ones)) == pytest.approx(exact, rel=1e-9, abs=1e-9)
    for column in range(5):
        ahead, behind = (jitted(ones.at[column].add(sign * step)) for sign in (1.0, -1.0))
        difference = np.asarray(ahead - behind) / (2.0 * step)
        assert exact[:, column] == pytest.approx(difference, rel=1e-5, abs=1e-4), column
    assert (abs(exact[1, 4]) > 0.1) == (case == "capped")


def test_least_power_does_not_feel_the_speed_at_its_optimum(site):
    """dP/dw = 0: the total's derivative by the air is that at a fixed fan speed."""
    coolers, chillers, back, air = CASES["shared"]
    plant = plant_of(site, coolers, chillers, air)
    task = {"return_temperature": jnp.asarray(back), "set_point": jnp.asarray(SET_POINT)}

    def total(air, flow, cap):
        there = eqx.tree_at(lambda plant: plant.cooler.maximum_fan_speed, plant, cap)
        there = there._replace(air_temperature=air)
        equipment = reject(there, mass_flow=flow, **task)
        return equipment.fan_power + equipment.compressor_power, equipment.fan_speed

    flow, here = jnp.asarray(FLOW), jnp.asarray(air)
    (_, speed), free = jax.value_and_grad(total, has_aux=True)(here, flow, jnp.asarray(1.0))
    held, _ = jax.grad(total, has_aux=True)(here, flow, speed * (1.0 - 1e-9))
    assert free == pytest.approx(float(held), rel=1e-6)


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
def test_single_precision_finds_the_same(dtype, site, plants):
    def cast(leaf):
        return leaf.astype(dtype) if eqx.is_inexact_array(leaf) else leaf

    coolers, chillers, back, air = CASES["shared"]
    plant = jax.tree.map(cast, plant_of(site, coolers, chillers, air))
    equipment = jax.jit(
        lambda plant, *given: reject(plant, mass_flow=given[0], return_temperature=given[1], set_point=given[2])
    )(plant, *jnp.asarray([FLOW, back, SET_POINT], dtype))
    assert equipment.fan_speed.dtype == dtype
    assert equipment.fan_speed == pytest.approx(plants[0]["shared"].fan_speed, rel=2e-4)
    assert equipment.supply_temperature == pytest.approx(SET_POINT, abs=1e-3)


def test_exhausted_chillers_lift_from_what_their_evaporators_reach(plants, site):
    plant = plants[0]["exhausted"]
    chillers = site.chillers
    # the supply is warmer than they may evaporate at
    evaporating = float(chillers.highest_evaporating)
    assert plant.supply_temperature - float(chillers.evaporator_approach) > evaporating
    lift = 318.15 + float(chillers.condenser_approach) - evaporating
    assert plant.compressor_power == pytest.approx(
        plant.chiller_heat * lift / (float(chillers.carnot_fraction) * evaporating), rel=3e-3
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
    assert plants[0]["no chillers"].fan_speed == 1.0
    idle = plants[0]["nothing works"]
    assert idle.heat == idle.fan_power == idle.compressor_power == 0.0
    assert idle.supply_temperature == pytest.approx(319.0, abs=1e-9)
