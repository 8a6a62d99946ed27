"""Mistakes between numbers of racks, coolant loops and plant, and of the course in time."""

import math
from typing import Any

from voltherm.formats.coolants import coolant_problem, freezing_temperature
from voltherm.formats.phrases import EVENTS
from voltherm.formats.rack_power import LOAD, rack_heat
from voltherm.formats.rules import BUILDING_RACKS, BUILDING_ROWS, Rule, Rules, power_text

RULES = Rules()
_CHIPS = ("gpu", "cpu", "switch")
_LARGEST_BUILDING = 500e6
"""W; the largest buildings announced draw about 200 MW."""
_CONVECTION_LEFT = 0.95
"""Share of a plate's convection that a warmer coolant of its test leaves at least: it conducts better."""
_WATER_DENSITY = 1000.0
"""kg/m3; `simulate` has the last word, with the density and the flow of the steady state."""
_AIR_HEAT = 1.15e3
"""J/(m3 K) of air at 35 degC and sea level."""
_MOST_FLOW = 1.5
"""Over the starting flow: what `simulate` leaves room for when valves open."""


@RULES("building.racks_per_row", *BUILDING_RACKS, *LOAD)
def _too_many_racks(halls: int, rows: int, racks: int, *load: Any) -> str | None:
    each, count = rack_heat(*load).power, halls * rows * racks
    total = each * count
    if total <= _LARGEST_BUILDING:
        return None
    return (
        f"{halls} halls x {rows} rows x {racks} racks are {count:,} racks of {power_text(each)}, {power_text(total)} "
        f"in one building: at most {int(_LARGEST_BUILDING / each):,} such racks, {power_text(_LARGEST_BUILDING)}, fit "
        "a building; more need more buildings (building.count)"
    )


@RULES("rack.air_heat", "rack.air_heat", *LOAD)
def _air_heat(air_heat: float, *load: Any) -> str | None:
    least = rack_heat(*load).least_air_heat
    if air_heat >= least:
        return None
    return (
        f"{power_text(air_heat)} does not cover the loss of the rack's power shelves, which is part of it: "
        f"at least {math.ceil(least / 10.0) / 100.0:.4g} kW"
    )


def _supply(kind: str) -> Rule:
    def rule(supply: float, limit: float, margin: float, *chip: Any) -> str | None:
        power, factor, idle, cap, leakage, reference, scale, package, interface, area, *plate = chip
        conduction, convection, exponent, tested, coolant = plate
        resistance = package + interface / area + conduction
        if exponent == 0.0 and tested == coolant:
            resistance += _CONVECTION_LEFT * convection
        rest = max(idle, leakage)

        def share(junction: float) -> float:
            return factor * (1.0 - rest) + rest - leakage + leakage * math.exp((junction - reference) / scale)

        hottest = limit - margin
        # above this junction leakage grows faster than the heat it gives off: a warmer supply has no state there,
        # unless the power limit holds the chip
        if leakage * power * resistance > 0.0 and share(hottest) < cap:
            hottest = min(hottest, reference + scale * math.log(scale / (leakage * power * resistance)))
        rise = resistance * power * min(share(hottest), cap)
        highest = hottest - rise
        if supply < highest:
            return None
        return (
            f"{supply - 273.15:.4g} degC leaves a {kind} above its limit of {limit - 273.15:.4g} degC: it is at least "
            f"{rise:.3g} K warmer than its coolant at any flow; supply below {highest - 273.15:.3g} degC"
        )

    return rule


for _chip in _CHIPS:
    RULES(
        "secondary.supply_temperature",
        "secondary.supply_temperature",
        f"rack.{_chip}.junction_limit",
        "limits.junction_margin",
        f"rack.{_chip}.power",
        "rack.load_factor",
        f"rack.{_chip}.idle_power",
        f"rack.{_chip}.power_limit",
        f"rack.{_chip}.leakage_fraction",
        f"rack.{_chip}.leakage_reference",
        f"rack.{_chip}.leakage_scale",
        f"rack.{_chip}.package_resistance",
        f"rack.{_chip}.interface_resistance",
        f"rack.{_chip}.interface_area",
        f"rack.{_chip}.plate_base_resistance",
        f"rack.{_chip}.plate_flow_resistance",
        f"rack.{_chip}.plate_flow_exponent",
        f"rack.{_chip}.plate_coolant",
        "secondary.fluid",
    )(_supply(_chip.upper() if _chip != "switch" else "switch chip"))
    RULES(f"rack.{_chip}.plate_coolant", f"rack.{_chip}.plate_coolant")(coolant_problem)


for _loop in ("secondary", "facility"):
    RULES(f"{_loop}.fluid", f"{_loop}.fluid")(coolant_problem)


@RULES("secondary.supply_temperature", "secondary.supply_temperature", "secondary.fluid")
def _secondary_freezes(supply: float, fluid: str) -> str | None:
    return _frozen(supply, fluid)


@RULES("facility.supply_offset", "secondary.supply_temperature", "facility.supply_offset", "facility.fluid")
def _facility_freezes(supply: float, offset: float, fluid: str) -> str | None:
    return _frozen(supply - offset, fluid)


def _frozen(temperature: float, fluid: str) -> str | None:
    if coolant_problem(fluid) or temperature > freezing_temperature(fluid):
        return None
    return (
        f"a set point of {temperature - 273.15:.3g} degC is below freezing of {fluid}, about "
        f"{freezing_temperature(fluid) - 273.15:.3g} degC: keep it warmer or add glycol"
    )


@RULES(
    "dry_coolers.rated_air_flow",
    "dry_coolers.rated_air_flow",
    "dry_coolers.rated_heat",
    "dry_coolers.rated_inlet",
    "dry_coolers.rated_dry_bulb",
)
def _cooler_air(flow: float, heat: float, inlet: float, dry_bulb: float) -> str | None:
    if flow == 0.0 or inlet <= dry_bulb:
        return None
    least = heat / (_AIR_HEAT * (inlet - dry_bulb))
    if flow > least:
        return None
    return (
        f"{flow:g} m3/s of air would leave warmer than the water that enters, with {power_text(heat)}: more than "
        f"{math.ceil(least)} m3/s, or 0 m3/s to take it from the fans' power"
    )


@RULES("ride_through.step", "ride_through.duration", "ride_through.step")
def _steps(duration: float, step: float) -> str | None:
    if step > duration:
        return f"a step of {step:g} s is longer than the {duration:g} s simulated: at most that"
    if duration / step > 1e6:
        return f"{duration / step:.3g} steps: at most a million, so at least {duration / 1e6:.3g} s a step"
    return None


@RULES("ride_through.events", "ride_through.duration", "ride_through.events")
def _late_events(duration: float, events: tuple[tuple[float, ...], ...]) -> str | None:
    late = [EVENTS.shown(event, 6) for event in events if event[0] > duration]
    if not late:
        return None
    return f"'{late[0]}' lies behind the {duration:g} s simulated: raise ride_through.duration, or leave it out"


@RULES(
    "ride_through.step",
    "ride_through.step",
    "facility.volume",
    "facility.tank_fraction",
    "cdu.facility_flow",
    *BUILDING_ROWS,
)
def _step_and_pipes(step: float, volume: float, tank: float, flow: float, halls: int, rows: int) -> str | None:
    content = 0.5 * (1.0 - tank) * volume * _WATER_DENSITY
    longest = content / (_MOST_FLOW * flow * halls * rows)
    if step <= longest:
        return None
    return (
        f"a step of {step:g} s is longer than water stays in the facility's supply pipe ({content / 1e3:.3g} t, at "
        f"{_MOST_FLOW:g} times the rated flow of the CDUs, which valves that open may ask for): at most "
        f"{math.floor(10.0 * longest) / 10.0:g} s"
    )
