"""The implementation for CPUs: C++ behind XLA's foreign function interface (sources in kernels/native/).

A group of 8 (float32: 16) lanes is copied together, factored pivot by pivot and written out; many right-hand sides of
one lane are worked on side by side. Threads are those of XLA. The library is loaded once, when it is first wanted;
where it is missing or does not fit, `why_not` says so and `xla` serves.

The schedule's tables are operands of the calls: a compiled program holds no pointer and may be kept on disk.

Shapes: values (entries, b, b, lane), blocks (slot, b, b, lane), right-hand sides (size, b, lane, side).
"""

import ctypes
import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from .library import Loaded, load
from .schedule import Schedule

INSTRUCTIONS = ("plain", "AVX2", "AVX-512")
"""Instruction sets of the library, worst first. A call takes the best that the processor has, or a named one."""

_OPERATIONS = (
    *("factor", "substitute", "multiply", "outer", "backward_error", "pivoted"),
    *("power_flow", "power_step", "coolant", "coolant_step"),
)
_PLATFORM = "cpu"


def why_not() -> str:
    """Why there is no native implementation in this process; empty where there is one."""
    return _loaded().why_not


def supports(platform: str, dtype: Any) -> bool:
    """Whether the library can be called here, on this platform, with numbers of this kind."""
    return platform == _PLATFORM and np.dtype(dtype) in (np.float32, np.float64) and not why_not()


def instructions() -> str:
    """The instruction set that calls use on this processor. Raises `RuntimeError` where there is no library."""
    return INSTRUCTIONS[_library().voltherm_instructions()]


def processors() -> int:
    """The most threads that a call would use now. Raises `RuntimeError` where there is no library."""
    return int(_library().voltherm_processors())


class Recoveries(NamedTuple):
    """Systems that were pivoted: solved, whether or not the check then took the answer, and found singular.

    A lane of a power flow that is pivoted counts once for every step.
    """

    pivoted: int
    singular: int


def recoveries() -> Recoveries:
    """What `pivoted` has done since the process began. Raises `RuntimeError` where there is no library."""
    library = _library()
    return Recoveries(int(library.voltherm_pivoted_count()), int(library.voltherm_singular_count()))


def _library() -> ctypes.CDLL:
    library, reason = _loaded()
    if library is None:
        raise RuntimeError(reason)
    return library


@functools.cache
def _loaded() -> Loaded:
    """Load the library and register its calls with XLA."""
    library, reason = load()
    if library is None:
        return Loaded(None, reason)
    try:
        for name in ("instructions", "processors", "pivoted_count", "singular_count"):
            getattr(library, f"voltherm_{name}").restype = ctypes.c_int64
        for name in _OPERATIONS:
            target = jax.ffi.pycapsule(getattr(library, f"voltherm_{name}"))
            jax.ffi.register_ffi_target(f"voltherm_{name}", target, platform=_PLATFORM)
    except (AttributeError, RuntimeError) as error:
        return Loaded(None, f"the library does not work here: {str(error).splitlines()[0]}")
    return Loaded(library, "")


def factor(schedule: Schedule, values: Array, *, wanted: str | None = None) -> Array:
    """Blocks of (I + L) D (I + U), with D inverted. A lane with a singular pivot is NaN."""
    result = jax.ShapeDtypeStruct((schedule.slots, *values.shape[1:]), values.dtype)
    tables = (schedule.entry_slot, schedule.front_start, schedule.product_target)
    return _call("factor", result, (values,), tables, attributes(wanted))


def substitute(
    schedule: Schedule,
    values: Array,
    blocks: Array,
    right_hand_side: Array,
    *,
    transpose: bool,
    wanted: str | None = None,
) -> Array:
    """Solve with finished factors."""
    del values  # only what its derivative follows from
    result = jax.ShapeDtypeStruct(right_hand_side.shape, right_hand_side.dtype)
    tables = (schedule.order, schedule.front_start, schedule.fill_neighbour)
    return _call("substitute", result, (blocks, right_hand_side), tables, attributes(wanted, transpose))


def multiply(schedule: Schedule, values: Array, vector: Array, *, transpose: bool, wanted: str | None = None) -> Array:
    """A x, or Aᵀ x."""
    result = jax.ShapeDtypeStruct(vector.shape, vector.dtype)
    tables = (schedule.rows, schedule.columns)
    return _call("multiply", result, (values, vector), tables, attributes(wanted, transpose))


def outer(schedule: Schedule, left: Array, right: Array, *, wanted: str | None = None) -> Array:
    """The entries of left rightᵀ on the pattern, summed over right-hand sides."""
    block, lanes = left.shape[1:3]
    result = jax.ShapeDtypeStruct((schedule.entries, block, block, lanes), left.dtype)
    tables = (schedule.rows, schedule.columns)
    return _call("outer", result, (left, right), tables, attributes(wanted))


def backward_error(
    schedule: Schedule,
    values: Array,
    solution: Array,
    right_hand_side: Array,
    *,
    transpose: bool,
    wanted: str | None = None,
) -> Array:
    """How far a solution is from solving A x = r: (lane, side), relative (`safeguard.py`)."""
    result = jax.ShapeDtypeStruct(right_hand_side.shape[2:], right_hand_side.dtype)
    operands, tables = (values, solution, right_hand_side), (schedule.rows, schedule.columns)
    return _call("backward_error", result, operands, tables, attributes(wanted, transpose))


def pivoted(
    schedule: Schedule, values: Array, solution: Array, right_hand_side: Array, settled: Array, *, transpose: bool
) -> Array:
    """`solution`, with what is not `settled` (lane, side) solved anew by sparse LU with pivoting; singular is NaN."""
    result = jax.ShapeDtypeStruct(right_hand_side.shape, right_hand_side.dtype)
    operands = (values, right_hand_side, solution, settled)
    tables = (schedule.rows, schedule.columns, schedule.order)
    return _call("pivoted", result, operands, tables, {"transpose": np.int64(transpose)})


def attributes(wanted: str | None, transpose: bool | None = None) -> dict[str, np.int64]:
    """Attributes that the calls have in common; `wanted`: instruction set, by default the best there is."""
    chosen = {"instructions": np.int64(-1 if wanted is None else INSTRUCTIONS.index(wanted))}
    return chosen if transpose is None else chosen | {"transpose": np.int64(transpose)}


def lanes_first(
    target: str,
    results: Sequence[jax.ShapeDtypeStruct],
    tables: Sequence[np.ndarray],
    operands: Sequence[Array],
    **attributes: Any,
) -> tuple[Array, ...]:
    """Results (..., lane) of a call that takes tables, then operands (..., lane), and works lane by lane.

    The library sees the lanes first, and the other axes in reverse order in memory. Where lanes are a batch, which
    `vmap` has moved to the end (`newton.py`), the two moves cancel: XLA has nothing to transpose.
    """

    def layout(array: Any) -> tuple[int, ...]:
        return (0, *reversed(range(1, array.ndim)))

    moved = [jnp.moveaxis(operand, -1, 0) for operand in operands]
    shapes = [jax.ShapeDtypeStruct((*result.shape[-1:], *result.shape[:-1]), result.dtype) for result in results]
    call = jax.ffi.ffi_call(
        target,
        shapes,
        input_layouts=[layout(array) for array in (*tables, *moved)],
        output_layouts=[layout(result) for result in shapes],
    )
    return tuple(jnp.moveaxis(result, 0, -1) for result in call(*tables, *moved, **attributes))


def _call(
    operation: str,
    result: jax.ShapeDtypeStruct,
    operands: Sequence[Array],
    tables: Sequence[np.ndarray],
    attributes: dict[str, np.int64],
) -> Array:
    return jax.ffi.ffi_call(f"voltherm_{operation}", result)(*operands, *tables, **attributes)
