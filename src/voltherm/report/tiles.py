"""The eight figures that stand large at the head of a page."""

import dataclasses
import math

from voltherm.report.limits import binding_limit, binding_name, equipment_at_end
from voltherm.report.quantities import difference, duration, number, power, temperature
from voltherm.report.ride_through import ends_course, told
from voltherm.report.summary import NO_YEAR
from voltherm.site.outputs import makeup_water
from voltherm.study.answer import Answer


@dataclasses.dataclass(frozen=True)
class Tile:
    """One large figure: what it is, its value, a line below; `warns` where it is beyond a limit."""

    label: str
    value: str
    note: str
    warns: bool = False


def tiles(answer: Answer) -> list[Tile]:
    """Highest supply, margin at the set point, cooling power, PUE of the year, trim chilling, ride-through."""
    point, allowed, year, ride = answer.point, answer.allowed, answer.year, answer.ride_through
    day = temperature(float(answer.site.climate.dry_bulb))
    excess = point.figures["supply_excess"]
    ends = equipment_at_end(point)
    reached = math.isfinite(ride.seconds_to_limit)
    simulated = duration(float(ride.time[-1] - ride.time[0]))
    to_limit = ", until the course ends" if ends_course(ride) else f", to {ride.first_limit}" if reached else ""
    hot_day = f"{number(point.figures['pue'], 3)} on the hot day"
    water = float(makeup_water(answer.site))
    usage = "" if year is None else f"; WUE {year.wue:.2g} L/kWh"
    margin = point.figures["junction_margin"]
    return [
        Tile(
            "Highest allowed supply",
            "none" if allowed is None else temperature(allowed.set_point),
            f"no set point serves at {day}"
            if allowed is None
            else f"at {day} outside; {binding_name(binding_limit(allowed))} binds",
            warns=allowed is None,
        ),
        Tile(
            "Chip margin at the set point",
            difference(margin, 2),
            f"set point {temperature(point.set_point)}; {point.hottest['gpu']}",
            warns=margin < 0.0,
        ),
        Tile(
            "Cooling power on the hot day",
            power(point.figures["cooling_power"]),
            f"of {power(point.figures['facility_power'])} at the intake"
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
            f"a year at the set point; {year.hours_above_limit:,} h with a chip above its limit",
            warns=year.hours_above_limit > 0,
        ),
        Tile(
            "Ride-through",
            duration(ride.seconds_to_limit) if reached else f"> {simulated}",
            f"{told(ride.events)}{to_limit}; its water warms by 1 K in {number(ride.seconds_per_kelvin, 0)} s",
        ),
        Tile(
            "Supply above its set point",
            difference(max(excess, 0.0), 2),
            f"on the hot day; at their end: {', '.join(ends)}"
            if ends
            else "on the hot day; all equipment in its range",
            warns=excess > 0.01,
        ),
        Tile("Water", f"{number(water, 0)} m³", f"a year, make-up of the closed loop{usage}"),
    ]
