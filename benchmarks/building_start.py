"""One start of a process that solves the building: what `benchmarks.bench_building` runs twice.

Prints one line of JSON: seconds from the start of the process to the first answer, seconds to trace, lower and compile
the steady solve and the gradient, times of warm calls, iterations, residuals, peak memory.
"""

import argparse
import dataclasses
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.measurement import Times, peak_memory, timed

STAGES = ("trace", "lower", "compile")


def compiled_in_stages(function: Callable, *arguments: Any) -> tuple[Callable, dict[str, float]]:
    """The compiled function, to be called with `arrays(arguments)`, and the seconds of every stage."""
    import equinox as eqx
    import jax

    traced, fixed = eqx.partition(arguments, eqx.is_array)
    jitted = jax.jit(lambda given: function(*eqx.combine(given, fixed)))
    ends = [time.perf_counter()]
    staged = jitted.trace(traced)
    ends.append(time.perf_counter())
    lowered = staged.lower()
    ends.append(time.perf_counter())
    compiled = lowered.compile()
    ends.append(time.perf_counter())
    return compiled, {name: ends[i + 1] - ends[i] for i, name in enumerate(STAGES)}


def arrays(arguments: tuple[Any, ...]) -> Any:
    """The traced part of arguments: what a function of `compiled_in_stages` takes."""
    import equinox as eqx

    return eqx.filter(arguments, eqx.is_array)


def one_start(
    case: Path, overrides: Sequence[str], ambients: Mapping[str, float], repetitions: int, started: float
) -> dict[str, Any]:
    """Everything of the record; `ambients` are dry-bulb temperatures [degC] by name, the first that of the case."""
    from voltherm.cli.environment import prepare
    from voltherm.formats import configuration

    configured, _ = configuration(case, overrides)
    prepare("cpu")
    import equinox as eqx
    import jax

    from voltherm.numerics import ResultCode
    from voltherm.site import attach_derivatives, build, outputs, parameter, parameter_paths, steady, with_parameters

    site = build(configured)
    ready = time.time() - started
    solve, stages = compiled_in_stages(steady, site)
    solutions, days = {}, {}
    first_answer = None
    for name, celsius in ambients.items():
        there = with_parameters(site, {"climate.dry_bulb": celsius + 273.15})
        traced = arrays((there,))
        solution = jax.block_until_ready(solve(traced))
        first_answer = first_answer or time.time() - started
        times = timed(lambda traced=traced: solve(traced), repetitions)
        solutions[name] = (there, solution.value)
        days[name] = dataclasses.asdict(times) | {
            "result": ResultCode(int(solution.status.result)).name,
            "iterations": int(solution.status.iterations),
            "residual": float(solution.status.residual),
        }
    peak_of_solve = peak_memory()

    @eqx.filter_grad
    def margin(values, there, state):
        moved = with_parameters(there, values)
        return outputs(moved, attach_derivatives(moved, state))["junction_margin"]

    hot, state = next(iter(solutions.values()))
    values = {path: parameter(hot, path) for path in parameter_paths(hot)}
    gradient, gradient_stages = compiled_in_stages(margin, values, hot, state)
    traced = arrays((values, hot, state))
    found = jax.block_until_ready(gradient(traced))
    return {
        "ready": ready,
        "first_answer": first_answer,
        "stages": stages,
        "days": days,
        "peak_memory_of_solve": peak_of_solve,
        "gradient": {
            "numbers": len(found),
            "finite": all(bool(jax.numpy.isfinite(value)) for value in found.values()),
            "stages": gradient_stages,
            **dataclasses.asdict(timed(lambda: gradient(traced), repetitions)),
        },
        "peak_memory": peak_memory(),
    }


def as_times(record: Mapping[str, Any]) -> Times:
    """The times of a part of the record."""
    return Times(tuple(record["wall"]), tuple(record["processor"]))


def main() -> None:
    """One record on standard output."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.building_start", description=__doc__)
    options.add_argument("case", type=Path)
    options.add_argument("--set", action="append", default=[], dest="overrides", metavar="PATH=VALUE")
    options.add_argument("--ambients", type=json.loads, default='{"hot day": 43.0}', help="degC by name, as JSON")
    options.add_argument("--repetitions", type=int, default=11)
    options.add_argument("--started", type=float, default=time.time(), help="time the process was asked for")
    chosen = options.parse_args()
    record = one_start(chosen.case, chosen.overrides, chosen.ambients, chosen.repetitions, chosen.started)
    json.dump(record, sys.stdout)


if __name__ == "__main__":
    main()
