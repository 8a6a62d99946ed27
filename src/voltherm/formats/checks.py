"""Mistakes that show only when several numbers of a case are seen together.

Each rule names the numbers it needs and is left out where one of them is missing or wrong itself, so that one slip is
not told twice. A rule returns what is wrong and what would be right, or nothing.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any

from voltherm.formats.coolants import coolant_problem, freezing_temperature
from voltherm.formats.phrases import EVENTS
from voltherm.formats.rack_power import LOAD, curve_problem, rack_heat
from voltherm.formats.schema import Reading
from voltherm.formats.schema_site import FIELDS

Rule = Callable[..., str | None]
_RULES: list[tuple[str, tuple[str, ...], Rule]] = []

_CHIPS = ("gpu", "cpu", "switch")
_LARGEST_BUILDING = 500e6
"""W; the largest buildings announced draw about 200 MW."""
_ROUNDING = 1e-9
_CONVECTION_LEFT = 0.95
"""Share of a plate's convection that a warmer coolant of its test leaves at least: it conducts better."""
_WATER_DENSITY = 1000.0
"""kg/m3; `simulate` has the last word, with the density and the flow of the steady state."""
_AIR_HEAT = 1.15e3
"""J/(m3 K) of air at 35 degC and sea level."""
_MOST_FLOW = 1.5
"""Over the starting flow: what `simulate` leaves room for when valves open."""


def _rule(at: str, *paths: str) -> Callable[[Rule], Rule]:
    """Register a rule about the numbers at `paths`, whose problem is shown at `at`."""

    def register(function: Rule) -> Rule:
        _RULES.append((at, paths, function))
        return function

    return register


_ROWS = ("building.halls", "building.rows_per_hall")
_RACKS = (*_ROWS, "building.racks_per_row")


def _power(watts: float) -> str:
    for scale, unit in ((1e9, "GW"), (1e6, "MW"), (1e3, "kW")):
        if watts >= scale:
            return f"{watts / scale:.3g} {unit}"
    return f"{watts:.3g} W"


@_rule("building.racks_per_row", *_RACKS, *LOAD)
def _too_many_racks(halls: int, rows: int, racks: int, *load: Any) -> str | None:
    each, count = rack_heat(*load).power, halls * rows * racks
    total = each * count
    if total <= _LARGEST_BUILDING:
        return None
    return (
        f"{halls} halls x {rows} rows x {racks} racks are {count:,} racks of {_power(each)}, {_power(total)} in one "
        f"building: at most {int(_LARGEST_BUILDING / each):,} such racks, {_power(_LARGEST_BUILDING)}, fit a building; "
        "more need more buildings (building.count)"
    )


@_rule(
    "electrical.main_transformer.rating",
    *_RACKS,
    "electrical.main_transformers",
    "electrical.main_transformer.rating",
    "limits.loading_maximum",
    *LOAD,
)
def _main_transformers(
    halls: int, rows: int, racks: int, number: int, rating: float, allowed: float, *load: Any
) -> str | None:
    total = rack_heat(*load).power * halls * rows * racks
    if total <= number * rating * allowed:
        return None
    return (
        f"the racks of a building draw {_power(total)}, more than its {number} main transformers of "
        f"{rating / 1e6:g} MVA may carry: needs at least {total / number / allowed / 1e6:.4g} MVA each, or fewer racks"
    )


_CHAIN = ("building.racks_per_row", "electrical.ups.efficiency", *LOAD)


def _row_power(racks: int, efficiency: tuple[float, ...], *load: Any) -> float:
    """Least power a row draws behind its substation [W]: the UPS at its best efficiency."""
    return racks * rack_heat(*load).power / max(efficiency)


@_rule(
    "electrical.unit_substation.rating",
    "electrical.unit_substation.rating",
    "limits.loading_maximum",
    "electrical.ups.power_factor",
    *_CHAIN,
)
def _unit_substation(
    rating: float, allowed: float, factor: float, racks: int, efficiency: tuple[float, ...], *load: Any
) -> str | None:
    apparent = _row_power(racks, efficiency, *load) / factor
    if apparent <= rating * allowed:
        return None
    return (
        f"a row of {racks} racks draws {apparent / 1e6:.3g} MVA, more than its substation of {rating / 1e6:g} MVA may "
        f"carry: needs at least {apparent / allowed / 1e6:.3g} MVA, or at most "
        f"{int(racks * rating * allowed / apparent)} racks a row"
    )


@_rule("electrical.ups.rating", "electrical.ups.rating", "building.racks_per_row", *LOAD)
def _ups(rating: float, racks: int, *load: Any) -> str | None:
    needed = racks * rack_heat(*load).power
    if needed <= rating:
        return None
    return (
        f"a row of {racks} racks draws {_power(needed)}, more than its UPS of {rating / 1e6:g} MVA gives: "
        f"needs at least {needed / 1e6:.3g} MVA"
    )


@_rule("rack.air_heat", "rack.air_heat", *LOAD)
def _air_heat(air_heat: float, *load: Any) -> str | None:
    least = rack_heat(*load).least_air_heat
    if air_heat >= least:
        return None
    return (
        f"{_power(air_heat)} does not cover the loss of the rack's power shelves, which is part of it: "
        f"at least {math.ceil(least / 10.0) / 100.0:.4g} kW"
    )


@_rule("electrical.power_shelf.rating", "electrical.power_shelf.rating", *LOAD)
def _power_shelf(rating: float, *load: Any) -> str | None:
    needed = rack_heat(*load).power
    if needed <= rating:
        return None
    return (
        f"a rack draws {_power(needed)}, more than its power shelves of {_power(rating)} give: "
        f"needs at least {_power(needed)}"
    )


@_rule(
    "electrical.feeder.rating",
    "electrical.feeder.rating",
    "electrical.feeders",
    "electrical.distribution_voltage",
    "limits.loading_maximum",
    *_ROWS,
    *_CHAIN,
)
def _feeder(
    rating: float,
    feeders: int,
    voltage: float,
    allowed: float,
    halls: int,
    rows: int,
    racks: int,
    efficiency: tuple[float, ...],
    *load: Any,
) -> str | None:
    most = math.ceil(halls * rows / feeders)
    current = most * _row_power(racks, efficiency, *load) / (math.sqrt(3.0) * voltage)
    if feeders > halls * rows or current <= rating * allowed:
        return None
    needed = math.ceil(feeders * current / (rating * allowed))
    return (
        f"a feeder with {most} rows carries {current:.4g} A, more than its {rating:g} A allow: needs at least "
        f"{current / allowed:.4g} A, or about {needed} feeders"
    )


@_rule("electrical.feeders", "electrical.feeders", *_ROWS)
def _feeders_and_rows(feeders: int, halls: int, rows: int) -> str | None:
    if feeders <= halls * rows:
        return None
    return f"{feeders} feeders for {halls * rows} rows: a feeder without a row is disconnected; at most {halls * rows}"


@_rule("electrical.mechanical_feeders", "electrical.mechanical_feeders", "electrical.mechanical_substations")
def _mechanical_feeders(feeders: int, substations: int) -> str | None:
    if feeders <= substations:
        return None
    return (
        f"{feeders} feeders for {substations} mechanical substations: one without a substation is disconnected; "
        f"at most {substations}"
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
    _rule(
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
    _rule(f"rack.{_chip}.plate_coolant", f"rack.{_chip}.plate_coolant")(coolant_problem)


for _loop in ("secondary", "facility"):
    _rule(f"{_loop}.fluid", f"{_loop}.fluid")(coolant_problem)


@_rule("secondary.supply_temperature", "secondary.supply_temperature", "secondary.fluid")
def _secondary_freezes(supply: float, fluid: str) -> str | None:
    return _frozen(supply, fluid)


@_rule("facility.supply_offset", "secondary.supply_temperature", "facility.supply_offset", "facility.fluid")
def _facility_freezes(supply: float, offset: float, fluid: str) -> str | None:
    return _frozen(supply - offset, fluid)


def _frozen(temperature: float, fluid: str) -> str | None:
    if coolant_problem(fluid) or temperature > freezing_temperature(fluid):
        return None
    return (
        f"a set point of {temperature - 273.15:.3g} degC is below freezing of {fluid}, about "
        f"{freezing_temperature(fluid) - 273.15:.3g} degC: keep it warmer or add glycol"
    )


for _name in ("main_transformer", "unit_substation", "mechanical_substation"):

    @_rule(f"electrical.{_name}.vkr", f"electrical.{_name}.vk", f"electrical.{_name}.vkr")
    def _resistive_part(vk: float, vkr: float) -> str | None:
        if vkr < vk:
            return None
        return (
            f"vkr {100 * vkr:g} % is not below vk {100 * vk:g} %: it is the resistive part of vk, usually a tenth of it"
        )


@_rule(
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
        f"{flow:g} m3/s of air would leave warmer than the water that enters, with {_power(heat)}: more than "
        f"{math.ceil(least)} m3/s, or 0 m3/s to take it from the fans' power"
    )


_CURVES = ("electrical.ups", "electrical.power_shelf")
"""Sections with efficiencies over loads, which other rules read as a curve."""


_ORDERED = (
    *((f"rack.{chip}.throttle_above_limit", f"rack.{chip}.shutdown_above_limit") for chip in _CHIPS),
    ("limits.voltage_minimum", "limits.voltage_maximum"),
    ("electrical.distribution_voltage", "electrical.intake_voltage"),
    ("electrical.low_voltage", "electrical.distribution_voltage"),
    ("dry_coolers.rated_outlet", "dry_coolers.rated_inlet"),
    ("dry_coolers.rated_dry_bulb", "dry_coolers.rated_outlet"),
    ("dry_coolers.minimum_speed", "dry_coolers.maximum_speed"),
    ("chillers.highest_evaporating", "chillers.highest_condensing"),
    ("air.supply_temperature", "air.inlet_limit"),
    ("air.chilled_water_temperature", "air.supply_temperature"),
    ("air.coil_rated_water_inlet", "air.coil_rated_air_inlet"),
    ("secondary.pump_nominal_pressure", "secondary.pump_shutoff_pressure"),
    ("facility.pump_nominal_pressure", "facility.pump_shutoff_pressure"),
    ("secondary.differential_pressure", "secondary.pump_shutoff_pressure"),
    ("facility.differential_pressure", "facility.pump_shutoff_pressure"),
)
"""Pairs of numbers of which the first has to be below the second."""


def _order(reading: Reading) -> Iterator[tuple[str, str]]:
    for low, high in _ORDERED:
        smaller, larger = reading.values.get(low), reading.values.get(high)
        if smaller is not None and larger is not None and not smaller < larger:
            yield low, f"{FIELDS[low].shown(smaller)} has to be below {high}, which is {FIELDS[high].shown(larger)}"


@_rule("ride_through.step", "ride_through.duration", "ride_through.step")
def _steps(duration: float, step: float) -> str | None:
    if step > duration:
        return f"a step of {step:g} s is longer than the {duration:g} s simulated: at most that"
    if duration / step > 1e6:
        return f"{duration / step:.3g} steps: at most a million, so at least {duration / 1e6:.3g} s a step"
    return None


@_rule("ride_through.events", "ride_through.duration", "ride_through.events")
def _late_events(duration: float, events: tuple[tuple[float, ...], ...]) -> str | None:
    late = [EVENTS.shown(event, 6) for event in events if event[0] > duration]
    if not late:
        return None
    return f"'{late[0]}' lies behind the {duration:g} s simulated: raise ride_through.duration, or leave it out"


@_rule(
    "ride_through.step",
    "ride_through.step",
    "facility.volume",
    "facility.tank_fraction",
    "cdu.facility_flow",
    *_ROWS,
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


@_rule("electrical.motors.current_share", "electrical.motors.impedance_share", "electrical.motors.current_share")
def _shares(impedance: float, current: float) -> str | None:
    if impedance + current <= 1.0 + _ROUNDING:
        return None
    return (
        f"impedance and current share are {100 * (impedance + current):g} % together: at most 100 %, the rest is "
        "constant power"
    )


def check_together(reading: Reading) -> None:
    """Add every problem that the rules find to a reading of a whole case."""
    known = dict(reading.values)
    for section in _CURVES:
        efficiency, load = (known.get(f"{section}.{name}") for name in ("efficiency", "load"))
        message = curve_problem(efficiency, load) if efficiency is not None and load is not None else None
        if message:
            reading.report(f"{section}.load", message)
            del known[f"{section}.load"]
    for at, paths, rule in _RULES:
        values: list[Any] = [known.get(path) for path in paths]
        if all(value is not None for value in values):
            message = rule(*values)
            if message:
                reading.report(at, message)
    for at, message in _order(reading):
        reading.report(at, message)
