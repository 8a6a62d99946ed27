"""Steady solve of the building: warm on a hot and on a mild day, first and second start, gradient, memory."""

import json
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.building_start import STAGES, as_times
from benchmarks.measurement import CASE, Measurement, Times, gigabytes, parser, present, readable, run_child

AMBIENTS = {"hot day, 43 degC": 43.0, "mild day, 25 degC": 25.0}


def measure(case: Path = CASE, overrides: Sequence[str] = (), repetitions: int = 21) -> list[Measurement]:
    """One start with nothing compiled before, then one that finds what the first has kept."""
    with tempfile.TemporaryDirectory() as folder:
        cold, again = (_start(case, overrides, count, Path(folder)) for count in (repetitions, 1))
    return summarised(cold, again)


def summarised(cold: Mapping[str, Any], again: Mapping[str, Any]) -> list[Measurement]:
    """What the records of a first and a second start say."""
    found = []
    for name, day in cold["days"].items():
        seen = {"result": day["result"], "passes": day["iterations"], "residual": f"{day['residual']:.1e}"}
        found.append(Measurement(f"steady, {name}", as_times(day), "50 ms", seen))
    for name, record in (("nothing compiled before", cold), ("compiled programs kept", again)):
        goal = "compile under 20 s" if record is cold else ""
        found.append(_staged(f"first answer, {name}", record["first_answer"], record["stages"], goal))
        found[-1].details["to the built site"] = readable(record["ready"])
    found[-2].details["peak memory"] = gigabytes(cold["peak_memory_of_solve"])
    gradient = cold["gradient"]
    seen = {"numbers": gradient["numbers"], "finite": gradient["finite"], "peak memory": gigabytes(cold["peak_memory"])}
    found.append(Measurement("gradient of the junction margin at a known state", as_times(gradient), "", seen))
    for name, record in (("nothing compiled before", cold), ("compiled programs kept", again)):
        stages = record["gradient"]["stages"]
        found.append(_staged(f"program of the gradient, {name}", sum(stages.values()), stages, ""))
    return found


def _staged(job: str, seconds: float, stages: Mapping[str, float], goal: str) -> Measurement:
    seen: dict[str, object] = {stage: readable(stages[stage]) for stage in STAGES}
    return Measurement(job, Times((seconds,), ()), goal, seen)


def _start(case: Path, overrides: Sequence[str], repetitions: int, cache: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.building_start", str(case.resolve())]
    command += [f"--set={text}" for text in overrides]
    command += ["--repetitions", str(repetitions), "--ambients", json.dumps(AMBIENTS), "--started", str(time.time())]
    return json.loads(run_child(command, cache=cache).output)


def main(arguments: list[str] | None = None) -> None:
    """Measure, print, write."""
    options = parser("building", __doc__)
    options.add_argument("--case", type=Path, default=CASE)
    options.add_argument("--set", action="append", default=[], dest="overrides", metavar="PATH=VALUE")
    options.add_argument("--repetitions", type=int, default=21)
    chosen = options.parse_args(arguments)
    present("building", measure(chosen.case, chosen.overrides, chosen.repetitions), chosen.out)


if __name__ == "__main__":
    main()
