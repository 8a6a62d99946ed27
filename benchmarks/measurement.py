"""What a measured job is, the machine it was measured on, and how both are printed and written."""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

FOLDER = Path(__file__).parent
CASE = FOLDER.parent / "configs" / "campus" / "abilene_building.yaml"


@dataclass(frozen=True)
class Times:
    """Wall and processor time [s] of every repetition of a job; two busy cores take twice the wall time.

    Where a part of a process was timed `processor` is empty.
    """

    wall: tuple[float, ...]
    processor: tuple[float, ...]


@dataclass(frozen=True)
class Measurement:
    """A job and its times. `goal` is what was asked for; `details` say what else was seen, by name."""

    job: str
    times: Times
    goal: str = ""
    details: dict[str, object] = field(default_factory=dict)

    @property
    def median(self) -> float:
        """Median wall time of one repetition [s]."""
        return statistics.median(self.times.wall)

    @property
    def processor(self) -> float | None:
        """Median processor time of one repetition [s], where it was taken."""
        return statistics.median(self.times.processor) if self.times.processor else None

    def as_dict(self) -> dict[str, object]:
        """Plain mapping for JSON."""
        return {
            "job": self.job,
            "median_seconds": self.median,
            "fastest_seconds": min(self.times.wall),
            "slowest_seconds": max(self.times.wall),
            "median_processor_seconds": self.processor,
            "repetitions": len(self.times.wall),
            "goal": self.goal,
            "details": dict(self.details),
        }


@dataclass(frozen=True)
class Child:
    """What a child process printed on standard output, its times and the most memory it held [bytes]."""

    output: str
    times: Times
    peak_memory: int


def timed(function: Callable[[], object], repetitions: int) -> Times:
    """Times of `repetitions` calls, each waited for until its arrays are there."""
    import jax

    wall, processor = [], []
    for _ in range(repetitions):
        begin, begin_processor = time.perf_counter(), time.process_time()
        jax.block_until_ready(function())
        wall.append(time.perf_counter() - begin)
        processor.append(time.process_time() - begin_processor)
    return Times(tuple(wall), tuple(processor))


def run_child(command: Sequence[str], *, cache: Path | None = None) -> Child:
    """Run a command to its end, with compiled programs kept in `cache`.

    Start it from a small process: Linux counts the memory of the parent at the fork as the child's.

    **Raises**: `RuntimeError` with what the command printed where it fails.
    """
    environment = dict(os.environ) | ({} if cache is None else {"XDG_CACHE_HOME": str(cache)})
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as complaints:
        begin = time.perf_counter()
        process = subprocess.Popen(command, stdout=output, stderr=complaints, env=environment, cwd=FOLDER.parent)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        complaints.seek(0)
        if process.returncode != 0:
            raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}: {complaints.read()[-2000:]}")
        times = Times((wall,), (usage.ru_utime + usage.ru_stime,))
        return Child(output.read(), times, _in_bytes(usage.ru_maxrss))


def peak_memory() -> int:
    """The most memory that this process has held [bytes]."""
    return _in_bytes(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def _in_bytes(maximum_resident: int) -> int:
    # macOS counts bytes, Linux kibibytes
    return maximum_resident * (1 if sys.platform == "darwin" else 1024)


def readable(seconds: float) -> str:
    """Three digits and a fitting unit."""
    for unit, scale, limit in (("us", 1e6, 1e-3), ("ms", 1e3, 1.0)):
        if seconds < limit:
            return f"{seconds * scale:.3g} {unit}"
    return f"{seconds:.3g} s" if seconds < 100.0 else f"{seconds:.0f} s"


def gigabytes(size: int) -> str:
    """Bytes as text in 10^9 bytes."""
    return f"{size / 1e9:.2f} GB"


def installed(package: str) -> str | None:
    """Version of a package; None where it runs from a source tree or is not there."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def machine() -> dict[str, object]:
    """Processor, cores, devices, versions and commit, without which a time means nothing."""
    import jax

    cpu_info = Path("/proc/cpuinfo")
    lines = cpu_info.read_text(encoding="utf-8").splitlines() if cpu_info.is_file() else []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return {
        "processor": models[0] if models else platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "devices": [device.device_kind for device in jax.local_devices()],
        "python": platform.python_version(),
        "jax": installed("jax"),
        "voltherm": installed("voltherm"),
        "commit": commit.stdout.strip() or None,
    }


def parser(name: str, description: str | None) -> argparse.ArgumentParser:
    """The options that every benchmark has."""
    made = argparse.ArgumentParser(prog=f"python -m benchmarks.bench_{name}", description=description)
    made.add_argument("--out", type=Path, default=FOLDER / "out", metavar="FOLDER", help="folder of the record")
    return made


def present(name: str, found: Sequence[Measurement], folder: Path) -> Path:
    """Print one table and write the record; returns the record's file."""
    from rich.console import Console
    from rich.table import Table

    table = Table("job", "median", "fastest", "slowest", "of", "processor", "goal", "seen", title=name)
    for item in found:
        wall = [readable(seconds) for seconds in (item.median, min(item.times.wall), max(item.times.wall))]
        processor = "" if item.processor is None else readable(item.processor)
        seen = "\n".join(f"{what}: {value}" for what, value in item.details.items())
        table.add_row(item.job, *wall, str(len(item.times.wall)), processor, item.goal, seen)
    Console(width=140).print(table)

    record = {"when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "machine": machine()}
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.json"
    measurements = [item.as_dict() for item in found]
    file.write_text(json.dumps(record | {"measurements": measurements}, indent=1) + "\n", encoding="utf-8")
    print(f"record: {file}")
    return file
