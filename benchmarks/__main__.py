"""Run every `benchmarks/bench_*.py`, or those named, each in a process of its own.

python -m benchmarks [building ...]
"""

import argparse
import subprocess
import sys
from pathlib import Path

_FOLDER = Path(__file__).parent


def main() -> int:
    """Run one after another; the exit code is that of the first that fails, after all have run."""
    known = sorted(file.stem.removeprefix("bench_") for file in _FOLDER.glob("bench_*.py"))
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="name", help=f"one of {', '.join(known)}; all when none is given")
    names = parser.parse_args().names or known
    unknown = sorted(set(names) - set(known))
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(known)}")
    # one process each: the peak memory of one benchmark is not that of the next
    commands = ([sys.executable, "-m", f"benchmarks.bench_{name}"] for name in names)
    codes = [subprocess.run(command, cwd=_FOLDER.parent, check=False).returncode for command in commands]
    return next((code for code in codes if code), 0)


if __name__ == "__main__":
    sys.exit(main())
