"""What a course in time amounts to: when which limit is reached, how fast the water warms, whether heat is conserved.

    crossing     t_1 + (t_2 - t_1) m_1 / (m_1 - m_2)         margin m falls through zero between two stored rows
    imbalance    |dE - dt (P_in - P_out)| / (dt max(P_in, P_out))

| symbol | meaning | unit |
| --- | --- | --- |
| E | enthalpy in all stores of the building | J |
| P_in, P_out | heat into the liquids, heat taken out of them, means of a step | W |
"""

import dataclasses
import math
from collections.abc import Mapping

import numpy as np

from voltherm.numerics import ResultCode, sentence
from voltherm.site.sections import Site

_HELD = 0.01  # K: a supply that starts at its limit has not passed it yet
_SETTLED, _WATCHED = 300.0, 900.0  # s: when, and how long, the rise of the facility water is measured


class UnsolvedStepError(ValueError):
    """The first step in time has no solution; the message says which part fails."""


@dataclasses.dataclass(frozen=True)
class RideThrough:
    """Course of the worst building after something is lost, arrays over (time,); SI. Every row is the state at its
    time; power and flows are those just after it.

    `work`: mean of the GPUs, over that at the nameplate load. `heat_in`: of chips, pumps and the air side's
    condensers to coolant and facility water. `cooler_share`, `chiller_share`, `handler_share`: of the dry coolers,
    trim chillers and air handlers that work; `load_factor`: on the configured one. `events`: what is lost and
    restored, as a text. `seconds_to_limits`: until each limit by name is reached; infinite where it is not.
    `seconds_to_limit`, `first_limit`: the least of them and its name, or "none". `seconds_to_throttling`: until a
    chip lowers its clock to hold its temperature; infinite where none does. `seconds_per_kelvin`: of the facility
    water's mean temperature, within `window` [s]: minute 5 to 20 where the course is long enough, else all of it.
    `ended`: why the course ends before its duration, which counts as a limit; empty where it does not. It ends
    where a chip switches itself off. `energy_residual`: largest imbalance of the building's stores over a step,
    relative to the heat that went in.
    """

    time: np.ndarray
    facility_supply: np.ndarray
    facility_return: np.ndarray
    tank: np.ndarray
    supply: np.ndarray
    gpu_temperature: np.ndarray
    junction_margin: np.ndarray
    work: np.ndarray
    inlet_air: np.ndarray
    it_power: np.ndarray
    heat_in: np.ndarray
    facility_flow: np.ndarray
    row_flow: np.ndarray
    cooler_share: np.ndarray
    chiller_share: np.ndarray
    handler_share: np.ndarray
    load_factor: np.ndarray
    events: str
    seconds_to_limits: Mapping[str, float]
    seconds_to_limit: float
    first_limit: str
    seconds_to_throttling: float
    seconds_per_kelvin: float
    window: tuple[float, float]
    ended: str
    energy_residual: float

    @property
    def later_limits(self) -> dict[str, float]:
        """Times [s] of the limits that are reached after the first, by name, in their order."""
        times = sorted(self.seconds_to_limits.items(), key=lambda item: item[1])
        return {name: when for name, when in times if math.isfinite(when) and name != self.first_limit}


_TRACED = (
    "facility_supply",
    "facility_return",
    "tank",
    "supply",
    "gpu_temperature",
    "junction_margin",
    "work",
    "inlet_air",
    "it_power",
    "heat_in",
    "facility_flow",
    "row_flow",
)
_SHARES = {
    "cooler_share": "coolers",
    "chiller_share": "trim_chillers",
    "handler_share": "air_handlers",
    "load_factor": "load",
}


def evaluated(
    site: Site,
    times: np.ndarray,
    course: Mapping[str, np.ndarray],
    shares: Mapping[str, np.ndarray],
    booked: float,
    events: str,
) -> RideThrough:
    """The result of a course of one building.

    **Arguments**: `times` of the rows and of the end of the last step [s]; `course`: traces by name (step,);
    `shares`: what works, by name (step,); `booked`: enthalpy in all stores at the start [J].
    """
    # where a solve fails or a chip runs away there is no state: the course ends there
    unsolved = ~np.isfinite(course["it_power"]) | (course["result"] != ResultCode.CONVERGED)
    # what chips that are off do next is their operator's decision: one row shows them
    lost = np.flatnonzero(unsolved | np.concatenate([[False], course["off"][:-1] > 0.0]))
    ended = _ended(course, int(lost[0])) if lost.size else ""
    if lost.size and unsolved[0]:
        raise UnsolvedStepError(f"the first step in time has no solution: {ended}")
    rows = int(lost[0]) if lost.size else len(times) - 1
    course = {name: values[:rows] for name, values in course.items()}
    durations, time = np.diff(times)[:rows], times[:rows]
    change = np.diff(np.concatenate([[booked], course["stored"]]))
    moved = durations * np.maximum(np.abs(course["heat_in"]), np.abs(course["heat_out"]))
    residual = np.abs(change - durations * (course["heat_in"] - course["heat_out"])) / moved
    crossings = {
        "chip junction limit": first_below_zero(time, course["junction_margin"]),
        "memory limit": first_below_zero(time, course["memory_margin"]),
        "maker's limit of the supply": first_below_zero(
            time, float(site.limits.supply_maximum) + _HELD - course["supply"]
        ),
        "rack inlet air limit": first_below_zero(time, float(site.air.inlet_limit) - course["inlet_air"]),
    }
    limits = dict(crossings)
    if ended:
        crossings[ended] = float(time[-1] if course["off"][-1] > 0.0 else times[rows])
    first = min(crossings, key=lambda name: crossings[name])
    seconds = crossings[first]
    # after the rows have warmed, and before chips far beyond their limit give off more than they should
    watched = np.flatnonzero((time >= _SETTLED) & (time <= _SETTLED + _WATCHED))
    begin, end = (watched[0], watched[-1]) if watched.size > 1 else (0, rows - 1)
    rise = course["mean_temperature"][end] - course["mean_temperature"][begin]
    return RideThrough(
        time=time,
        **{name: course[name] for name in _TRACED},
        **{name: shares[source][:rows] for name, source in _SHARES.items()},
        events=events,
        seconds_to_limits=limits,
        seconds_to_limit=seconds,
        first_limit="none" if math.isinf(seconds) else first,
        seconds_to_throttling=first_below_zero(time, course["throttle_margin"]),
        seconds_per_kelvin=float((time[end] - time[begin]) / rise) if rise > 0.0 else math.inf,
        window=(float(time[begin]), float(time[end])),
        ended=ended,
        energy_residual=float(np.max(residual)),
    )


def _ended(course: Mapping[str, np.ndarray], step: int) -> str:
    if step > 0 and course["off"][step - 1] > 0.0:
        return "chips pass their shutdown temperature and switch themselves off"
    if course["runaway"][step]:
        return "a chip has no steady temperature: its leakage runs away"
    return sentence(ResultCode(int(course["result"][step])), "the hydraulics of the loops")


def first_below_zero(time: np.ndarray, margin: np.ndarray) -> float:
    """Time [s] at which a margin first falls to zero, between rows by a straight line; infinite where it does not.

    A chip that only its throttling holds has no margin (NaN): there it is below zero.
    """
    below = np.flatnonzero(~(margin > 0.0))
    if below.size == 0:
        return math.inf
    after = int(below[0])
    if after == 0 or not np.isfinite(margin[after]):
        return float(time[after])
    share = margin[after - 1] / (margin[after - 1] - margin[after])
    return float(time[after - 1] + share * (time[after] - time[after - 1]))
