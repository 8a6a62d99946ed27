"""What is lost and restored while a site is followed in time, and how its load runs: values, never topology.

    a pump that loses power      w = w_0 exp(-(t - t_lost) / tau)
    what comes back              share rises from what is left to one along a straight line over its ramp

| symbol | meaning | unit | source |
| --- | --- | --- | --- |
| w | highest speed a pump can reach, over rated | - | |
| w_0 | speed at which it ran when it was lost | - | steady state |
| tau | time constant of coasting down | s | configuration, `ride_through` |

Source of the decay: a first-order lag, as the Modelica Buildings library has it for the speed of its movers. A loss by
hydraulic torque alone, w_0 / (1 + t / tau), has a longer tail, which bearings and check valves cut. Fans and
compressors stop at once: what they still move is small.
"""

import dataclasses
import difflib
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from voltherm.site.sections import RideThrough

SERVICES = (
    "heat rejection",
    "facility pumps",
    "CDU pumps",
    "fans",
    "chillers",
    "air handlers",
    "UPS",
    "utility power",
)
"""What can be lost: all outdoor heat rejection (dry coolers, free cooling, trim chillers); one kind of machine; the UPS
(racks and CDUs stop with it); the utility (everything that does not stand behind a UPS)."""


@dataclasses.dataclass(frozen=True)
class Event:
    """A service is lost, or restored, at a time.

    - `at`: seconds from the start
    - `service`: one of `SERVICES`
    - `works`: True where it is restored
    - `ramp`: seconds until a restored service gives all it can; None for that of its machines in `ride_through`
    """

    at: float
    service: str
    works: bool = False
    ramp: float | None = None

    def __post_init__(self) -> None:
        if self.service not in SERVICES:
            near = difflib.get_close_matches(self.service, SERVICES, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(SERVICES)}"
            raise ValueError(f"'{self.service}' is nothing that can be lost: {hint}")
        if not (math.isfinite(self.at) and self.at >= 0.0):
            raise ValueError(f"{self.service}: {self.at:g} s is no time after the start")
        if self.ramp is not None and not (math.isfinite(self.ramp) and self.ramp >= 0.0):
            raise ValueError(f"{self.service}: a ramp of {self.ramp:g} s is no time")

    def __str__(self) -> str:
        verb = "restored" if self.works else "lost"
        ramp = f" over {self.ramp:.17g} s" if self.works and self.ramp is not None else ""
        return f"{self.service} {verb} at {self.at:.17g} s{ramp}"


@dataclasses.dataclass(frozen=True)
class Course:
    """Values at rising times [s], straight lines between them, constant before the first and after the last."""

    times: tuple[float, ...]
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.times) != len(self.values) or not self.times:
            raise ValueError(f"a course has as many values as times: {len(self.values)} for {len(self.times)}")
        if not np.all(np.diff(self.times) > 0.0):
            raise ValueError("the times of a course have to rise")

    def at(self, times: np.ndarray) -> np.ndarray:
        """The values at `times` [s]."""
        return np.interp(times, self.times, self.values)


HEAT_REJECTION_LOST = (Event(0.0, "heat rejection"),)
"""What happens where nothing else is said."""


def events_of(ride_through: RideThrough) -> tuple[Event, ...]:
    """The events of a configured site, in the order of their times."""
    rows = np.asarray(ride_through.events, float)
    found = [
        Event(float(at), SERVICES[int(service)], bool(works), None if ramp < 0.0 else float(ramp))
        for at, service, works, ramp in rows
    ]
    return tuple(sorted(found, key=lambda event: event.at))


def load_of(ride_through: RideThrough) -> Course:
    """The course of the load factor of a configured site."""
    rows = np.asarray(ride_through.load, float)
    return Course(tuple(rows[:, 0].tolist()), tuple(rows[:, 1].tolist()))


class Working(NamedTuple):
    """What works at one time, or at many: shares of dry coolers, of the chillers of both kinds, of the air handlers and
    of the racks with their CDUs; highest speeds of facility and CDU pumps over rated; factor on the racks' load; dry
    bulb [K].
    """

    coolers: Float[Array, "*time"]
    trim_chillers: Float[Array, "*time"]
    air_chillers: Float[Array, "*time"]
    air_handlers: Float[Array, "*time"]
    racks: Float[Array, "*time"]
    facility_pump_speed: Float[Array, "*time"]
    cdu_pump_speed: Float[Array, "*time"]
    load: Float[Array, "*time"]
    dry_bulb: Float[Array, "*time"]


_DEPENDS_ON = {
    "coolers": ("heat rejection", "fans", "utility power"),
    "trim_chillers": ("heat rejection", "chillers", "utility power"),
    "air_chillers": ("chillers", "utility power"),
    "air_handlers": ("air handlers", "utility power"),
    "racks": ("UPS",),
    "facility_pump_speed": ("facility pumps", "utility power"),
    "cdu_pump_speed": ("CDU pumps", "UPS"),
}
"""The services that each part of `Working` needs."""


def working(
    ride_through: RideThrough,
    events: Sequence[Event],
    load: Course,
    dry_bulb: Course,
    times: np.ndarray,
    running: tuple[float, float],
    dtype: DTypeLike = float,
) -> Working:
    """What works at `times` [s], just after what happens then.

    **Arguments**: `running`: speeds of the facility and of the CDU pumps at the start, over the highest; `dtype` of the
    result.
    """
    ramps = {name: float(ride_through.fan_ramp) for name in ("coolers", "air_handlers")}
    ramps |= {name: float(ride_through.chiller_ramp) for name in ("trim_chillers", "air_chillers")}
    ramps |= {name: float(ride_through.pump_ramp) for name in ("facility_pump_speed", "cdu_pump_speed")}
    coasting = {
        "facility_pump_speed": (running[0], float(ride_through.facility_pump_coast_down)),
        "cdu_pump_speed": (running[1], float(ride_through.cdu_pump_coast_down)),
    }
    shares = {
        name: _share(events, needs, ramps.get(name, 0.0), *coasting.get(name, (1.0, 0.0)))(times)
        for name, needs in _DEPENDS_ON.items()
    }
    found = shares | {"load": load.at(times), "dry_bulb": dry_bulb.at(times)}
    return Working(**{name: jnp.asarray(values, dtype) for name, values in found.items()})


def _share(
    events: Sequence[Event], needs: tuple[str, ...], usual_ramp: float, running: float, coast_down: float
) -> Callable[[np.ndarray], np.ndarray]:
    """The course of one part as a function of time."""
    begins: list[float] = [-math.inf]
    pieces: list[Callable[[np.ndarray], np.ndarray]] = [np.ones_like]
    missing: set[str] = set()
    for event in sorted(events, key=lambda one: one.at):
        if event.service not in needs:
            continue
        worked = not missing
        (missing.discard if event.works else missing.add)(event.service)
        if worked == (not missing):
            continue
        begins.append(event.at)
        before = float(pieces[-1](np.asarray(event.at)))
        if missing:
            pieces.append(_falling(event.at, min(before, running), coast_down))
        else:
            pieces.append(_rising(event.at, before, usual_ramp if event.ramp is None else event.ramp))

    def course(times: np.ndarray) -> np.ndarray:
        piece = np.searchsorted(begins, times, side="right") - 1
        return np.choose(piece, [one(times) for one in pieces])

    return course


def _falling(since: float, start: float, coast_down: float) -> Callable[[np.ndarray], np.ndarray]:
    if coast_down <= 0.0:
        return np.zeros_like
    return lambda times: start * np.exp(-np.maximum(times - since, 0.0) / coast_down)


def _rising(since: float, start: float, ramp: float) -> Callable[[np.ndarray], np.ndarray]:
    if ramp <= 0.0:
        return np.ones_like
    return lambda times: np.minimum(start + np.maximum(times - since, 0.0) / ramp, 1.0)
