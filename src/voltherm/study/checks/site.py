"""Whole-site checks: closed-loop claims, rack figures and facility indicators, with the package's media and indicators.

Relative errors are differences over the reference value; where a list stands in the reference, the largest counts.
"""

import json
from pathlib import Path
from typing import Any

import jax.numpy as jnp

from voltherm.media import Water, moist_air, propylene_glycol_from_volume_fraction
from voltherm.media.liquid import AbstractLiquid
from voltherm.site import indicators
from voltherm.study.validation import case_file

_ZERO_CELSIUS = 273.15
_MEGA = 1.0e6
_SECONDS_PER_MINUTE = 60.0
_JOULES_PER_KILOWATT_HOUR = 3.6e6
_SECONDS_PER_YEAR = 8760.0 * 3600.0


def _reference(folder: Path, name: str) -> dict[str, Any]:
    return json.loads(case_file(folder, name).read_text(encoding="utf-8"), parse_int=float)


def _relative(value: float, reference: float) -> float:
    return abs(value - reference) / abs(reference)


def _enthalpy_rise(liquid: AbstractLiquid, celsius: float, rise: float) -> float:
    """Heat per kilogram [J/kg] that warms the liquid from `celsius` by `rise`."""
    temperature = jnp.asarray(celsius + _ZERO_CELSIUS)
    return float(liquid.specific_enthalpy(temperature + rise) - liquid.specific_enthalpy(temperature))


def _density(liquid: AbstractLiquid, celsius: float) -> float:
    return float(liquid.density(jnp.asarray(celsius + _ZERO_CELSIUS)))


def _evaporation_per_heat(celsius: float) -> float:
    """Water that evaporates per kWh of heat it takes away [kg/kWh], liquid and vapour at `celsius`."""
    temperature = jnp.asarray(celsius + _ZERO_CELSIUS)
    one_kilogram = moist_air.enthalpy(temperature, jnp.ones_like(temperature))
    vapour = one_kilogram - moist_air.enthalpy(temperature, jnp.zeros_like(temperature))
    return _JOULES_PER_KILOWATT_HOUR / float(vapour - Water().specific_enthalpy(temperature))


def _yearly_water_usage(water_volume: float, power: float) -> float:
    """WUE [L/kWh] of a year with `water_volume` [m3] at a constant IT power [W]."""
    return float(indicators.water_usage_effectiveness(water_volume, power * _SECONDS_PER_YEAR))


def closed_loop(folder: Path, reference: str, temperature: float) -> dict[str, float]:
    """Fill, thermal inertia, turnover and water use of the campuses' closed loops, water at `temperature` [C]."""
    stored = _reference(folder, reference)
    abilene, jupiter, constants, evaporative = (
        stored[name] for name in ("abilene", "jupiter", "constants", "evaporative")
    )
    water = Water()
    fill = abilene["fill_m3_per_building"]
    mass = fill * _density(water, temperature)
    one, ten, twenty = (_enthalpy_rise(water, temperature, rise) for rise in (1.0, 10.0, 20.0))

    per_megawatt, inertia, time, turnover = [], [], [], []
    for megawatts in (103.0, 112.5, 150.0):
        published = abilene[f"per_MW_at_{megawatts:g}_MW_building".replace(".", "_")]
        power = megawatts * _MEGA
        per_megawatt.append(_relative(fill / megawatts, published["m3_per_MW"]))
        if "MJ_per_K_per_MW" in published:
            inertia.append(_relative(mass * one / power, published["MJ_per_K_per_MW"]))
        time.append(_relative(mass * one / power, published["seconds_per_K_without_rejection"]))
        turnover.append(_relative(mass * ten / power / _SECONDS_PER_MINUTE, published["turnover_min_at_dT_10K"]))

    campus = 900.0 * _MEGA
    abilene_usage = _yearly_water_usage(abilene["makeup_m3_per_yr_campus"], campus)
    evaporated = evaporative["campus_900_MW_at_1_8_L_per_kWh_m3_per_yr"]
    tower = _yearly_water_usage(2.6 * _MEGA * constants["us_gallon_m3"], _MEGA)
    usage = [
        _relative(abilene_usage, abilene["WUE_L_per_kWh_at_900_MW"]),
        _relative(_yearly_water_usage(jupiter["makeup_m3_per_yr"], 2.462e9), jupiter["WUE_L_per_kWh_at_2_462_GW"]),
        _relative(_yearly_water_usage(evaporated, campus), 1.8),
        _relative(tower, evaporative["nvidia_tower_baseline_L_per_kWh"]),
    ]
    latent_bound = evaporative["latent_bound_L_per_kWh_heat"]
    return {
        "fill per megawatt, relative": max(per_megawatt),
        "heat capacity per megawatt, relative": max(inertia),
        "time per kelvin without rejection, relative": max(time),
        "turnover time at 10 K, relative": max(turnover),
        "turnover time at twice the rise over twice the time": twenty / (2.0 * ten) - 1.0,
        "WUE, relative": max(usage),
        "WUE of a closed loop above 0.001 L/kWh": max(0.0, abilene_usage - 1.0e-3),
        "evaporation per heat, relative": _relative(_evaporation_per_heat(temperature), latent_bound),
        "evaporation bound, relative": _relative(indicators.evaporation_bound(), latent_bound),
    }


def racks(folder: Path, reference: str, volume_fraction: float, supply_temperature: float) -> dict[str, float]:
    """Rack and building figures: flow rule from the glycol's own enthalpy and density, counts and power."""
    stored = _reference(folder, reference)
    rack, rule, building = stored["racks"]["GB200_NVL72"], stored["flow_rule"], stored["building_check"]
    glycol = propylene_glycol_from_volume_fraction(volume_fraction)
    density = _density(glycol, supply_temperature)
    heat = _enthalpy_rise(glycol, supply_temperature, 10.0)
    litres_per_minute_per_kilowatt = 1.0e3 / heat / density * 1.0e3 * _SECONDS_PER_MINUTE

    rack_kilowatts = rack["liquid_kW"] + rack["air_kW"]
    published_flow = rule["GB200_115kW_dT10_L_per_min"] / 1.0e3 / _SECONDS_PER_MINUTE
    warmed = glycol.temperature_at_enthalpy(
        glycol.specific_enthalpy(jnp.asarray(supply_temperature + _ZERO_CELSIUS))
        + rack["liquid_kW"] * 1.0e3 / (published_flow * density)
    )
    rack_counts = [gpus / rack["gpus"] for gpus in building["gpus"]]
    return {
        "flow per kilowatt at 10 K, relative": _relative(
            litres_per_minute_per_kilowatt, rule["L_per_min_per_kW_at_dT_10K"]
        ),
        "flow of a rack at 10 K, relative": _relative(
            litres_per_minute_per_kilowatt * rack["liquid_kW"], rule["GB200_115kW_dT10_L_per_min"]
        ),
        "temperature rise at the published flow": float(warmed) - _ZERO_CELSIUS - supply_temperature - 10.0,
        "liquid share": rack["liquid_kW"] / rack_kilowatts - rack["liquid_fraction"],
        "racks of a building": max(
            abs(count - published) for count, published in zip(rack_counts, building["racks"], strict=True)
        ),
        "IT power of a building": max(
            abs(count * rack_kilowatts / 1.0e3 - published)
            for count, published in zip(rack_counts, building["IT_MW_at_132_kW"], strict=True)
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
