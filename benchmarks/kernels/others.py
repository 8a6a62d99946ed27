"""Beside further peers: radial feeders in power-grid-model and in sweeps by hand, and the linear step alone in KLU.

python -m benchmarks.kernels.others [--quick]

The linear step factors and solves one power-flow Jacobian per scenario. klujax calls KLU from jax, its ordering done
once before, on one thread for each call; its processor time is what to compare.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.kernels.cases import Case, named
from benchmarks.kernels.cores import keep_to_two_cores
from benchmarks.kernels.interleaved import Elapsed, elapsed, in_turns
from benchmarks.kernels.measure_row import say

RADIAL = ("radial100", "radial1000", "radial10000")
LINEAR = ("case118", "case1354pegase", "case2869pegase")
RECORD = Path(__file__).parents[1] / "out" / "kernels_others.json"
_VOLTAGE_LIMIT, _SOLUTION_LIMIT = 1e-6, 1e-8


def compared(
    case: Case,
    batch: int,
    jobs: dict[str, Callable[[], Elapsed]],
    repetitions: int,
    difference: float,
    limit: float,
) -> dict[str, Any]:
    """A row: wall and processor time per scenario of ours and of the peer, named by the jobs, and their difference."""
    ours, peer = jobs
    times = in_turns(jobs, repetitions)
    row: dict[str, Any] = {"case": case.name, "batch": batch, "what": ours, "peer": peer}
    for name, key in ((ours, "us"), (peer, "peer_us")):
        row |= {key: 1e6 * times[name].wall / batch, f"{key}_processor": 1e6 * times[name].processor / batch}
    ratio, processor_ratio = (times[peer][field] / times[ours][field] for field in range(2))
    return row | {
        "ratio": ratio,
        "processor_ratio": processor_ratio,
        "difference": difference,
        "agrees": bool(difference <= limit),
    }


def grid_model(case: Case, batch: int, repetitions: int) -> dict[str, Any]:
    """The whole solve of a radial feeder against power-grid-model. ImportError where that is not installed."""
    from benchmarks.kernels.grid_model_peer import Peer

    return _radial(Peer, case, batch, repetitions)


def sweeps(case: Case, batch: int, repetitions: int) -> dict[str, Any]:
    """The whole solve of a radial feeder against sweeps in numba. ImportError where that is not installed."""
    from benchmarks.kernels.sweep_peer import Peer

    return _radial(Peer, case, batch, repetitions)


def _radial(make_peer: Callable[..., Any], case: Case, batch: int, repetitions: int) -> dict[str, Any]:
    import jax

    from benchmarks.kernels import power_networks
    from benchmarks.kernels.power_workload import workload
    from benchmarks.kernels.workload import TOLERANCE

    arrays = power_networks.arrays(case.name)
    loads = power_networks.scenarios(arrays, batch)
    peer = make_peer(arrays, loads, TOLERANCE)
    peer.solve()
    work = workload(arrays, loads, "auto")
    solve = jax.jit(work.forward)
    shared = (jax.tree.map(lambda array: array[0], solve(work.base, work.shared)[0]), work.shared[1])
    difference = float(np.max(np.abs(work.as_peer(solve(work.varied, shared)[0]) - peer.result())))
    jobs = {
        "power flow": lambda: elapsed(lambda: jax.block_until_ready(solve(work.varied, shared))),
        peer.name: peer.solve,
    }
    return compared(case, batch, jobs, repetitions, difference, _VOLTAGE_LIMIT)


def linear(case: Case, batch: int, repetitions: int) -> dict[str, Any]:
    """The linear step against klujax. ImportError where that is not installed."""
    import jax
    import jax.numpy as jnp
    import klujax
    from voltherm_kernels import analyse, solve

    from benchmarks.kernels import power_networks
    from benchmarks.kernels.jacobian import jacobians, voltages

    arrays = power_networks.arrays(case.name)
    blocks = jacobians(arrays, voltages(arrays, batch))
    size = len(arrays.bus)
    schedule = analyse(blocks.rows, blocks.columns, size, block_size=2)
    values = jnp.asarray(blocks.values)
    right = jnp.asarray(np.random.default_rng(1).normal(size=(batch, size, 2)))
    ours = jax.jit(jax.vmap(lambda values, right: solve(schedule, values, right)))

    # parallel branches give a place twice; KLU wants it once, in scalar rows and columns
    places, place = np.unique(blocks.rows.astype(np.int64) * size + blocks.columns, return_inverse=True)
    summed = np.zeros((batch, len(places), 2, 2))
    np.add.at(summed, (slice(None), place), blocks.values)
    rows = 2 * (places // size)[:, None, None] + np.arange(2)[:, None] + np.zeros((2, 2), int)
    columns = 2 * (places % size)[:, None, None] + np.arange(2) + np.zeros((2, 2), int)
    rows, columns = (jnp.asarray(index.ravel(), jnp.int32) for index in (rows, columns))
    scalars = jnp.asarray(summed.reshape(batch, -1))
    symbolic = klujax.analyze(rows, columns, 2 * size)

    def theirs() -> Any:
        return klujax.solve_with_symbol(rows, columns, scalars, right.reshape(batch, -1, 1), symbolic)

    expected = np.asarray(theirs()).reshape(batch, size, 2)
    difference = float(np.max(np.abs(np.asarray(ours(values, right)) - expected)) / np.max(np.abs(expected)))
    jobs = {
        "linear step": lambda: elapsed(lambda: jax.block_until_ready(ours(values, right))),
        "klujax": lambda: elapsed(lambda: jax.block_until_ready(theirs())),
    }
    return compared(case, batch, jobs, repetitions, difference, _SOLUTION_LIMIT)


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, write; exit code 1 where an answer differs."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kernels.others", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="an eighth of the scenarios, three repetitions")
    chosen = parser.parse_args(arguments)
    keep_to_two_cores()
    import jax

    from benchmarks.kernels.columns import text

    jax.config.update("jax_enable_x64", True)
    rows = []
    for function, names in ((grid_model, RADIAL), (sweeps, RADIAL), (linear, LINEAR)):
        for case in map(named, names):
            say(f"{case.name}, {function.__name__}")
            batch = case.quick_batch() if chosen.quick else case.batch
            try:
                rows.append(function(case, batch, 3 if chosen.quick else 7))
            except ImportError as missing:
                say(f"left out: {missing}")
                break
    if rows:
        print(text(rows))
        RECORD.parent.mkdir(parents=True, exist_ok=True)
        RECORD.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
        print(f"record: {RECORD}")
    return int(not all(row["agrees"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
