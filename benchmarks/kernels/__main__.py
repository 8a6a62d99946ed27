"""Time the network solvers beside their peers: one process for each case and implementation.

python -m benchmarks.kernels [--cases case118 net3] [--implementations native xla] [--quick]

Rows go to the terminal and, as they come, to benchmarks/out/kernels.json. The exit code is 1 where a scenario was not
solved, or not as the peer solves it.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.kernels.cases import CASES, Case
from benchmarks.kernels.cores import two_cores
from benchmarks.kernels.row import Row, read, replaced, write
from benchmarks.kernels.table import RECORD, aligned, machine_file

_ROOT = Path(__file__).parents[2]
_INTERRUPTED = 130
# libraries beside ours that would start threads of their own
_SINGLE = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}


def measured(case: Case, implementation: str, batch: int, repetitions: int) -> tuple[Row, dict[str, object] | None]:
    """A row from a process of its own, and the machine; where that ends badly the row says how."""
    command = [sys.executable, "-m", "benchmarks.kernels.measure_row", case.name, implementation]
    command += ["--batch", str(batch), "--repetitions", str(repetitions)]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, text=True, cwd=_ROOT, env=dict(os.environ) | _SINGLE, check=False
    )
    if done.returncode != 0:
        note = f"the measuring process ended with {done.returncode}"
        return Row(case.suite, case.name, batch, implementation, failed=True, note=note), None
    found = json.loads(done.stdout.splitlines()[-1])
    return Row(**found["row"]), found["machine"]


def implementations() -> list[str]:
    """What runs when nothing is asked for: the best that this machine's CPUs have."""
    code = "from benchmarks.kernels.workload import default_implementation; print(default_implementation())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=_ROOT, check=True)
    return done.stdout.split()


def listed(text: str) -> list[str]:
    """Names separated by commas."""
    return [name for name in text.split(",") if name]


def options() -> argparse.ArgumentParser:
    """What can be asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kernels", description=__doc__.splitlines()[0])
    names = [case.name for case in CASES]
    parser.add_argument("--cases", nargs="+", type=listed, metavar="NAME", help=f"of {', '.join(names)}; default: all")
    parser.add_argument(
        "--implementations", nargs="+", type=listed, metavar="NAME", help="native, xla; default: native"
    )
    parser.add_argument("--quick", action="store_true", help="an eighth of the scenarios, three repetitions")
    parser.add_argument("--repetitions", type=int, help="default: 7, or 3 with --quick")
    parser.add_argument("--keep", action="store_true", help="keep the other rows of the record")
    parser.add_argument("--record", type=Path, default=RECORD, help="file to write")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, write."""
    parser = options()
    chosen = parser.parse_args(arguments)
    names_in_order = [case.name for case in CASES]
    names = [name for group in chosen.cases or [] for name in group]
    if unknown := sorted(set(names) - set(names_in_order)):
        parser.error(f"no case {', '.join(unknown)}; there are {', '.join(names_in_order)}")
    cases = [case for case in CASES if not names or case.name in names]
    asked = [name for group in chosen.implementations or [] for name in group] or implementations()
    repetitions = chosen.repetitions or (3 if chosen.quick else 7)
    kept = read(chosen.record) if chosen.keep else []
    rows: list[Row] = []
    code = 0
    used = ", ".join(map(str, two_cores())) or "all: this system does not let a process choose"
    print(f"cores, for ours and the peer: {used}; load {os.getloadavg()[0]:.1f}")
    try:
        for case in cases:
            for implementation in asked:
                batch = case.quick_batch() if chosen.quick else case.batch
                print(f"{case.name}, {implementation}, {batch} scenarios", file=sys.stderr, flush=True)
                row, machine = measured(case, implementation, batch, repetitions)
                rows.append(row)
                kept = sorted(replaced(kept, row), key=lambda row: names_in_order.index(row.case))
                write(chosen.record, kept)
                if machine is not None:
                    text = json.dumps(machine, indent=1) + "\n"
                    machine_file(chosen.record).write_text(text, encoding="utf-8")
                print(aligned([row]), flush=True)
    except KeyboardInterrupt:
        print("interrupted: the rows measured so far are kept", file=sys.stderr)
        code = _INTERRUPTED
    if rows:
        print(f"\n{aligned(rows)}\nrecord: {chosen.record}")
    return code or int(any(row.failed for row in rows))


if __name__ == "__main__":
    sys.exit(main())
