"""The eight figures that stand large at the head of a page."""

import dataclasses
import math

from voltherm.numerics import ResultCode
from voltherm.report.limits import binding_limit, equipment_at_end, floats, passed_at, tightest_chip, what_ends
from voltherm.report.quantities import difference, duration, number, power, temperature
from voltherm.report.ride_through import ends_course, told
from voltherm.report.sections_answer import NO_YEAR
from voltherm.report.uncertainty import figure_within, interval, value_within
from voltherm.site.outputs import makeup_water
from voltherm.study.answer import Answer, Point
from voltherm.study.limits import SUPPLY_LIMIT
from voltherm.study.uncertainty import CHIP_SUPPLY


@dataclasses.dataclass(frozen=True)
class Tile:
    """One large figure: what it is, its value, a line below; `warns` where it is beyond a limit."""

    label: str
    value: str
    note: str
    warns: bool = False


def tiles(answer: Answer) -> list[Tile]:
    """Highest supply, margin at the set point, cooling power, PUE of the year, trim chilling, ride-through; rounded to
    their bands where they have one."""
    point, allowed, year, ride = answer.point, answer.allowed, answer.year, answer.ride_through
    day = temperature(float(answer.site.climate.dry_bulb))
    passed, floating = passed_at(point), any(floats(each) for each in point.constraints)
    ends = equipment_at_end(point)
    reached = math.isfinite(ride.seconds_to_limit)
    simulated = duration(float(ride.time[-1] - ride.time[0]))
    to_limit = ", until the course ends" if ends_course(ride) else f", to {ride.first_limit}" if reached else ""
    hot_day = f"{value_within(answer, 'pue') or number(point.figures['pue'], 3)} on the hot day"
    water = float(makeup_water(answer.site))
    usage = "" if year is None else f"; WUE {year.wue:.2g} L/kWh"
    margin = point.figures["junction_margin"]
    return [
        Tile(
            "Highest allowed supply",
            "none" if allowed is None else _highest(answer, allowed),
            (f"no set point serves at {day}" if answer.unheld is not None else f"not found at {day}")
            if allowed is None
            else f"{_chips(answer, allowed)}at {day} outside; {what_ends(answer, allowed)}",
            warns=allowed is None or answer.searched != ResultCode.CONVERGED,
        ),
        Tile(
            "Chip margin at the set point",
            value_within(answer, "junction_margin") or difference(margin, 2),
            f"{_band(answer, 'junction_margin')}set point {temperature(point.set_point)}; {point.hottest['gpu']}",
            warns=tightest_chip(point).violated,
        ),
        Tile(
            "Cooling power on the hot day",
            value_within(answer, "cooling_power") or power(point.figures["cooling_power"]),
            f"{_band(answer, 'cooling_power')}of {power(point.figures['facility_power'])} at the intake"
            + ("" if allowed is None else f"; {power(allowed.figures['cooling_power'])} at the highest supply"),
        ),
        Tile("PUE of the year", "none", f"{NO_YEAR}; {hot_day}", warns=True)
        if year is None
        else Tile("PUE of the year", number(year.pue, 3), f"category 3, utility intake; {hot_day}"),
        Tile("Trim chilling", "unknown", NO_YEAR, warns=True)
        if year is None
        else Tile(
            "Trim chilling",
            f"{year.hours_of_trim:,} h",
            f"a year at the set point; {year.hours_above_limit:,} h above a temperature limit",
            warns=year.hours_above_limit > 0,
        ),
        Tile(
            "Ride-through",
            duration(ride.seconds_to_limit) if reached else f"> {simulated}",
            f"{told(ride.events)}{to_limit}; its water warms by 1 K in {number(ride.seconds_per_kelvin, 0)} s",
        ),
        Tile(
            "Limits at the set point",
            f"{len(passed)} passed" if passed else "all held",
            f"{'; '.join(passed)}{'; ' if passed else ''}supply "
            + (f"floats {difference(point.figures['supply_excess'], 2)} above its set point" if floating else "held")
            + (f"; at their end: {', '.join(ends)}" if ends else "; all equipment in its range"),
            warns=bool(passed) or floating,
        ),
        Tile("Water", f"{number(water, 0)} m³", f"a year, make-up of the closed loop{usage}"),
    ]


def _band(answer: Answer, name: str) -> str:
    """The band of a figure, to be followed by more; empty where it has none."""
    found = interval(answer, name)
    return f"{found}; " if found else ""


def _highest(answer: Answer, allowed: Point) -> str:
    """The highest supply: as exact as the maker's limit where that binds, else as its band allows."""
    chips = None if binding_limit(allowed).name == SUPPLY_LIMIT else value_within(answer, CHIP_SUPPLY)
    return chips or temperature(allowed.set_point)


def _chips(answer: Answer, allowed: Point) -> str:
    """What the chips allow, to be followed by more; empty where nothing is known of it."""
    if binding_limit(allowed).name != SUPPLY_LIMIT:
        return _band(answer, CHIP_SUPPLY)
    found = figure_within(answer, CHIP_SUPPLY)
    return f"chips alone {found}; " if found else ""
