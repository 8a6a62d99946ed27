"""The first table of a summary: the answer, what must not be, what to run and what it costs."""

import numpy as np

from voltherm.numerics import ResultCode
from voltherm.report.decision import cost_rows, recommendation
from voltherm.report.limits import (
    binding_limit,
    binding_name,
    difference_beyond,
    headline_sentence,
    passed_by,
    set_point_sentence,
    why_not_found,
    why_not_warmer,
)
from voltherm.report.quantities import difference, number, temperature
from voltherm.report.section import Row, Section
from voltherm.report.uncertainty import interval, margin_digits, value_within
from voltherm.site.outputs import site_effectiveness
from voltherm.study.answer import Answer
from voltherm.study.bounds import broken_bounds
from voltherm.study.limits import JUNCTION, violated
from voltherm.study.uncertainty import CHIP_SUPPLY
from voltherm.study.verdict import forbids, points, unphysical, verdicts

_HOTTER = 0.05  # K
_HEADER = ("", "value", "where, and of what")
NO_YEAR = "the year reaches an ambient at which the site has no steady state"


def pue_label(answer: Answer, *, interim: bool) -> str:
    """PUE's category, period and boundary in words."""
    period = answer.point.figures if interim or answer.year is None else answer.year.energy
    return site_effectiveness(answer.site, period["facility_power"], period["it_power"], interim=interim).label()


def answer_section(answer: Answer) -> Section:
    """The answer; rows of what must not be come first and alarm."""
    alarms = _alarms(answer)
    rows = (
        *alarms,
        *_highest(answer),
        *_chips_alone(answer),
        _recommended(answer),
        *_hotter(answer),
        *_hot_day(answer),
        *_year(answer),
        *cost_rows(answer),
    )
    note = f"{headline_sentence(answer)} {set_point_sentence(answer)}"
    # the highest supply stands behind the alarms
    emphasis = frozenset(range(len(alarms) + 1))
    return Section("answer", "The answer", _HEADER, rows, note, emphasis, alarming=frozenset(range(len(alarms))))


def front_section(answer: Answer) -> Section:
    """What stands on a first page beside its tiles: what must not be, what to run, and money."""
    alarms = _alarms(answer)
    rows = (*alarms, _recommended(answer), *_hotter(answer), *cost_rows(answer))
    alarming = frozenset(range(len(alarms)))
    return Section("front", "", _HEADER, rows, emphasis=alarming, alarming=alarming)


def _alarms(answer: Answer) -> tuple[Row, ...]:
    broken = (("PHYSICAL BOUND BROKEN", "", sentence) for sentence in broken_bounds(answer))
    states = (("UNPHYSICAL", "", sentence) for sentence in unphysical(answer))
    limits = (
        ("LIMIT PASSED", difference_beyond(each), f"{binding_name(each)} at {each.element}, {where}")
        for where, found in points(answer)
        for each in violated(found.constraints)
    )
    others = (
        ("LIMIT PASSED", "", f"{', '.join(each.where)}: {each.finding.sentence}")
        for each in verdicts(answer)
        if forbids(each.finding) and each.finding.severity != "unphysical"
    )
    return (*broken, *states, *limits, *others)


def _highest(answer: Answer) -> tuple[Row, ...]:
    allowed, unheld, name = answer.allowed, answer.unheld, "Highest allowed supply temperature"
    if allowed is None and unheld is not None:
        return ((name, "none", f"passed at every set point: {passed_by(unheld)}"),)
    if allowed is None:
        return ((name, "not found", why_not_found(answer)),)
    day = temperature(float(answer.site.climate.dry_bulb))
    facility = temperature(allowed.figures["facility_supply_temperature"], 2)
    end = binding_limit(allowed)
    by_chips = JUNCTION in end.name
    value = _chip_supply(answer, allowed.set_point) if by_chips else temperature(allowed.set_point, 2)
    band = _then(interval(answer, CHIP_SUPPLY)) if by_chips else ""
    return (
        (name, value, f"{band}facility water at {facility} and {day} outside"),
        ("What binds there", binding_name(end), end.element)
        if answer.searched == ResultCode.CONVERGED
        else ("Above it", "not known", why_not_warmer(answer)),
    )


def _chips_alone(answer: Answer) -> tuple[Row, ...]:
    if answer.chip_supply is None:
        return ()
    note = f"{_then(interval(answer, CHIP_SUPPLY))}without the limits of maker and racks' air"
    return (("What the chips alone would allow", _chip_supply(answer, answer.chip_supply), note),)


def _recommended(answer: Answer) -> Row:
    return ("Recommended supply", *recommendation(answer))


def _hotter(answer: Answer) -> tuple[Row, ...]:
    """Hours of the year that are hotter than the hot day, where there are any."""
    if answer.year is None:
        return ()
    day, hours = float(answer.site.climate.dry_bulb), answer.year.dry_bulb
    beyond = int(np.sum(hours > day + _HOTTER))
    if not beyond:
        return ()
    return (
        (
            "Hotter than the hot day",
            f"{beyond:,} h",
            f"of the year, up to {temperature(float(hours.max()))}: the highest supply applies to {temperature(day)}",
        ),
    )


def _hot_day(answer: Answer) -> tuple[Row, ...]:
    point, digits = answer.point, margin_digits(answer, 2)
    return (
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
    )


def _year(answer: Answer) -> tuple[Row, ...]:
    if answer.year is None:
        return (("PUE and WUE of the year", "none", NO_YEAR),)
    return (
        ("PUE of the year", number(answer.year.pue, 4), pue_label(answer, interim=False)),
        ("WUE of the year", f"{answer.year.wue:.2g} L/kWh", "make-up of the closed loop; nothing evaporates"),
    )


def _chip_supply(answer: Answer, value: float) -> str:
    return value_within(answer, CHIP_SUPPLY) or temperature(value, 2)


def _then(text: str | None) -> str:
    """A text to be followed by more; empty where there is none."""
    return f"{text}; " if text else ""
