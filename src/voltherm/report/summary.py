"""The summary of an answer as plain data: sections of rows of text in user units, for terminals and pages alike."""

import dataclasses
import math

from voltherm.report.quantities import (
    MONTHS,
    difference,
    duration,
    energy,
    number,
    per_unit,
    power,
    residual,
    share,
    temperature,
)
from voltherm.report.configuration import value_text
from voltherm.site.indicators import Category, power_usage_effectiveness
from voltherm.study.answer import Answer, Constraint, Point

Row = tuple[str, ...]

CLOSED = 1e-8
"""Relative residual below which a balance counts as closed."""

_RIDE_THROUGH_BAND = (139.0, 202.0)
"""Seconds per kelvin of a closed loop of 5,000 m³ at full load, from the published fill and load."""


@dataclasses.dataclass(frozen=True)
class Section:
    """One table: `rows` of cells under `header`, with a sentence below. `emphasis`: rows to be looked at.

    `detail`: too long for a terminal that was not asked for it.
    """

    key: str
    title: str
    header: Row
    rows: tuple[Row, ...]
    note: str = ""
    emphasis: frozenset[int] = frozenset()
    detail: bool = False


def summary(answer: Answer) -> list[Section]:
    """The sections of the summary, in reading order."""
    return [
        _headline(answer),
        _temperatures(answer),
        _powers(answer),
        _network(answer),
        _constraints(answer),
        _sensitivities(answer),
        _year(answer),
        _months(answer),
        _ride_through(answer),
        _balances(answer),
        _times(answer),
    ]


def pue_label(answer: Answer, *, interim: bool) -> str:
    """PUE's category, period and boundary in words."""
    boundary = f"utility intake at {answer.site.electrical.intake_voltage / 1e3:g} kV, with transformers, UPS, cooling and house load"
    one = power_usage_effectiveness(1.0, 1.0, category=Category.IT_INPUT, interim=interim, boundary=boundary)
    return one.label()


def binding(point: Point) -> Constraint:
    """The tightest limit of a point."""
    return point.constraints[0]


def margin_text(constraint: Constraint) -> str:
    """What is left to a limit, in K or in percentage points of the limit's scale."""
    if constraint.unit == "K":
        return difference(constraint.margin, 2)
    return f"{number(100.0 * constraint.margin, 1)} %"


def _points(answer: Answer) -> list[Point]:
    return [answer.point] if answer.allowed is None else [answer.point, answer.allowed]


def _point_header(answer: Answer) -> Row:
    first = f"set point {temperature(answer.point.set_point)}"
    if answer.allowed is None:
        return ("", first)
    return ("", first, f"highest {temperature(answer.allowed.set_point)}")


def _across(answer: Answer, label: str, text) -> Row:
    return (label, *(text(point) for point in _points(answer)))


def _figure(answer: Answer, label: str, name: str, form) -> Row:
    return _across(answer, label, lambda point: form(point.figures[name]))


def headline_sentence(answer: Answer) -> str:
    """The answer in one sentence."""
    ambient = temperature(float(answer.site.climate.dry_bulb))
    if answer.allowed is None:
        return f"At {ambient} outside no supply temperature keeps every chip within its limit."
    tightest = binding(answer.allowed)
    return (
        f"At {ambient} outside the building can run on a supply of up to {temperature(answer.allowed.set_point)}; "
        f"{tightest.name} binds ({tightest.element})."
    )


def _headline(answer: Answer) -> Section:
    point, allowed = answer.point, answer.allowed
    rows: list[Row] = []
    if allowed is None:
        rows.append(("Highest allowed supply temperature", "none", "no set point keeps every chip within its limit"))
    else:
        facility = allowed.figures["facility_supply_temperature"]
        rows.append(
            (
                "Highest allowed supply temperature",
                temperature(allowed.set_point, 2),
                f"with facility water at {temperature(facility, 2)}; dry bulb {temperature(float(answer.site.climate.dry_bulb))}",
            )
        )
        tightest = binding(allowed)
        rows.append(("Binding there", tightest.name, tightest.element))
    tightest = binding(point)
    rows += [
        (
            "Set point",
            temperature(point.set_point, 2),
            f"reached: {temperature(point.figures['supply_temperature'], 2)}",
        ),
        ("Tightest at the set point", f"{tightest.name}", f"{tightest.element}: {margin_text(tightest)} left"),
        (
            "Hottest GPU at the set point",
            temperature(point.figures["gpu_temperature"], 2),
            f"{point.hottest['gpu']}: {difference(point.figures['gpu_margin'], 2)} below its limit",
        ),
        ("Hottest rack at the set point", point.hottest["rack"], "by its hottest GPU"),
        ("PUE at the set point", number(point.figures["pue"], 4), pue_label(answer, interim=True)),
        ("WUE of the year", f"{answer.year.wue:.2g} L/kWh", "make-up of the closed loop; no evaporation"),
    ]
    return Section("answer", "The answer", ("", "value", "where, and of what"), tuple(rows), headline_sentence(answer))


def _temperatures(answer: Answer) -> Section:
    def where(kind: str):
        return lambda point: point.hottest[kind]

    rows = (
        _figure(answer, "Secondary supply reached, warmest row", "supply_temperature", temperature),
        _figure(answer, "Secondary return, warmest row", "return_temperature", temperature),
        _figure(answer, "Facility supply", "facility_supply_temperature", temperature),
        _figure(answer, "Facility return", "facility_return_temperature", temperature),
        _figure(answer, "Hottest GPU junction", "gpu_temperature", temperature),
        _across(answer, "Hottest GPU", where("gpu")),
        _across(answer, "Hottest rack", where("rack")),
        _figure(answer, "Margin of the GPUs", "gpu_margin", lambda value: difference(value, 2)),
        _figure(answer, "Margin of the CPUs", "cpu_margin", lambda value: difference(value, 2)),
        _figure(answer, "Margin of the switch chips", "switch_margin", lambda value: difference(value, 2)),
        _figure(answer, "Margin of the rack inlet air", "inlet_margin", lambda value: difference(value, 2)),
    )
    return Section("temperatures", "Hot day: temperatures", _point_header(answer), rows)


def _powers(answer: Answer) -> Section:
    names = (
        ("IT power, at the input of the racks", "it_power"),
        ("Dry-cooler fans", "dry_cooler_fan_power"),
        ("Trim chillers", "trim_chiller_power"),
        ("Air-side chillers", "air_chiller_power"),
        ("CDU pumps", "cdu_pump_power"),
        ("Facility pumps", "facility_pump_power"),
        ("Air handlers and chilled-water pumps", "air_handler_power"),
        ("All cooling", "cooling_power"),
        ("UPS losses", "ups_loss"),
        ("Transformer and cable losses", "network_loss"),
        ("Power at the utility intake", "facility_power"),
    )
    rows = [_figure(answer, label, name, power) for label, name in names]
    rows.append(_figure(answer, "PUE", "pue", lambda value: number(value, 4)))
    return Section(
        "powers",
        "Hot day: power",
        _point_header(answer),
        tuple(rows),
        pue_label(answer, interim=True),
        frozenset((7, 11)),
    )


def _named(answer: Answer, name: str):
    def text(point: Point) -> str:
        return next((each.element for each in point.constraints if each.name == name), "–")

    return text


def _network(answer: Answer) -> Section:
    rows = (
        _figure(answer, "Lowest low-voltage bus", "lowest_voltage", per_unit),
        _across(answer, "", _named(answer, "lowest voltage")),
        _figure(answer, "Most loaded transformer", "transformer_loading", share),
        _across(answer, "", _named(answer, "transformer loading")),
        _figure(answer, "Most loaded feeder", "feeder_loading", share),
        _across(answer, "", _named(answer, "feeder loading")),
        _figure(answer, "Speed of the dry coolers' fans", "fan_speed", share),
        _figure(answer, "Load of the trim chillers", "chiller_load", share),
        _figure(answer, "Most open CDU valve", "valve_opening", share),
        _figure(answer, "Fastest CDU pump", "cdu_pump_speed", share),
        _figure(answer, "Facility pumps", "facility_pump_speed", share),
    )
    return Section("network", "Hot day: network and equipment", _point_header(answer), rows)


def _constraints(answer: Answer) -> Section:
    order = binding_point(answer).constraints
    columns = [{each.name: each for each in point.constraints} for point in _points(answer)]
    rows, emphasis = [], set()
    for index, constraint in enumerate(order):
        cells = [constraint.name, constraint.element]
        for column in columns:
            there = column.get(constraint.name)
            cells.append("–" if there is None else margin_text(there) + (" (binds)" if there.binding else ""))
        if any(constraint.name in column and column[constraint.name].binding for column in columns):
            emphasis.add(index)
        rows.append(tuple(cells))
    header = ("limit", "nearest element", *(f"left at {text}" for text in _point_header(answer)[1:]))
    note = "Tightest first, at the highest supply where there is one. A limit binds where less than 0.1 % of its scale is left."
    return Section("constraints", "What is left to every limit", header, tuple(rows), note, frozenset(emphasis))


def binding_point(answer: Answer) -> Point:
    """The point whose limits rank first: the highest supply, or the set point where there is none."""
    return answer.allowed or answer.point


def _sensitivities(answer: Answer) -> Section:
    rows = tuple(
        (each.path, value_text(each.path, each.value), f"+{each.step}", f"{each.effect:+.3f} K")
        for each in answer.sensitivities
    )
    return Section(
        "sensitivities",
        "What moves the smallest chip margin most",
        ("number of the configuration", "value", "step", "margin changes by"),
        rows,
        "From the exact gradient at the set point on the hot day, one reverse pass over every number of the site.",
    )


def _year(answer: Answer) -> Section:
    years = [answer.year] + ([answer.allowed_year] if answer.allowed_year is not None else [])
    header = ("", *_point_header(answer)[1:][: len(years)])

    def across(label: str, text) -> Row:
        return (label, *(text(year) for year in years))

    def energies(label: str, *names: str) -> Row:
        return across(label, lambda year: energy(sum(year.energy[name] for name in names)))

    rows = (
        across("Hours above a chip's limit", lambda year: f"{year.hours_above_limit:,} h"),
        across("Hours of trim chilling", lambda year: f"{year.hours_of_trim:,} h"),
        energies("Fans of the dry coolers", "dry_cooler_fan_power"),
        energies("Pumps (CDU and facility)", "cdu_pump_power", "facility_pump_power"),
        energies("Chillers (trim and air side)", "trim_chiller_power", "air_chiller_power"),
        energies("Air handlers and chilled-water pumps", "air_handler_power"),
        energies("All cooling", "cooling_power"),
        energies("IT", "it_power"),
        energies("Utility intake", "facility_power"),
        across("PUE", lambda year: number(year.pue, 4)),
        across("Water", lambda year: f"{number(year.water, 0)} m³"),
        across("WUE", lambda year: f"{year.wue:.2g} L/kWh"),
        across("Error of reading the year from the curve", lambda year: residual(year.reading_error)),
    )
    dry = answer.year.dry_bulb
    note = (
        f"8,760 hours between {temperature(float(dry.min()))} and {temperature(float(dry.max()))}, full load all year. "
        f"{pue_label(answer, interim=False)}. The right column holds the highest supply of the hot day all year."
        if len(years) == 2
        else f"8,760 hours, full load all year. {pue_label(answer, interim=False)}."
    )
    return Section("year", "The year", header, rows, note, frozenset((6, 9)))


def _months(answer: Answer) -> Section:
    year, other = answer.year, answer.allowed_year
    rows = []
    for month, name in enumerate(MONTHS):
        monthly = {key: float(values[month]) for key, values in year.monthly_energy.items()}
        cells = [
            name,
            energy(monthly["dry_cooler_fan_power"]),
            energy(monthly["cdu_pump_power"] + monthly["facility_pump_power"]),
            energy(monthly["trim_chiller_power"] + monthly["air_chiller_power"]),
            number(float(year.monthly_pue[month]), 4),
            f"{number(float(year.monthly_water[month]), 1)} m³",
        ]
        if other is not None:
            cells.append(number(float(other.monthly_pue[month]), 4))
        rows.append(tuple(cells))
    header = ["month", "fans", "pumps", "chillers", "PUE", "water"] + (
        ["PUE, highest supply"] if other is not None else []
    )
    return Section("months", "The year by month, at the set point", tuple(header), tuple(rows), detail=True)


def _ride_through(answer: Answer) -> Section:
    ride = answer.ride_through
    reached = math.isfinite(ride.seconds_to_limit)
    simulated = float(ride.time[-1] - ride.time[0])
    low, high = _RIDE_THROUGH_BAND
    rows = (
        (
            "Time to the first limit",
            duration(ride.seconds_to_limit) if reached else f"not within {duration(simulated)}",
            ride.first_limit if reached else "",
        ),
        (
            "Rate of the loop at first",
            f"{number(ride.seconds_per_kelvin, 0)} s per K",
            f"published fill and load: {low:g} to {high:g} s per K",
        ),
        ("Energy stored against heat in", residual(ride.energy_residual), "relative residual over the whole run"),
    )
    return Section("ride-through", "Heat rejection lost", ("", "value", "of what"), rows)


def _balances(answer: Answer) -> Section:
    kinds = (
        ("Heat: rows, exchangers, plant, air", "heat_residual"),
        ("Mass and pressure: both loops", "mass_residual"),
        ("Power: sources, loads and losses", "power_residual"),
        ("Site: intake against heat to the surroundings", "site_residual"),
    )
    rows = [_figure(answer, label, name, residual) for label, name in kinds]
    rows.append(_across(answer, "Iterations of the coupled solve", lambda point: str(point.iterations)))
    rows.append(_across(answer, "Last change of the coupled solve", lambda point: residual(point.residual)))
    worst = max(abs(point.figures[name]) for point in _points(answer) for _, name in kinds)
    closed = "Closed" if worst < CLOSED else "NOT closed"
    note = f"{closed}: the largest is {residual(worst)}, {'below' if worst < CLOSED else 'above'} {CLOSED:g} relative."
    return Section("balances", "Balances", _point_header(answer), tuple(rows), note)


def _times(answer: Answer) -> Section:
    rows = [(stage, f"{number(seconds, 2)} s") for stage, seconds in answer.seconds.items()]
    rows.append(("all stages", f"{number(sum(answer.seconds.values()), 2)} s"))
    note = "Compilation included; a second start reads compiled programs from the cache."
    return Section("times", "Wall times", ("stage", "time"), tuple(rows), note, detail=True)
