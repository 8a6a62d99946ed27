"""What is lost in time: temperatures against minutes, with the limit and the moment it is reached."""

import math

import numpy as np

from voltherm.report.figure import BLUE, INK, LIGHT_BLUE, ORANGE, RED, VIOLET, new, style, svg
from voltherm.report.quantities import ZERO_CELSIUS, duration, number
from voltherm.report.ride_through import ends_course, outcome, told, window_text
from voltherm.site import RideThrough
from voltherm.study.answer import Answer

_LEAST_SHOWN = 10.0  # s: of a course whose first limit is passed from the start
_BEYOND = 1.4  # of the time to the first limit: what is drawn; past it chips throttle


def _shown_until(answer: Answer) -> float:
    """Seconds from the start to the right edge of the plot."""
    ride = answer.ride_through
    end = float(ride.time[-1])
    if not math.isfinite(ride.seconds_to_limit):
        return end
    return min(end, max(_BEYOND * ride.seconds_to_limit, _LEAST_SHOWN))


def ride_through_figure(answer: Answer) -> str:
    """The course of an answer, little further than its first limit."""
    return course_figure(answer.ride_through, float(answer.site.rack.gpu.junction_limit), _shown_until(answer))


def course_figure(ride: RideThrough, gpu_limit: float, until: float) -> str:
    """Chips above, water below, over minutes since the start.

    **Arguments**: `gpu_limit`: of the GPUs' junctions [K]; `until`: what is drawn [s].
    """
    shown = np.asarray(ride.time) <= until
    minutes = np.asarray(ride.time)[shown] / 60.0
    with style("ride"):
        figure = new(9.6, 4.0)
        axes = figure.subplots()
        axes.set_title(f"Temperature [°C]: {told(ride.events)}")
        curves = (
            ("hottest GPU", ride.gpu_temperature, RED, 2.4),
            ("secondary supply, warmest row", ride.supply, VIOLET, 1.8),
            ("facility return", ride.facility_return, ORANGE, 1.6),
            ("facility supply", ride.facility_supply, BLUE, 1.8),
            ("buffer tank", ride.tank, LIGHT_BLUE, 1.6),
        )
        for label, values, colour, width in curves:
            axes.plot(minutes, np.asarray(values)[shown] - ZERO_CELSIUS, color=colour, linewidth=width, label=label)
        limit = gpu_limit - ZERO_CELSIUS
        axes.axhline(limit, color=RED, linewidth=1.0, linestyle=(0, (4, 2)))
        axes.annotate(
            f"GPU limit {number(limit)} °C",
            (0.0, limit),
            (4, 4),
            textcoords="offset points",
            ha="left",
            color=RED,
        )
        if math.isfinite(ride.seconds_to_limit):
            when = ride.seconds_to_limit / 60.0
            axes.axvline(when, color=INK, linewidth=1.0)
            axes.annotate(
                f"{duration(ride.seconds_to_limit)}: {'end of the course' if ends_course(ride) else ride.first_limit}",
                (when, 0.0),
                (-6 if when > 0.5 * minutes[-1] else 6, 8),
                xycoords=("data", "axes fraction"),
                textcoords="offset points",
                ha="right" if when > 0.5 * minutes[-1] else "left",
                fontweight="bold",
            )
        axes.set_xlabel("minutes")
        axes.set_xlim(0.0, minutes[-1])
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
        return svg(figure, "ride", "Temperatures while something is lost")


def ride_through_caption(answer: Answer) -> str:
    """What the plot shows, in a sentence or two."""
    ride = answer.ride_through
    return (
        f"On the hot day: {told(ride.events)}. "
        f"{outcome(answer)} From {window_text(answer)} the facility water warms by 1 K in "
        f"{number(ride.seconds_per_kelvin, 0)} s."
    )
