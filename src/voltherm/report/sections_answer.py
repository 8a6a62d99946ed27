"""The first table of a summary: the answer, what must not be, what to run and what it costs."""

from voltherm.report.decision import cost_rows, recommendation
from voltherm.report.limits import (
    binding_limit,
    binding_name,
    difference_beyond,
    headline_sentence,
    passed_by,
    set_point_sentence,
)
from voltherm.report.quantities import difference, number, temperature
from voltherm.report.section import Row, Section
from voltherm.report.uncertainty import interval, margin_digits, value_within
from voltherm.site.outputs import site_effectiveness
from voltherm.study.answer import Answer
from voltherm.study.bounds import broken_bounds
from voltherm.study.limits import SUPPLY_LIMIT, violated
from voltherm.study.uncertainty import CHIP_SUPPLY
from voltherm.study.verdict import COLDEST, points, unphysical

NO_YEAR = "the year reaches an ambient at which the site has no steady state"


def pue_label(answer: Answer, *, interim: bool) -> str:
    """PUE's category, period and boundary in words."""
    period = answer.point.figures if interim or answer.year is None else answer.year.energy
    return site_effectiveness(answer.site, period["facility_power"], period["it_power"], interim=interim).label()


def answer_section(answer: Answer) -> Section:
    """The answer; rows of what must not be come first and alarm."""
    point, allowed = answer.point, answer.allowed
    day, digits = temperature(float(answer.site.climate.dry_bulb)), margin_digits(answer, 2)
    rows: list[Row] = [("PHYSICAL BOUND BROKEN", "", broken) for broken in broken_bounds(answer)]
    rows += [("UNPHYSICAL", "", sentence) for sentence in unphysical(answer)]
    rows += [
        ("LIMIT PASSED", difference_beyond(each), f"{binding_name(each)} at {each.element}, {where}")
        for where, found in points(answer)
        if where != COLDEST
        for each in violated(found.constraints)
    ]
    alarming = frozenset(range(len(rows)))
    emphasis = frozenset(range(len(rows) + 1))
    if allowed is None:
        unheld = answer.unheld
        rows.append(
            ("Highest allowed supply temperature", "none", f"passed at every set point: {passed_by(unheld)}")
            if unheld is not None
            else ("Highest allowed supply temperature", "not found", "no steady state where it is sought")
        )
    else:
        facility = temperature(allowed.figures["facility_supply_temperature"], 2)
        end = binding_limit(allowed)
        bounded = end.name == SUPPLY_LIMIT
        rows += [
            (
                "Highest allowed supply temperature",
                temperature(allowed.set_point, 2) if bounded else _chip_supply(answer, allowed.set_point),
                f"{'' if bounded else _then(interval(answer, CHIP_SUPPLY))}facility water at {facility} and "
                f"{day} outside",
            ),
            ("What binds there", binding_name(end), end.element),
        ]
    if answer.chip_supply is not None:
        rows.append(
            (
                "What the chips alone would allow",
                _chip_supply(answer, answer.chip_supply),
                f"{_then(interval(answer, CHIP_SUPPLY))}without the maker's limit",
            )
        )
    rows.append(("Recommended supply", *recommendation(answer)))
    rows += [
        (
            "Supply reached at the set point",
            temperature(point.figures["supply_temperature"], 2),
            f"set point {temperature(point.set_point, 2)}",
        ),
        (
            "Hottest GPU at the set point",
            temperature(point.figures["gpu_temperature"], digits),
            f"{point.hottest['gpu']}, {difference(point.figures['gpu_margin'], digits)} below its limit",
        ),
        (
            "PUE of the hot day",
            value_within(answer, "pue") or number(point.figures["pue"], 4),
            f"{_then(interval(answer, 'pue'))}{pue_label(answer, interim=True)}",
        ),
    ]
    if answer.year is None:
        rows.append(("PUE and WUE of the year", "none", NO_YEAR))
    else:
        rows += [
            ("PUE of the year", number(answer.year.pue, 4), pue_label(answer, interim=False)),
            ("WUE of the year", f"{answer.year.wue:.2g} L/kWh", "make-up of the closed loop; nothing evaporates"),
        ]
    rows += cost_rows(answer)
    header = ("", "value", "where, and of what")
    note = f"{headline_sentence(answer)} {set_point_sentence(answer)}"
    return Section("answer", "The answer", header, tuple(rows), note, emphasis, alarming=alarming)


def _chip_supply(answer: Answer, value: float) -> str:
    return value_within(answer, CHIP_SUPPLY) or temperature(value, 2)


def _then(text: str | None) -> str:
    """A text to be followed by more; empty where there is none."""
    return f"{text}; " if text else ""
