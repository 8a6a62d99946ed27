"""One start of a process that follows the building through a day: what `benchmarks.bench_simulate` runs twice.

Prints one line of JSON: seconds and peak memory of every stage, and what the course says of itself.
"""

import argparse
import json
import math
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measurement import peak_memory

_LOST_FROM, _LOST_FOR = 12.0 * 3600.0, 600.0  # s
_WARMEST = 15.0 * 3600.0  # s
_DAY = 86400.0  # s


def outage(hours: float) -> str:
    """Heat rejection is lost for the ten minutes from noon, as far as the hours reach: `ride_through.events`."""
    end = 3600.0 * hours
    lost, back = min(_LOST_FROM, end), min(_LOST_FROM + _LOST_FOR, end)
    return f"heat rejection lost at {lost:g} s; heat rejection restored at {back:g} s over 0 s"


def dry_bulb(times: np.ndarray, warmest: float, daily_range: float) -> np.ndarray:
    """A day's course [K] below its warmest hour, 15 h; times in s."""
    angle = 2.0 * math.pi * (times - _WARMEST) / _DAY
    return warmest - 0.5 * daily_range * (1.0 - np.cos(angle))


def one_start(case: Path, overrides: Sequence[str], hours: float, step: float) -> dict[str, Any]:
    """Everything of the record; the course starts from the steady state at midnight."""
    from voltherm.cli.environment import prepare
    from voltherm.formats import configuration

    configured, _ = configuration(
        case, [*overrides, f"ride_through.duration={hours:g} h", f"ride_through.events={outage(hours)}"]
    )
    prepare("cpu")
    from voltherm.site import build, simulate, with_parameters
    from voltherm.site.events import Course
    from voltherm.study.site_functions import solved

    site = build(configured)
    steps = math.ceil(3600.0 * hours / step)
    times = step * np.arange(steps + 1)
    course = dry_bulb(times, float(site.climate.dry_bulb), float(np.max(site.climate.monthly_daily_range)))
    midnight = with_parameters(site, {"climate.dry_bulb": course[0]})
    clock = [(time.perf_counter(), time.process_time())]
    state = solved(midnight).value
    clock.append((time.perf_counter(), time.process_time()))
    peaks = [peak_memory()]
    found = simulate(midnight, state, step=step, dry_bulb=Course(tuple(times.tolist()), tuple(course.tolist())))
    clock.append((time.perf_counter(), time.process_time()))
    peaks.append(peak_memory())
    return {
        "wall": [clock[i + 1][0] - clock[i][0] for i in range(2)],
        "processor": [clock[i + 1][1] - clock[i][1] for i in range(2)],
        "peak_memory": peaks,
        "steps": [len(found.time), steps],
        "ended": found.ended,
        "first_limit": found.first_limit,
        "imbalance": found.energy_residual,
        "facility_supply": [float(np.min(found.facility_supply)), float(np.max(found.facility_supply))],
        "smallest_margin": float(np.min(found.junction_margin)),
    }


def main() -> None:
    """One record on standard output."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.simulate_start", description=__doc__)
    options.add_argument("case", type=Path)
    options.add_argument("--set", action="append", default=[], dest="overrides", metavar="PATH=VALUE")
    options.add_argument("--hours", type=float, default=24.0)
    options.add_argument("--step", type=float, default=15.0, help="seconds")
    chosen = options.parse_args()
    json.dump(one_start(chosen.case, chosen.overrides, chosen.hours, chosen.step), sys.stdout)


if __name__ == "__main__":
    main()
