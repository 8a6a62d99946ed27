"""The two cores that a comparison runs on."""

import os


def two_cores() -> list[int]:
    """The first two of those that this process may use; none where the system does not let a process choose."""
    return sorted(os.sched_getaffinity(0))[:2] if hasattr(os, "sched_getaffinity") else []


def keep_to_two_cores() -> None:
    """Let this process and its children use those alone; call it before jax starts its threads."""
    if cores := two_cores():
        os.sched_setaffinity(0, cores)
