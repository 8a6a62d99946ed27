"""`voltherm sweep` of the building as a command of its own: seconds, designs per second, memory, failures."""

import itertools
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measurement import FOLDER, Measurement, gigabytes, parser, present, readable, run_child

STUDY = FOLDER.parent / "configs" / "sweep" / "abilene_supply_temperature.yaml"
CLAIMED = 10_000


@dataclass(frozen=True)
class Pace:
    """Seconds after the first round of chunks, one a device, was written, designs done by then, designs per second."""

    first: float
    done: int
    rate: float

    def seconds(self, designs: int) -> float:
        """How long `designs` take from the start of the command to their last chunk."""
        return self.first + max(0, designs - self.done) / self.rate


def pace(written: Sequence[float], designs: int, chunk: int) -> Pace:
    """The pace of a sweep from the times [s] after its start at which its chunks were written.

    The first round, which waits for the program to compile, is kept apart; chunks written within a twentieth of the
    longest pause belong to one round. A sweep of one round has the pace of that round.
    """
    ordered = sorted(written)
    pauses = [later - earlier for earlier, later in itertools.pairwise(ordered)]
    longest = max(pauses, default=0.0)
    together = next((i + 1 for i, pause in enumerate(pauses) if pause > 0.05 * longest), len(ordered))
    done = min(designs, together * chunk)
    first, last = ordered[together - 1], ordered[-1]
    rate = (designs - done) / (last - first) if designs > done else designs / last
    return Pace(first, done, rate)


def measure(study: Path = STUDY, overrides: Sequence[str] = (), designs: int = 1024) -> list[Measurement]:
    """One sweep with nothing compiled before, in an empty folder."""
    command = [str(Path(sys.executable).with_name("voltherm")), "sweep", str(study), "--json"]
    command += [f"--set={text}" for text in (*overrides, f"sweep.designs={designs}")]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "sweep"
        before = Path(folder) / "before"
        before.touch()
        child = run_child([*command, "--output", str(out)], cache=Path(folder) / "cache")
        begin = before.stat().st_mtime
        written = [file.stat().st_mtime - begin for file in (out / "chunks").glob("chunk_*.h5")]
        chunk = json.loads((out / "manifest.json").read_text(encoding="utf-8"))["chunk"]
    counts = {code: count for code, count in json.loads(child.output)["counts"].items() if count}
    found = pace(written, designs, chunk)
    seconds = child.times.wall[0]
    claim = seconds if designs >= CLAIMED else found.seconds(CLAIMED) + seconds - max(written)
    kind = "measured" if designs >= CLAIMED else "estimated from the pace"
    seen = {
        "designs per second": f"{designs / seconds:.1f} in all, {found.rate:.1f} after the first round",
        "first round": f"{found.done} designs after {readable(found.first)}",
        f"{CLAIMED:,} designs": f"{readable(claim)}, {kind}",
        "peak memory": gigabytes(child.peak_memory),
        "results": ", ".join(f"{count:,} {code}" for code, count in counts.items()),
    }
    goal = f"{CLAIMED:,} in 10 min, under 4 GB"
    return [Measurement(f"sweep of {designs:,} designs", child.times, goal, seen)]


def main(arguments: list[str] | None = None) -> None:
    """Measure, print, write."""
    options = parser("sweep", __doc__)
    options.add_argument("--study", type=Path, default=STUDY)
    options.add_argument("--set", action="append", default=[], dest="overrides", metavar="PATH=VALUE")
    options.add_argument("--designs", type=int, default=1024, help="10240 for the whole study")
    chosen = options.parse_args(arguments)
    present("sweep", measure(chosen.study, chosen.overrides, chosen.designs), chosen.out)


if __name__ == "__main__":
    main()
