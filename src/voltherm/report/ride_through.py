"""What is lost in time, in words: how long it is ridden, how fast the water warms, what to hold that against."""

import math

import numpy as np

from voltherm.report.quantities import duration, megawatts, number, residual
from voltherm.site import RideThrough
from voltherm.site.outputs import seconds_per_kelvin
from voltherm.study.answer import Answer

_PUBLISHED_FILL = 5000.0  # m³ a building
_PUBLISHED = "139 to 202 s", "operators' fill of 5,000 m³ and load of 150 to 103 MW a building"
_TOLD = 4  # events named in a line
_SAME = 1e-3  # relative: a fill that differs less is the published one


def ride_through_rows(answer: Answer) -> tuple[tuple[str, str, str], ...]:
    """Rows of name, value and explanation."""
    ride, site = answer.ride_through, answer.site
    reached = math.isfinite(ride.seconds_to_limit)
    fill = float(site.facility.volume)
    heat = np.asarray(answer.point.state.buildings.facility.plant.heat)
    rows = [
        ("What is lost", told(ride.events), "and restored, from the steady state of the hot day"),
        (
            "Time to the first limit",
            duration(ride.seconds_to_limit) if reached else f"not within {duration(float(ride.time[-1]))}",
            f"end of the course: {ride.ended}" if ends_course(ride) else ride.first_limit if reached else "",
        ),
        *((f"Time to {name}", duration(seconds), "a further limit") for name, seconds in ride.later_limits.items()),
        (
            "Time until chips throttle",
            duration(ride.seconds_to_throttling) if math.isfinite(ride.seconds_to_throttling) else "none does",
            "a chip lowers its clock to hold its temperature",
        ),
        *(
            [("The course ends after", duration(float(ride.time[-1])), ride.ended)]
            if ride.ended and not ends_course(ride)
            else []
        ),
        (
            "Facility water warms by 1 K in",
            f"{number(ride.seconds_per_kelvin, 0)} s",
            f"its mean, {window_text(answer)}",
        ),
        (
            "The fill alone would, at the heat of the start, in",
            f"{number(expected_seconds_per_kelvin(answer), 0)} s",
            f"{number(fill, 0)} m³ and {megawatts(float(np.max(heat)))} a building",
        ),
    ]
    if abs(fill / _PUBLISHED_FILL - 1.0) < _SAME:
        rows.append(("Published for this fill", *_PUBLISHED))
    booked = (
        "Energy stored against heat in and out",
        residual(ride.energy_residual),
        "largest relative residual of a step",
    )
    return (*rows, booked)


def told(events: str) -> str:
    """The events of a course in a line; long ones are cut."""
    few = events.split("; ")
    shown = ", ".join(few[:_TOLD]) if events else "nothing is lost"
    return shown if len(few) <= _TOLD else f"{shown} and {len(few) - _TOLD} more"


def expected_seconds_per_kelvin(answer: Answer) -> float:
    """Time [s] in which the fill of the building with the most heat warms by 1 K, from fill and heat alone."""
    return float(np.min(seconds_per_kelvin(answer.site, answer.point.state)))


def window_text(answer: Answer) -> str:
    """The part of the course in which the rise of the water is measured."""
    begin, end = (f"{seconds / 60.0:.3g}" for seconds in answer.ride_through.window)
    return f"minute {begin} to {end}"


def outcome(answer: Answer) -> str:
    """How the course ends, in one or two sentences."""
    ride = answer.ride_through
    if not math.isfinite(ride.seconds_to_limit):
        return f"No limit is reached within the {duration(float(ride.time[-1]))} simulated."
    after = duration(ride.seconds_to_limit)
    if ends_course(ride):
        return f"The course ends after {after}. {_sentence(ride.ended)}"
    first = f"The first limit, {ride.first_limit}, is reached after {after}."
    if not ride.ended:
        return first
    return f"{first} The course ends after {duration(float(ride.time[-1]))}. {_sentence(ride.ended)}"


def ends_course(ride: RideThrough) -> bool:
    """Whether what counts as the first limit is the end of the course: no state was found from there on."""
    return bool(ride.ended) and ride.first_limit == ride.ended


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
