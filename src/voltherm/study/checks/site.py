"""Whole-site checks: the shipped building, built and solved, against closed-loop claims and rack figures.

Relative errors are differences over the reference value. Published figures of medium certainty make bands: the error is
how far the model lies outside. What the reference gives for a load of its own is carried over to the model's by
proportion: seconds, cubic metres and joules per kelvin are all per megawatt.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from voltherm.media import Water, moist_air
from voltherm.numerics import ResultCode
from voltherm.site import Site, SiteState, indicators, outputs, simulate, steady, with_parameters
from voltherm.site.electrical import nameplate_liquid_power, rack_supply
from voltherm.site.fluids import liquid_named
from voltherm.site.outputs import makeup_water, seconds_per_kelvin
from voltherm.site.racks import solve_racks
from voltherm.site.row_stores import row_heat_capacity
from voltherm.site.states import RackStates
from voltherm.study.validation import case_file

_ZERO_CELSIUS = 273.15
_MEGA = 1.0e6
_SECONDS_PER_MINUTE = 60.0
_LITRES = 1.0e3  # in a cubic metre
_JOULES_PER_KILOWATT_HOUR = 3.6e6
_SECONDS_PER_YEAR = 8760.0 * 3600.0
_WATCHED = 1200.0  # s: as long as the rise of the facility water is measured


def _reference(folder: Path, name: str) -> dict[str, Any]:
    return json.loads(case_file(folder, name).read_text(encoding="utf-8"), parse_int=float)


def _relative(value: float, reference: float) -> float:
    return abs(value - reference) / abs(reference)


def _outside(value: float, band: list[float]) -> float:
    """How far a value lies outside a band; NaN where it is not a number."""
    return value - min(max(value, min(band)), max(band))


def _evaporation_per_heat(celsius: float) -> float:
    """Water that evaporates per kWh of heat it takes away [kg/kWh], liquid and vapour at `celsius`."""
    temperature = jnp.asarray(celsius + _ZERO_CELSIUS)
    one_kilogram = moist_air.enthalpy(temperature, jnp.ones_like(temperature))
    vapour = one_kilogram - moist_air.enthalpy(temperature, jnp.zeros_like(temperature))
    return _JOULES_PER_KILOWATT_HOUR / float(vapour - Water().specific_enthalpy(temperature))


@eqx.filter_jit
def _steady(site: Site) -> tuple[SiteState, jax.Array, dict[str, jax.Array]]:
    solution = steady(site)
    return solution.value, solution.status.result, outputs(site, solution.value)


def solved(site: Site) -> tuple[SiteState, dict[str, float]]:
    """State and figures of a site. **Raises** `ValueError` where it has no steady state."""
    state, result, figures = _steady(site)
    if int(result) != ResultCode.CONVERGED:
        raise ValueError(f"the site has no steady state: {ResultCode(int(result)).name}")
    return state, {name: float(value) for name, value in figures.items()}


def closed_loop(folder: Path, reference: str, temperature: float, sites: Mapping[str, Site]) -> dict[str, float]:
    """Fill, thermal inertia, turnover and water use of the configured building against what is published.

    `sites`: "building" as it is shipped, of which counts and sizes are taken, and "cut_down", in proportion to it,
    which is solved on its hot day and loses its heat rejection. `temperature`: of evaporating water [C].
    """
    stored = _reference(folder, reference)
    abilene, evaporative = stored["abilene"], stored["evaporative"]
    loads = {
        megawatts: abilene[f"per_MW_at_{megawatts:g}_MW_building".replace(".", "_")] for megawatts in (103.0, 150.0)
    }
    least = loads[103.0]
    building, cut_down = sites["building"], sites["cut_down"]
    fill = float(cut_down.facility.volume)
    share = fill / abilene["fill_m3_per_building"]
    racks_over_cut_down = building.building.racks / cut_down.building.racks

    state, figures = solved(cut_down)
    plant = state.buildings.facility.plant
    heat, rise = float(plant.heat[0]), float(plant.return_temperature[0] - plant.supply_temperature[0])
    # what 103 MW a building would be, for the heat and the fill of the site that is solved
    same_load = 103.0 * _MEGA * share / heat
    heat_capacity = float(seconds_per_kelvin(cut_down, state)[0]) * heat
    density = liquid_named(cut_down.facility.fluid).density(plant.supply_temperature[0])
    turnover = fill * float(density / plant.mass_flow[0]) * 10.0 / rise / _SECONDS_PER_MINUTE
    fill_alone = _fill_alone(cut_down, state, heat)
    dry, _ = solved(with_parameters(cut_down, {"chillers.count": 0.0}))
    warmest = float(jnp.max(dry.buildings.facility.plant.supply_temperature))

    makeup, campus = float(makeup_water(building)), 900.0 * _MEGA / abilene["buildings"]
    usage = {
        power: float(indicators.water_usage_effectiveness(makeup, power * _SECONDS_PER_YEAR))
        for power in (campus, figures["it_power"] * racks_over_cut_down)
    }
    latent_bound = evaporative["latent_bound_L_per_kWh_heat"]
    return {
        "fill of the building, relative": _relative(float(building.facility.volume), abilene["fill_m3_per_building"]),
        "fill per rack, cut down over whole, relative": _relative(
            fill * racks_over_cut_down, float(building.facility.volume)
        ),
        "fill per megawatt at the intake, outside the published band": _outside(
            fill / figures["facility_power"] * _MEGA, [one["m3_per_MW"] for one in loads.values()]
        ),
        "heat capacity of the fill per megawatt, relative": _relative(
            heat_capacity / (103.0 * share * _MEGA), least["MJ_per_K_per_MW"]
        ),
        "time per kelvin without rejection at 103 MW, outside the published band": _outside(
            fill_alone / same_load, [one["seconds_per_K_without_rejection"] for one in loads.values()]
        ),
        "time per kelvin without rejection, relative to the published at the same load": _relative(
            fill_alone, least["seconds_per_K_without_rejection"] * same_load
        ),
        "turnover time at 10 K, relative to the published at the same load": _relative(
            turnover, least["turnover_min_at_dT_10K"] * same_load
        ),
        "facility water without trim chillers, below the ambient": max(0.0, float(cut_down.climate.dry_bulb) - warmest),
        "WUE at the published load, relative": _relative(usage[campus], abilene["WUE_L_per_kWh_at_900_MW"]),
        "WUE above 0.001 L/kWh": max(0.0, max(usage.values()) - 1.0e-3),
        "evaporation per heat, relative": _relative(_evaporation_per_heat(temperature), latent_bound),
        "evaporation bound, relative": _relative(indicators.evaporation_bound(), latent_bound),
    }


def _fill_alone(site: Site, state: SiteState, heat: float) -> float:
    """Seconds in which the fill would warm by 1 K with the `heat` [W] of the start, after the simulated course.

    The published arithmetic knows the fill and one heat. In the course the rows store besides the fill, as far as their
    supply warms along, and the condensers of the air side give more heat as the water warms.
    """
    ride = simulate(site, state, duration=_WATCHED)
    watched = (ride.time >= ride.window[0]) & (ride.time <= ride.window[1])
    time, supply = ride.time[watched], ride.supply[watched]
    along = (supply[-1] - supply[0]) / (time[-1] - time[0]) * ride.seconds_per_kelvin
    rows = site.building.rows * float(row_heat_capacity(site, liquid_named(site.secondary.fluid)))
    beside_fill = along * rows / (float(seconds_per_kelvin(site, state)[0]) * heat)
    return ride.seconds_per_kelvin * float(np.mean(ride.heat_in[watched])) / heat / (1.0 + beside_fill)


@eqx.filter_jit
def _one_rack(site: Site, supply_temperature: jax.Array, volume_flow: jax.Array) -> RackStates:
    """One rack of a site at a supply temperature [K] and a flow [m3/s] that its trays share by their power."""
    rack, coolant = site.rack, liquid_named(site.secondary.fluid)
    compute = rack.gpu.per_tray * rack.gpu.power + rack.cpu.per_tray * rack.cpu.power
    switch = rack.switch.per_tray * rack.switch.power
    power = jnp.concatenate([jnp.full(rack.compute_trays, compute), jnp.full(rack.switch_trays, switch)])
    flow = volume_flow * coolant.density(supply_temperature) * power / nameplate_liquid_power(rack)
    one = jnp.ones_like(rack.load_factor)
    return solve_racks(site, rack_supply(site), coolant, supply_temperature[None], flow[None, None, :], one)


def racks(folder: Path, reference: str, supply_temperature: float, sites: Mapping[str, Site]) -> dict[str, float]:
    """The configured rack at the published flow, and the configured building of such racks, against what is published.

    `supply_temperature`: of the rack [C]; `sites`: "building" as it is shipped.
    """
    stored = _reference(folder, reference)
    published, rule, counted = stored["racks"]["GB200_NVL72"], stored["flow_rule"], stored["building_check"]
    site = sites["building"]
    flow = rule["GB200_115kW_dT10_L_per_min"]
    supply = jnp.asarray(supply_temperature + _ZERO_CELSIUS)
    state = _one_rack(site, supply, jnp.asarray(flow / _LITRES / _SECONDS_PER_MINUTE))
    rise = float(state.return_temperature[0, 0] - supply)
    liquid, air, power = (
        float(values[0, 0]) / 1.0e3 for values in (state.liquid_heat, state.air_heat, state.electrical_power)
    )
    gpus = float(np.prod(state.gpu_temperature.shape))
    count = float(site.building.racks)
    return {
        "flow per kilowatt at 10 K, relative": _relative(
            flow / liquid * rise / 10.0, rule["L_per_min_per_kW_at_dT_10K"]
        ),
        "temperature rise at the published flow": rise - 10.0,
        "liquid share": liquid / (liquid + air) - published["liquid_fraction"],
        "GPUs of a rack": gpus - published["gpus"],
        "racks of a building, outside the published band": _outside(count, counted["racks"]),
        "GPUs of a building, outside the published band": _outside(count * gpus, counted["gpus"]),
        "IT power of a building, outside the published band": _outside(
            count * power / 1.0e3, counted["IT_MW_at_132_kW"]
        ),
    }


def facility_indicators(folder: Path, reference: str) -> dict[str, float]:
    """PUE, ERF, ERE, WUE and CUE of the worked example, relative, and the bounds that its totals break."""
    example = _reference(folder, reference)["worked_example"]
    expected = example["expected"]
    it_energy = example["E_IT_kWh"] * _JOULES_PER_KILOWATT_HOUR
    overhead = example["cooling_kWh"] + example["distribution_loss_kWh"] + example["lights_kWh"]
    facility = it_energy + overhead * _JOULES_PER_KILOWATT_HOUR
    reused = example["reused_kWh"] * _JOULES_PER_KILOWATT_HOUR
    effectiveness = indicators.power_usage_effectiveness(
        facility, it_energy, category=indicators.Category.IT_INPUT, interim=False, boundary="worked example"
    )
    found = {
        "PUE": effectiveness.value,
        "ERF": indicators.energy_reuse_factor(reused, facility),
        "ERE": indicators.energy_reuse_effectiveness(facility, reused, it_energy),
        "WUE_L_per_kWh": indicators.water_usage_effectiveness(example["water_m3"], it_energy),
        "CUE_kg_per_kWh": indicators.carbon_usage_effectiveness(facility, it_energy, example["grid_kgCO2_per_kWh"]),
    }
    errors = {
        f"{name.split('_')[0]}, relative": _relative(float(value), expected[name]) for name, value in found.items()
    }
    broken = indicators.broken_bounds(facility, it_energy, reused_energy=reused)
    return errors | {"bounds broken": float(len(broken))}
