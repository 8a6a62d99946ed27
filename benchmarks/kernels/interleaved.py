"""Times of several jobs, taken in turns, so that whatever else the machine does meets all of them."""

import statistics
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple


class Elapsed(NamedTuple):
    """Wall time and processor time of all cores together [s]."""

    wall: float
    processor: float


def elapsed(function: Callable[[], object]) -> Elapsed:
    """Time of one call in this process."""
    wall, processor = time.perf_counter(), time.process_time()
    function()
    return Elapsed(time.perf_counter() - wall, time.process_time() - processor)


def in_turns(jobs: Mapping[str, Callable[[], Elapsed]], repetitions: int) -> dict[str, Elapsed]:
    """Medians of every job, after one round that does not count.

    Each job runs its work once and says how long that took.
    """
    for job in jobs.values():
        job()
    seen: dict[str, list[Elapsed]] = {name: [] for name in jobs}
    for _ in range(repetitions):
        for name, job in jobs.items():
            seen[name].append(job())
    return {
        name: Elapsed(
            statistics.median(each.wall for each in times), statistics.median(each.processor for each in times)
        )
        for name, times in seen.items()
    }
