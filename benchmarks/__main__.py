"""Run every `benchmarks/bench_*.py`, or those named, print one table and write it as JSON.

python -m benchmarks [building ...] [--out benchmarks/out/record.json]
"""

import argparse
import importlib
import json
import time
from pathlib import Path

import jax
from rich.console import Console
from rich.table import Table

from benchmarks.measurement import Measurement, machine

_FOLDER = Path(__file__).parent


def main() -> None:
    """Measure, print, write."""
    known = sorted(file.stem.removeprefix("bench_") for file in _FOLDER.glob("bench_*.py"))
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="name", help=f"one of {', '.join(known)}; all when none is given")
    parser.add_argument("--out", type=Path, default=_FOLDER / "out" / "record.json")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.names) - set(known))
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(known)}")

    jax.config.update("jax_enable_x64", True)
    found: list[Measurement] = []
    for name in arguments.names or known:
        found += importlib.import_module(f"benchmarks.bench_{name}").measure()

    table = Table("job", "median", "fastest", "slowest", "repetitions", "residual")
    for item in found:
        times = (f"{1e3 * seconds:.3f} ms" for seconds in (item.median, min(item.seconds), max(item.seconds)))
        residual = "" if item.residual is None else f"{item.residual:.1e}"
        table.add_row(item.job, *times, str(len(item.seconds)), residual)
    Console(width=120).print(table)

    record = {"when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "machine": machine()}
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(
        json.dumps(record | {"measurements": [item.as_dict() for item in found]}, indent=1) + "\n", encoding="utf-8"
    )
    print(f"record: {arguments.out}")


if __name__ == "__main__":
    main()
