"""One case, one implementation and its peer in one process: compile, solve, gradient, agreement, times in turns.

python -m benchmarks.kernels.measure_row case118 native --batch 4096 --repetitions 7

The last line of standard output is the row as JSON; what is going on goes to standard error.
"""

import argparse
import json
import sys
import time
import traceback
from dataclasses import asdict, replace
from typing import Any

from benchmarks.kernels.cases import Case, named
from benchmarks.kernels.cores import keep_to_two_cores
from benchmarks.kernels.row import Row

CORES = 2


def say(text: str) -> None:
    """Progress, seen at once."""
    print(f"  {text}", file=sys.stderr, flush=True)


def measure(case: Case, implementation: str, batch: int, repetitions: int) -> Row:
    """The row of a case."""
    import jax
    import numpy as np

    from benchmarks.kernels.interleaved import elapsed, in_turns
    from benchmarks.kernels.prepare import prepared
    from benchmarks.kernels.workload import TOLERANCE
    from benchmarks.measurement import peak_memory

    row = Row(case.suite, case.name, batch, implementation, tolerance=TOLERANCE)
    workload, make_peer, limit = prepared(case, batch, implementation)
    varied, branches = workload.varied, workload.shared[1]
    say("compiling the solve")
    begin = time.perf_counter()
    forward = jax.jit(workload.forward).lower(varied, workload.shared).compile()
    row = replace(row, compile_s=time.perf_counter() - begin)
    state = jax.tree.map(lambda array: array[0], forward(workload.base, workload.shared)[0])
    shared = (state, branches)
    result, status = jax.block_until_ready(forward(varied, shared))
    unsolved = int(np.sum(np.asarray(status.result) != 0))
    row = replace(
        row,
        peak_mb=peak_memory() / 1e6,
        iterations=float(np.mean(status.iterations)),
        residual=float(np.max(status.residual)),
        failed=unsolved > 0,
        note=f"{unsolved} of {batch} scenarios not solved" if unsolved else "",
    )

    def scalar(varied: Any, branches: Any) -> tuple[Any, Any]:
        result, status = workload.forward(varied, (state, branches))
        return workload.objective(result), (result, status)

    say("compiling the gradients")
    gradient = jax.jit(jax.value_and_grad(scalar, has_aux=True)).lower(varied, branches).compile()
    gradient_all = jax.jit(jax.value_and_grad(scalar, (0, 1), has_aux=True)).lower(varied, branches).compile()
    jobs = {
        "forward": lambda: elapsed(lambda: jax.block_until_ready(forward(varied, shared))),
        "gradient": lambda: elapsed(lambda: jax.block_until_ready(gradient(varied, branches))),
        "gradient_all": lambda: elapsed(lambda: jax.block_until_ready(gradient_all(varied, branches))),
    }
    peer = None
    try:
        peer = make_peer(CORES)
        jobs["peer"] = peer.solve
    except ImportError as missing:
        row = replace(row, note="; ".join(filter(None, [row.note, f"no peer: {missing}"])))
    try:
        say(f"{repetitions} repetitions, in turns: {', '.join(jobs)}")
        times = in_turns(jobs, repetitions)
        if peer is not None:
            row = compared(row, workload.as_peer(result), peer, limit)
    finally:
        if peer is not None:
            peer.close()
    ours, theirs = times["forward"], times.get("peer")
    microseconds = 1e6 / batch
    row = replace(
        row,
        us_per_scenario=microseconds * ours.wall,
        processor_us_per_scenario=microseconds * ours.processor,
        gradient_ratio=times["gradient"].wall / ours.wall,
        gradient_processor_ratio=times["gradient"].processor / ours.processor,
        gradient_ratio_all=times["gradient_all"].wall / ours.wall,
    )
    if theirs is None:
        return row
    return replace(
        row,
        peer_us_per_scenario=microseconds * theirs.wall,
        peer_processor_us_per_scenario=microseconds * theirs.processor,
        ratio=theirs.wall / ours.wall,
    )


def compared(row: Row, ours: Any, peer: Any, limit: float) -> Row:
    """The row with the largest difference between the two answers, failed where that is above the limit.

    Voltages are compared as complex numbers in p.u., flows relative to the largest flow of their scenario.
    """
    import numpy as np

    theirs = peer.result()
    scale = 1.0 if np.iscomplexobj(theirs) else np.max(np.abs(theirs), axis=1, keepdims=True)
    agreement = float(np.max(np.abs(ours - theirs) / scale))
    agrees = agreement <= limit  # a scenario that is NaN on one side does not agree
    note = "" if agrees else f"differs from {peer.name} by {agreement:.1e}, more than {limit:.0e}"
    return replace(
        row,
        peer=peer.name,
        agreement=agreement,
        agreement_limit=limit,
        failed=row.failed or not agrees,
        note="; ".join(filter(None, [row.note, note])),
    )


def main(arguments: list[str] | None = None) -> None:
    """Measure one row and print it, with the machine."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kernels.measure_row", description=__doc__)
    parser.add_argument("case")
    parser.add_argument("implementation")
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--repetitions", type=int, default=7)
    chosen = parser.parse_args(arguments)
    keep_to_two_cores()
    import jax

    from benchmarks.measurement import installed, machine

    jax.config.update("jax_enable_x64", True)
    case = named(chosen.case)
    try:
        row = measure(case, chosen.implementation, chosen.batch, chosen.repetitions)
    except Exception as error:
        traceback.print_exc()
        note = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        row = Row(case.suite, case.name, chosen.batch, chosen.implementation, failed=True, note=note[:200])
    versions = {peer: installed(peer) for peer in ("lightsim2grid", "wntr")}
    print(json.dumps({"row": asdict(row), "machine": machine() | versions}))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:  # whoever started this says what was kept
        sys.exit(130)
