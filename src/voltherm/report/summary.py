"""The summary of an answer as plain data: sections of rows of text in user units, for terminals and pages alike."""

from collections.abc import Callable

from voltherm.report.limits import (
    is_equipment,
    margin_text,
)
from voltherm.report.quantities import (
    MONTHS,
    difference,
    energy,
    flow_per_power,
    megawatts,
    number,
    per_unit,
    power,
    residual,
    share,
    temperature,
)
from voltherm.report.ride_through import ride_through_rows
from voltherm.report.section import Row
from voltherm.report.section import Section as Section
from voltherm.report.sections_answer import answer_section, pue_label
from voltherm.report.sections_uncertainty import band_sections, sensitivity_sections
from voltherm.site.balances import CLOSED
from voltherm.site.ledger import USES
from voltherm.site.outputs import COOLING_PARTS, INTAKE_PARTS
from voltherm.site.year import Year
from voltherm.study.answer import Answer, Point
from voltherm.study.bounds import broken_bounds
from voltherm.study.limits import Constraint
from voltherm.study.verdict import points, verdicts

_NAMES = frozenset((1,))
_LARGE = 1e7  # W of IT load from which all powers of a table are shown in MW
_ALL_COOLING = "All cooling"
_MOST_FINDINGS = 8  # of which a terminal shows so many
_SEVERITIES = {"unphysical": "unphysical", "limit": "limit passed", "practice": "practice"}


def summary(answer: Answer) -> list[Section]:
    """The sections of the summary, in reading order."""
    return [
        answer_section(answer),
        *band_sections(answer),
        _findings(answer),
        _temperatures(answer),
        _powers(answer),
        _network(answer),
        _limits(answer),
        _equipment(answer),
        *sensitivity_sections(answer),
        *([] if answer.year is None else [_year(answer, answer.year), _months(answer, answer.year)]),
        _ride_through(answer),
        _balances(answer),
        _times(answer),
    ]


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


def _findings(answer: Answer) -> Section:
    found = verdicts(answer)
    every = tuple(name for name, _ in points(answer))
    rows = tuple(
        (_SEVERITIES[each.finding.severity], each.finding.sentence, _where(each.where, every)) for each in found
    )
    if not found:
        rows = (("nothing", "every law, stream, pump, pipe and room that is judged is in its range", "everywhere"),)
    note = "Judged on the hot day, at both supply temperatures, and in the coldest hour of the year."
    emphasis = frozenset(index for index, each in enumerate(found) if each.finding.severity != "practice")
    return Section(
        "findings",
        "Outside their range",
        ("", "what", "where"),
        rows,
        note,
        emphasis,
        most=_MOST_FINDINGS,
        words=frozenset((1, 2)),
        alarming=emphasis,
    )


def _where(names: tuple[str, ...], every: tuple[str, ...]) -> str:
    return "everywhere" if len(names) == len(every) > 1 else ", ".join(names)


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
        _figure(answer, "Least coolant of a rack over its heat to liquid", "flow_per_heat", flow_per_power),
        _figure(answer, "Margin of the rack inlet air", "inlet_margin", lambda value: difference(value, 2)),
    )
    return Section("temperatures", "Hot day: temperatures", _point_header(answer), rows)


def _powers(answer: Answer) -> Section:
    form = megawatts if answer.point.figures["it_power"] >= _LARGE else power
    labels = [(use.label, name) for name, use in USES.items()]
    labels.insert(1 + INTAKE_PARTS.index(COOLING_PARTS[-1]), (_ALL_COOLING, "cooling_power"))
    labels.append(("Power at the utility intake", "facility_power"))
    rows = [_figure(answer, label, name, form) for label, name in labels]
    rows.append(_figure(answer, "PUE", "pue", lambda value: number(value, 4)))
    label = pue_label(answer, interim=True)
    note = f"All uses and losses add up to the intake; all cooling is the sum of the six rows above it. {label}."
    bold = frozenset(index for index, row in enumerate(rows) if row[0] == _ALL_COOLING or index >= len(rows) - 2)
    return Section("powers", "Hot day: power", _point_header(answer), tuple(rows), note, bold)


def _with(figure: str, form: Callable[[float], str], constraint: str) -> Callable[[Point], str]:
    def text(point: Point) -> str:
        element = next((each.element for each in point.constraints if each.name == constraint), "")
        return f"{form(point.figures[figure])}, {element}"

    return text


def _network(answer: Answer) -> Section:
    rows = (
        _across(answer, "Lowest low-voltage bus", _with("lowest_voltage", per_unit, "lowest voltage")),
        _across(answer, "Most loaded transformer", _with("transformer_loading", share, "transformer loading")),
        _across(answer, "Most loaded feeder", _with("feeder_loading", share, "feeder loading")),
    )
    return Section("network", "Hot day: voltages and loadings", _point_header(answer), rows)


def _limits(answer: Answer) -> Section:
    rows, emphasis, passed = _left(answer, lambda constraint: not is_equipment(constraint))
    header = ("limit", "nearest element", *(f"left at {text}" for text in _point_header(answer)[1:]))
    note = "A limit binds where less than 0.1 % of its scale is left."
    return Section("limits", "What is left to every limit", header, rows, note, emphasis, words=_NAMES, alarming=passed)


def _equipment(answer: Answer) -> Section:
    rows, emphasis, _ = _left(answer, is_equipment)
    header = ("equipment", "nearest element", *(f"left at {text}" for text in _point_header(answer)[1:]))
    note = "Equipment at the end of its range breaks no limit: the temperature it holds floats from there on."
    return Section(
        "equipment", "What is left of the range of the equipment", header, rows, note, emphasis, words=_NAMES
    )


def _left(
    answer: Answer, wanted: Callable[[Constraint], bool]
) -> tuple[tuple[Row, ...], frozenset[int], frozenset[int]]:
    """Rows, those that bind or are violated, and those that are violated."""
    columns = [{each.name: each for each in point.constraints} for point in _points(answer)]
    order = [each for each in (answer.allowed or answer.point).constraints if wanted(each)]
    rows = tuple((each.name, each.element, *(margin_text(column[each.name]) for column in columns)) for each in order)
    emphasis = {
        index
        for index, each in enumerate(order)
        if any(column[each.name].binding or column[each.name].violated for column in columns)
    }
    passed = {index for index, each in enumerate(order) if any(column[each.name].violated for column in columns)}
    return rows, frozenset(emphasis), frozenset(passed)


def _year(answer: Answer, first: Year) -> Section:
    years = [first] + ([answer.allowed_year] if answer.allowed_year is not None else [])
    header = ("", *_point_header(answer)[1:][: len(years)])

    def across(label: str, text) -> Row:
        return (label, *(text(year) for year in years))

    def energies(label: str, *names: str) -> Row:
        return across(label, lambda year: energy(sum(year.energy[name] for name in names)))

    rows = (
        across("Hours above a temperature limit", lambda year: f"{year.hours_above_limit:,} h"),
        across("Hours of trim chilling", lambda year: f"{year.hours_of_trim:,} h"),
        energies("Fans of the dry coolers", "dry_cooler_fan_power"),
        energies("Pumps (CDU and facility)", "cdu_pump_power", "facility_pump_power"),
        energies("Chillers (trim and air side)", "trim_chiller_power", "air_chiller_power"),
        energies("Air handlers and chilled-water pumps", "air_handler_power"),
        energies("All cooling", "cooling_power"),
        energies("IT", "it_power"),
        across(
            "Losses, electronics and house",
            lambda year: energy(year.energy["facility_power"] - year.energy["it_power"] - year.energy["cooling_power"]),
        ),
        energies("Utility intake", "facility_power"),
        across("PUE", lambda year: number(year.pue, 4)),
        across("Water", lambda year: f"{number(year.water, 0)} m³"),
        across("WUE", lambda year: f"{year.wue:.2g} L/kWh"),
        *(
            [across("Hours read across an ambient without a steady state", lambda year: f"{year.bridged_hours:,} h")]
            if any(year.bridged_hours for year in years)
            else []
        ),
        across("Error of reading the year from the curve", lambda year: residual(year.reading_error)),
    )
    dry = first.dry_bulb
    note = (
        f"8,760 hours between {temperature(float(dry.min()))} and {temperature(float(dry.max()))}, full load all year. "
        f"{pue_label(answer, interim=False)}. The right column holds the highest supply of the hot day all year."
        if len(years) == 2
        else f"8,760 hours, full load all year. {pue_label(answer, interim=False)}."
    )
    return Section("year", "The year", header, rows, note, frozenset((6, 9, 10)))


def _months(answer: Answer, year: Year) -> Section:
    other = answer.allowed_year
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
    header = ("", "value", "of what")
    words = frozenset((2,))
    return Section("ride-through", "Ride-through", header, ride_through_rows(answer), words=words)


def _balances(answer: Answer) -> Section:
    kinds = (
        ("Heat: rows, exchangers, plant, air", "heat_residual"),
        ("Mass and pressure: both loops", "mass_residual"),
        ("Power: sources, loads and losses", "power_residual"),
        ("Site: intake against heat to the surroundings", "site_residual"),
    )
    rows = [_figure(answer, label, name, residual) for label, name in kinds]
    worst = max(abs(point.figures[name]) for point in _points(answer) for _, name in kinds)
    closed = "Closed" if worst < CLOSED else "NOT closed"
    broken = broken_bounds(answer)
    bounds = "Every period keeps the physical bounds of the indicators" if not broken else "; ".join(broken)
    note = (
        f"{closed}: the largest is {residual(worst)} relative, {'below' if worst < CLOSED else 'above'} "
        f"{residual(CLOSED)}. The coupled solve of the hot day took {answer.iterations} iterations, to a last change "
        f"of {residual(answer.residual)}. {bounds}."
    )
    return Section("balances", "Balances", _point_header(answer), tuple(rows), note)


def _times(answer: Answer) -> Section:
    rows = [(stage, f"{number(seconds, 2)} s") for stage, seconds in answer.seconds.items()]
    note = (
        "Compilation included; a second start reads compiled programs from the cache. Some stages run side by side, so "
        "that the whole is shorter than their sum."
    )
    return Section("times", "Wall times", ("stage", "time"), tuple(rows), note, detail=True)
