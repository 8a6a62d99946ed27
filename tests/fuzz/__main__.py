"""`make fuzz`: mutated files against every reader; see `tests.fuzz.campaign`.

.venv/bin/python -m tests.fuzz --cases 10000 --seed 1 --only configuration
"""

import argparse
import resource
import sys
from collections import Counter
from pathlib import Path

from tests.fuzz.campaign import campaign
from tests.fuzz.targets import TARGETS

_MEMORY = 4 << 30
"""Bytes."""


def main() -> int:
    """Run, and say how many files were accepted, refused, and neither."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000, help="files in all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=TARGETS, help="one reader")
    parser.add_argument("--keep", type=Path, default=Path("out/fuzz"), help="folder for the files that failed")
    options = parser.parse_args()
    # a reader that fills the memory fails alone
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    names = [options.only] if options.only else list(TARGETS)
    # the configuration is what everyone writes: half of the cases are its
    shares = {
        name: 1.0 if options.only else 0.5 if name == "configuration" else 0.5 / (len(names) - 1) for name in names
    }
    failed = 0
    for name, share in shares.items():
        counts: Counter[str] = Counter()
        for verdict in campaign(name, round(options.cases * share), options.seed, keep=options.keep):
            counts[verdict.kind] += 1
            if verdict.kind == "failed":
                failed += 1
                print(f"{name}: {verdict.told}", flush=True)
        print(f"{name}: " + ", ".join(f"{count:,} {kind}" for kind, count in sorted(counts.items())), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
