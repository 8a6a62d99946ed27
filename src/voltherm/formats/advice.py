"""What a case will be told after it is solved, as far as its numbers alone say it: no mistakes, but worth a warning.

    T_coldest ~ min over months of (mean - range / 2 - 2 a sigma),   T_hottest ~ max of (mean + range / 2 + 2 a sigma)
    w_duty² H_0 = dp + dp_CDU x² + (H_0 - H_n) x²,   x = m_duty / m_n,   flow over best flow = x / w_duty

| symbol | meaning | unit |
| --- | --- | --- |
| mean, range | monthly mean and mean daily range of the dry bulb | K |
| sigma, a | spread of daily means, and its seasonal share, 1.5 in the coldest month, 0.5 in the hottest | K, - |
| H_0, H_n, m_n | head of the CDU's pump at no flow and at its best point, flow there | Pa, kg/s |
| dp, dp_CDU | differential pressure held, drop inside the CDU at m_n | Pa |
| m_duty | nominal flow of the racks of a row | kg/s |

Sources: `voltherm.site.climate`, whose coldest hour is -12.1 °C in Abilene where this says -12.5;
`voltherm.site.findings.pumps`, whose 155 % of the shipped building this meets within 2 %. `run` has the last word,
with the solved state.
"""

import math
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

from voltherm.formats.coolants import coolant_problem, freezing_temperature
from voltherm.formats.rack_power import LOAD, RackHeat, rack_heat
from voltherm.formats.rules import BUILDING_RACKS, power_text
from voltherm.formats.schema import by_path
from voltherm.formats.source import OVERRIDE

_WINTER_SHARE, _SUMMER_SHARE = 1.5, 0.5
_DEVIATIONS = 2.0
_COOLANT_DENSITY = 1000.0
"""kg/m3, to a few per cent that of all coolants of these loops."""

_GAS_CONSTANT, _AIR_HEAT_CAPACITY = 287.0, 1007.0
"""J/(kg K), of dry air."""
_HOTTER = 1.0
"""K: how exact the estimate of the hottest hour is."""

_OVER_RATING = 0.02
"""Share of a rating that heat may lie above it before a word is said: the duty's temperatures differ by more."""
_LEAST_STRENGTH = 3.0
"""Short-circuit power over load below which a network is weak: IEEE 1204-1997 calls ratios of 2 to 3 low."""

Values = Mapping[str, Any]


def advice(configured: SimpleNamespace) -> list[tuple[str, str]]:
    """Paths of a checked configuration, and what is to be said there."""
    values, found = by_path(configured), []
    for path, rule in _RULES:
        message = rule(values)
        if message:
            found.append((path, message))
    return found


def _celsius(kelvin: float) -> str:
    return f"{kelvin - 273.15:.1f} degC"


def coldest_hour(values: Values) -> float:
    """About the coldest hour [K] of the parametric year."""
    spread = _DEVIATIONS * _WINTER_SHARE * values["climate.synoptic_deviation"]
    months = zip(values["climate.monthly_mean"], values["climate.monthly_daily_range"], strict=True)
    return min(mean - 0.5 * daily for mean, daily in months) - spread


def _outdoor_coils(values: Values) -> str | None:
    fluid, margin = values["facility.fluid"], values["limits.freezing_margin"]
    coldest = coldest_hour(values)
    if coolant_problem(fluid) or coldest >= freezing_temperature(fluid) + margin:
        return None
    return (
        f"{fluid} stands in dry coolers outdoors, freezes at {_celsius(freezing_temperature(fluid))}, and the coldest "
        f"hour of the year has about {_celsius(coldest)}: use more glycol, or coils that drain when they stand"
    )


def cdu_pump_flow(values: Values) -> float:
    """Flow of a CDU's pump over its best flow at the nominal flow of the racks of its row."""
    duty = values["building.racks_per_row"] * values["rack.manifold_nominal_flow"] * _COOLANT_DENSITY
    relative = duty / values["secondary.pump_nominal_flow"]
    shutoff, nominal = values["secondary.pump_shutoff_pressure"], values["secondary.pump_nominal_pressure"]
    inside = values["secondary.cdu_pressure_drop"] + shutoff - nominal
    speed = math.sqrt((values["secondary.differential_pressure"] + inside * relative**2) / shutoff)
    return relative / min(speed, 1.0)


def _cdu_pump(values: Values) -> str | None:
    flow = cdu_pump_flow(values)
    low, high = (values[f"limits.pump_flow_{end}"] for end in ("minimum", "maximum"))
    if low <= flow <= high:
        return None
    return (
        f"at the nominal flow of its racks a CDU's pump runs at about {100 * flow:.0f} % of its best flow; preferred "
        f"is {100 * low:.0f} to {100 * high:.0f} %: choose a pump of another head or flow"
    )


def _supply_maximum(values: Values) -> str | None:
    set_point, most = values["secondary.supply_temperature"], values["limits.supply_maximum"]
    if set_point <= most:
        return None
    return f"{_celsius(set_point)} is above limits.supply_maximum, {_celsius(most)}, which the racks' maker allows"


def _heat(values: Values) -> RackHeat:
    return rack_heat(*(values[path] for path in LOAD))


def _racks(values: Values) -> int:
    """Racks of one building."""
    return math.prod(values[path] for path in BUILDING_RACKS)


def _cdu(values: Values) -> str | None:
    racks, rated = values["building.racks_per_row"], values["cdu.rated_heat"]
    heat = racks * _heat(values).liquid
    if heat <= rated * (1.0 + _OVER_RATING):
        return None
    return (
        f"a row gives {power_text(heat)} to its CDU, which is rated for {power_text(rated)}: its supply floats above "
        "the set point where facility water is not that much colder"
    )


def _handlers(values: Values) -> str | None:
    heat = _racks(values) * _heat(values).air
    rated = values["air.handlers"] * values["air.coil_rated_heat"]
    if heat <= rated * (1.0 + _OVER_RATING):
        return None
    return (
        f"the racks give {power_text(heat)} to the air, and the coils of the building's {values['air.handlers']:g} air "
        f"handlers are rated for {power_text(rated)} together: the rooms warm"
    )


def _rack_air(values: Values) -> str | None:
    density = values["climate.pressure"] / (_GAS_CONSTANT * values["air.supply_temperature"])
    heat, flow = _heat(values).air, values["rack.air_flow"]
    back = values["air.supply_temperature"] + heat / (density * _AIR_HEAT_CAPACITY * flow)
    most = values["limits.return_air_maximum"]
    if back <= most:
        return None
    return (
        f"{flow:.3g} m3/s of air takes {power_text(heat)} from a rack and leaves it at about {_celsius(back)}, above "
        f"the {_celsius(most)} of limits.return_air_maximum"
    )


def _hotter_year(values: Values) -> str | None:
    spread = _DEVIATIONS * _SUMMER_SHARE * values["climate.synoptic_deviation"]
    months = zip(values["climate.monthly_mean"], values["climate.monthly_daily_range"], strict=True)
    hottest = max(mean + 0.5 * daily_range + spread for mean, daily_range in months)
    day = values["climate.dry_bulb"]
    if hottest <= day + _HOTTER:
        return None
    return (
        f"the year reaches about {_celsius(hottest)}, and the hot day is one of {_celsius(day)}: the highest supply is "
        "one for that day, and not for the hottest hours"
    )


def _intake(values: Values) -> str | None:
    load = values["building.count"] * _racks(values) * _heat(values).power
    strength = values["electrical.intake_short_circuit"]
    if strength >= _LEAST_STRENGTH * load:
        return None
    return (
        f"the racks of the site draw {power_text(load)} behind a short-circuit power of "
        f"{strength / 1e6:.4g} MVA, less than {_LEAST_STRENGTH:g} times as much: voltages fall far with the load"
    )


def _mechanical(values: Values) -> str | None:
    cooling = values["building.halls"] * values["building.rows_per_hall"] * values["cdu.electronics"]
    cooling += values["dry_coolers.count"] * values["dry_coolers.rated_fan_power"] + values["electrical.house_load"]
    cooling += (
        values["air.handlers"]
        * values["air.coil_rated_air_flow"]
        * values["air.fan_pressure"]
        / values["air.fan_efficiency"]
    )
    count, rating = values["electrical.mechanical_substations"], values["electrical.mechanical_substation.rating"]
    most = count * rating * values["limits.loading_maximum"]
    if cooling <= most:
        return None
    return (
        f"fans and house load alone draw {power_text(cooling)} at their ratings, more than the {count} mechanical "
        f"substations of {rating / 1e6:.3g} MVA may carry, {power_text(most, 'VA')}: chillers and pumps come on top"
    )


def inherited_weather(written: Mapping[str, str]) -> str | None:
    """What is to be said of a case that has its own name and another one's weather; `written`: files by path."""
    named, weather = written.get("name"), written.get("climate.monthly_mean")
    confirmed = written.get("climate.place")
    if named is None or weather in (None, named) or confirmed == named or named == OVERRIDE:
        return None
    return (
        f"the weather is that of {weather}, under another name: give this site's own 'climate', name an EPW file with "
        "--weather, or say here in climate.place that it is the same place"
    )


def _condensing(path: str) -> Callable[[Values], str | None]:
    def rule(values: Values) -> str | None:
        dew, margin = values["air.dew_point"], values["limits.dew_point_margin"]
        if values[path] >= dew + margin:
            return None
        return (
            f"{_celsius(values[path])} is less than {margin:g} K above the rooms' dew point, {_celsius(dew)}: water "
            "condenses on what is not insulated"
        )

    return rule


_RULES: tuple[tuple[str, Callable[[Values], str | None]], ...] = (
    ("facility.fluid", _outdoor_coils),
    ("secondary.pump_nominal_pressure", _cdu_pump),
    ("secondary.supply_temperature", _supply_maximum),
    ("secondary.supply_temperature", _condensing("secondary.supply_temperature")),
    ("air.chilled_water_temperature", _condensing("air.chilled_water_temperature")),
    ("cdu.rated_heat", _cdu),
    ("air.coil_rated_heat", _handlers),
    ("rack.air_flow", _rack_air),
    ("climate.dry_bulb", _hotter_year),
    ("electrical.intake_short_circuit", _intake),
    ("electrical.mechanical_substation.rating", _mechanical),
)
