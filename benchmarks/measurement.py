"""One measured job, and the machine it was measured on."""

import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import jax


@dataclass(frozen=True)
class Measurement:
    """`seconds` of every repetition of a warm `job`; `residual` is what the timed solve reached."""

    job: str
    seconds: tuple[float, ...]
    residual: float | None = None

    @property
    def median(self) -> float:
        """Median time of one repetition [s]."""
        return statistics.median(self.seconds)

    def as_dict(self) -> dict[str, object]:
        """Plain mapping for JSON."""
        return {
            "job": self.job,
            "median_seconds": self.median,
            "fastest_seconds": min(self.seconds),
            "slowest_seconds": max(self.seconds),
            "repetitions": len(self.seconds),
            "residual": self.residual,
        }


def timed(function: Callable[[], object], repetitions: int) -> tuple[float, ...]:
    """Seconds of each of `repetitions` calls, each waited for until its arrays are there."""
    seconds = []
    for _ in range(repetitions):
        start = time.perf_counter()
        jax.block_until_ready(function())
        seconds.append(time.perf_counter() - start)
    return tuple(seconds)


def machine() -> dict[str, object]:
    """Processor, cores, devices, versions and commit, without which a time means nothing."""
    cpu_info = Path("/proc/cpuinfo")
    lines = cpu_info.read_text(encoding="utf-8").splitlines() if cpu_info.is_file() else []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return {
        "processor": models[0] if models else platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "devices": [device.device_kind for device in jax.local_devices()],
        "python": platform.python_version(),
        "jax": version("jax"),
        "voltherm": version("voltherm"),
        "commit": commit.stdout.strip() or None,
    }
