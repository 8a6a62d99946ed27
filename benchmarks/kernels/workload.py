"""What of ours is timed: a batched solve, forward and with its gradient."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from voltherm_kernels import Schedule, native

TOLERANCE = 1e-8
"""Largest residual that a solve may end with: p.u. of power, or relative to the largest flow and pressure drop."""


@dataclass(frozen=True)
class Workload:
    """A batched solve as a function of what differs between scenarios, `varied` (lane, ...), and of what they share.

    schedule: that of the linear step; branches: their number. forward(varied, shared) gives (result, status),
    objective(result) a scalar. Element 0 of `shared` is the state that every scenario starts from; element 1 holds the
    numbers of the branches. base: `varied` with the unscaled case in every scenario. `as_peer` turns a result into the
    array that a peer gives, (lane, ...).
    """

    schedule: Schedule
    branches: int
    forward: Callable[[Any, Any], tuple[Any, Any]]
    objective: Callable[[Any], Any]
    varied: Any
    base: Any
    shared: tuple[Any, Any]
    as_peer: Callable[[Any], np.ndarray]


def choice(function: Callable[..., Any], implementation: str) -> dict[str, str]:
    """How a solve is asked for an implementation.

    **Raises**: `ValueError` where it has no such option and `implementation` is not what it takes by itself.
    """
    if "implementation" in inspect.signature(function).parameters:
        return {"implementation": implementation}
    if implementation not in ("auto", default_implementation()):
        raise ValueError(f"{function.__name__} cannot be asked for an implementation; it takes the best there is")
    return {}


def default_implementation() -> str:
    """The implementation that `auto` stands for on this machine's CPUs."""
    return "xla" if native.why_not() else "native"
