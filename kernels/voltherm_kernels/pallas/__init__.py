"""The implementation for NVIDIA GPUs: Pallas kernels through Triton, one thread per lane.

A thread walks the pivots of its lane one after the other; the 32 threads of a program do the same step for 32
neighbouring lanes, so that every access of blocks is one coalesced row. The schedule's tables lie in memory and are
read as they are needed: the code does not grow with the matrix.

On a CPU the same kernels are interpreted, which is for tests: it is many times slower than `xla`.

Shapes: values (entries, b, b, lane), blocks (slot, b, b, lane), right-hand sides (size, b, lane, side).
"""

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
from jax import Array, lax

from .. import xla
from ..schedule import Schedule


@functools.cache
def why_not() -> str:
    """Why the kernels cannot be traced in this process; empty where they can."""
    try:
        _calls()
    except ImportError as error:
        return f"jax.experimental.pallas.triton cannot be imported: {error}"
    return ""


def supports(platform: str, dtype: Any) -> bool:
    """Whether the kernels run on this platform, other than in interpretation, with numbers of this kind."""
    return platform == "cuda" and np.dtype(dtype) in (np.float32, np.float64) and not why_not()


def factor(schedule: Schedule, values: Array) -> Array:
    """Blocks of (I + L) D (I + U), with D inverted. A lane with a singular pivot is NaN."""
    return on_platform(functools.partial(_calls().factor, schedule), values)


def substitute(schedule: Schedule, values: Array, blocks: Array, right_hand_side: Array, *, transpose: bool) -> Array:
    """Solve with finished factors."""
    del values  # only what its derivative follows from
    call = functools.partial(_calls().substitute_factors, schedule, transpose=transpose)
    return on_platform(call, blocks, right_hand_side)


def factor_and_solve(schedule: Schedule, values: Array, right_hand_side: Array, *, transpose: bool) -> Array:
    """Both in one call, with one right-hand side per lane and memory for the factors of few lanes at a time."""
    call = functools.partial(_calls().factor_and_solve, schedule, transpose=transpose)
    return on_platform(call, values, right_hand_side)


def multiply(schedule: Schedule, values: Array, vector: Array, *, transpose: bool) -> Array:
    """A x, or Aᵀ x."""
    return on_platform(functools.partial(_calls().multiply, schedule, transpose=transpose), values, vector)


def outer(schedule: Schedule, left: Array, right: Array) -> Array:
    """The entries of left rightᵀ on the pattern, summed over right-hand sides."""
    return on_platform(functools.partial(_calls().outer, schedule), left, right)


def backward_error(
    schedule: Schedule, values: Array, solution: Array, right_hand_side: Array, *, transpose: bool
) -> Array:
    """How far a solution is from solving A x = r: (lane, side), relative (`safeguard.py`)."""
    product, size = on_platform(
        functools.partial(_calls().multiply_and_size, schedule, transpose=transpose), values, solution
    )
    return xla.relative_error(right_hand_side, product, size)


def on_platform(call: Callable[..., Any], *operands: Any) -> Any:
    """The call, of pytrees of arrays, for the platform that the program is compiled for: interpreted on CPUs."""
    interpreted, compiled = (functools.partial(call, interpret=interpret) for interpret in (True, False))
    return lax.platform_dependent(*operands, cpu=interpreted, default=compiled)


def _calls() -> ModuleType:
    """The kernels themselves, imported when first wanted: no other implementation needs Pallas."""
    from . import calls

    return calls
