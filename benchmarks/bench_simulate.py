"""A day of the building in time: the dry bulb of its hot day, heat rejection lost for ten minutes at noon."""

import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.measurement import CASE, Measurement, Times, gigabytes, parser, present, readable, run_child


def measure(
    case: Path = CASE, overrides: Sequence[str] = (), hours: float = 24.0, step: float = 15.0
) -> list[Measurement]:
    """One start with nothing compiled before, then one that finds what the first has kept."""
    command = [sys.executable, "-m", "benchmarks.simulate_start", str(case.resolve())]
    command += [f"--set={text}" for text in overrides] + ["--hours", str(hours), "--step", str(step)]
    with tempfile.TemporaryDirectory() as folder:
        cold, again = (json.loads(run_child(command, cache=Path(folder)).output) for _ in range(2))
    return summarised(f"{hours:g} h at {step:g} s steps", cold, again)


def summarised(name: str, cold: Mapping[str, Any], again: Mapping[str, Any]) -> list[Measurement]:
    """What the records of a first and a second start say."""
    found = []
    for start, record in (("nothing compiled before", cold), ("compiled programs kept", again)):
        for job, number, goal in (("steady state at midnight", 0, ""), (name, 1, "within 1 GB")):
            times = Times((record["wall"][number],), (record["processor"][number],))
            seen = {"peak memory of the process by then": gigabytes(record["peak_memory"][number])}
            found.append(Measurement(f"{job}, {start}", times, goal, seen))
    done, asked = again["steps"]
    coolest, warmest = (value - 273.15 for value in again["facility_supply"])
    found[-1].details.update(
        {
            "steps": f"{done:,} of {asked:,}",
            "per step": readable(again["wall"][1] / done),
            "ended early": again["ended"] or "no",
            "first limit": again["first_limit"],
            "smallest junction margin": f"{again['smallest_margin']:.1f} K",
            "facility supply": f"{coolest:.1f} to {warmest:.1f} degC",
            "imbalance of stored heat": f"{again['imbalance']:.1e}",
        }
    )
    return found


def main(arguments: list[str] | None = None) -> None:
    """Measure, print, write."""
    options = parser("simulate", __doc__)
    options.add_argument("--case", type=Path, default=CASE)
    options.add_argument("--set", action="append", default=[], dest="overrides", metavar="PATH=VALUE")
    options.add_argument("--hours", type=float, default=24.0)
    options.add_argument("--step", type=float, default=15.0, help="seconds")
    chosen = options.parse_args(arguments)
    present("simulate", measure(chosen.case, chosen.overrides, chosen.hours, chosen.step), chosen.out)


if __name__ == "__main__":
    main()
