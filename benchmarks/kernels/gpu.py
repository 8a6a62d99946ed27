"""The network solvers on one NVIDIA GPU: large batches, checked against the CPU, and the share of its bandwidth.

python -m benchmarks.kernels.gpu [--cases case118 net3] [--batch 10240]

Needs jax, equinox and the source tree, nothing installed. Without a GPU it says what the schedules predict and ends.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
from voltherm_kernels.cost import H200

from benchmarks.kernels.cases import CASES, Case
from benchmarks.kernels.columns import text
from benchmarks.kernels.interleaved import elapsed, in_turns
from benchmarks.kernels.prepare import prepared
from benchmarks.kernels.traffic import newton_step
from benchmarks.kernels.workload import Workload
from benchmarks.measurement import machine

RECORDS = Path(__file__).parents[1] / "records"
BATCH = 10_240
CHECKED = 1_000
_AGREEMENT = 1e-6  # p.u. voltage, or of the largest flow: both ends stop at residuals of 1e-8
_MEMORY_SHARE = 0.5  # of the device, for what a chunk needs beside its factors
_COPIES = 4.0  # of the factors of a scenario: values, factors, and those of the gradient
_FEW = 8  # scenarios that tell how many iterations a case takes


def chunk_size(workload: Workload, batch: int, memory: float) -> int:
    """Scenarios that the device's memory, bytes, holds at once: the batch, or the largest power of two that fits."""
    schedule = workload.schedule
    one = 8.0 * _COPIES * (schedule.slots * schedule.block_size**2 + 16.0 * workload.branches)
    fitting = max(32.0, _MEMORY_SHARE * memory / one)
    return batch if batch <= fitting else 1 << int(np.log2(fitting))


def part(varied: Any, lanes: slice | np.ndarray) -> Any:
    """Those scenarios of a batch."""
    return jax.tree.map(lambda array: array[lanes], varied)


def predicted(case: Case) -> dict[str, Any]:
    """What the schedule says of one scenario on an H200; iterations from a few scenarios solved on the CPU.

    The plain iteration takes them, whose steps are those of a GPU: the compiled one of a CPU takes chords.
    """
    workload = prepared(case, _FEW, "xla").workload
    solve = jax.jit(workload.forward)
    start = part(solve(workload.base, workload.shared)[0], 0)
    status = solve(workload.varied, (start, workload.shared[1]))[1]
    iterations = float(np.mean(status.iterations))
    effort = newton_step(workload.schedule, workload.branches, case.suite).times(iterations)
    return {
        "case": case.name,
        "iterations": iterations,
        "megaflop": 1e-6 * effort.operations,
        "megabyte_touched": 1e-6 * effort.touched,
        "megabyte_least": 1e-6 * effort.least,
        "predicted_us": 1e6 * effort.seconds(H200),
        "floor_us": 1e6 * effort.seconds(H200, touched=False),
        "goal_us": case.goal_gpu_us,
    }


def measured(case: Case, batch: int, device: Any, memory: float, repetitions: int) -> dict[str, Any]:
    """Time of a batch on a device, its difference from the CPU, and the CPU's own time and peer's on all cores."""
    workload, make_peer, _ = prepared(case, batch, "auto")
    size = chunk_size(workload, batch, memory)
    chunks = [slice(first, first + size) for first in range(0, batch - size + 1, size)]
    solved = size * len(chunks)
    forward = jax.jit(workload.forward)
    varied, given, nominal = jax.device_put((workload.varied, workload.shared, workload.base), device)
    begin = time.perf_counter()
    start = jax.block_until_ready(part(forward(part(nominal, chunks[0]), given)[0], 0))
    first_answer = time.perf_counter() - begin
    shared = (start, given[1])
    kept = [jax.tree.map(np.asarray, forward(part(varied, lanes), shared)) for lanes in chunks]
    result, status = jax.tree.map(lambda *parts: np.concatenate(parts), *kept)

    def scalar(varied: Any) -> tuple[Any, Any]:
        result, status = workload.forward(varied, shared)
        return workload.objective(result), (result, status)

    gradient, one = jax.jit(jax.value_and_grad(scalar, has_aux=True)), part(varied, chunks[0])

    def all_chunks() -> None:
        for lanes in chunks:
            jax.block_until_ready(forward(part(varied, lanes), shared))

    times = in_turns(
        {
            "all": lambda: elapsed(all_chunks),
            "forward": lambda: elapsed(lambda: jax.block_until_ready(forward(one, shared))),
            "gradient": lambda: elapsed(lambda: jax.block_until_ready(gradient(one))),
        },
        repetitions,
    )
    wall = times["all"].wall
    iterations = float(np.mean(status.iterations))
    effort = newton_step(workload.schedule, workload.branches, case.suite).times(iterations)
    return {
        "case": case.name,
        "batch": solved,
        "chunk": size,
        "us_per_scenario": 1e6 * wall / solved,
        "goal_us": case.goal_gpu_us,
        "gradient_ratio": times["gradient"].wall / times["forward"].wall,
        "bandwidth_share": effort.touched * solved / wall / H200.bandwidth,
        "predicted_us": 1e6 * effort.seconds(H200),
        "iterations": iterations,
        "residual": float(np.max(status.residual)),
        "unsolved": int(np.sum(status.result != 0)),
        "first_answer_s": first_answer,
        **_on_the_host(workload, shared, result, solved),
        **_peer(make_peer, batch),
    }


def _on_the_host(workload: Workload, shared: Any, result: Any, solved: int) -> dict[str, Any]:
    """Random scenarios on all cores of the CPU: their time, and how far the device's answer is from theirs."""
    cpu = jax.devices("cpu")[0]
    chosen = np.sort(np.random.default_rng(1).choice(solved, min(CHECKED, solved), replace=False))
    given = jax.device_put((part(workload.varied, chosen), shared), cpu)
    forward = jax.jit(workload.forward)
    expected = workload.as_peer(jax.block_until_ready(forward(*given)[0]))
    wall = elapsed(lambda: jax.block_until_ready(forward(*given))).wall
    scale = 1.0 if np.iscomplexobj(expected) else np.max(np.abs(expected), axis=1, keepdims=True)
    difference = float(np.max(np.abs(workload.as_peer(part(result, chosen)) - expected) / scale))
    return {
        "checked": len(chosen),
        "difference_from_cpu": difference,
        "agrees": bool(difference <= _AGREEMENT),
        "host_cores": _cores(),
        "host_us_per_scenario": 1e6 * wall / len(chosen),
    }


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _peer(make_peer: Any, batch: int) -> dict[str, Any]:
    """The same batch by the peer on all cores of the host, where it is installed."""
    try:
        peer = make_peer(_cores())
    except ImportError as missing:
        return {"peer": None, "peer_us_per_scenario": None, "peer_note": str(missing)}
    try:
        wall = in_turns({"peer": peer.solve}, 3)["peer"].wall
    finally:
        peer.close()
    return {"peer": peer.name, "peer_us_per_scenario": 1e6 * wall / batch, "peer_note": ""}


def driver() -> str | None:
    """Version of the NVIDIA driver."""
    try:
        command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.splitlines()[0].strip()


def write_record(rows: Sequence[dict[str, Any]], device: Any, folder: Path) -> Path:
    """The rows with the device, its driver, versions and commit."""
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    record = {"when": when, "device": device.device_kind, "driver": driver(), "machine": machine(), "rows": list(rows)}
    folder.mkdir(parents=True, exist_ok=True)
    kind = "-".join(device.device_kind.lower().split())
    file = folder / f"kernels-{kind}-{when[:10]}.json"
    file.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return file


def gpus() -> list[Any]:
    """The GPUs that jax sees."""
    try:
        return jax.devices("gpu")
    except RuntimeError:
        return []


def main(arguments: list[str] | None = None) -> int:
    """Measure on the first GPU, or predict."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kernels.gpu", description=__doc__.splitlines()[0])
    parser.add_argument("--cases", nargs="+", choices=[case.name for case in CASES], metavar="NAME")
    parser.add_argument("--batch", type=int, default=BATCH)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--records", type=Path, default=RECORDS, metavar="FOLDER")
    chosen = parser.parse_args(arguments)
    jax.config.update("jax_enable_x64", True)
    cases = [case for case in CASES if not chosen.cases or case.name in chosen.cases]
    devices = gpus()
    rows = []
    if not devices:
        for case in cases:
            print(f"{case.name}: schedule, and {_FEW} scenarios on the CPU", file=sys.stderr, flush=True)
            rows.append(predicted(case))
        print(
            f"one scenario on an {H200.name}, from the schedule; predicted from the touched bytes, floor from the least"
        )
        print(text(rows))
        print("No GPU is visible to jax: these are predictions, not yet measured on a GPU.")
        return 0
    device = devices[0]
    memory = float((device.memory_stats() or {}).get("bytes_limit", 16e9))
    for case in cases:
        print(f"{case.name} on {device.device_kind}, {chosen.batch} scenarios", file=sys.stderr, flush=True)
        rows.append(measured(case, chosen.batch, device, memory, chosen.repetitions))
        print(text(rows[-1:]), flush=True)
        # kept after every case: a lease that ends takes nothing with it
        file = write_record(rows, device, chosen.records)
    print(f"\n{text(rows)}\nrecord: {file}")
    return int(any(row["unsolved"] or not row["agrees"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
