"""The implementation for CPUs: C++ behind XLA's foreign function interface (sources in kernels/native/).

A group of 8 (float32: 16) lanes is copied together, factored pivot by pivot and written out; many right-hand sides of
one lane are worked on side by side. Threads are those of XLA. The library is looked for beside this module, once, when
it is first wanted; where it is missing or does not fit, `why_not` says so and `xla` serves.

The schedule's tables are operands of the calls: a compiled program holds no pointer and may be kept on disk.

Shapes: values (entries, b, b, lane), blocks (slot, b, b, lane), right-hand sides (size, b, lane, side).
"""

import ctypes
import functools
import importlib.metadata
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from jax import Array

from .schedule import Schedule

INSTRUCTIONS = ("plain", "AVX2", "AVX-512")
"""Instruction sets of the library, worst first. A call takes the best that the processor has, or a named one."""

_INTERFACE = 1  # what calls.cpp answers when its operands and attributes are those used here
_OPERATIONS = ("factor", "substitute", "multiply", "outer", "coolant", "coolant_step")
_PLATFORM = "cpu"
_DISTRIBUTION = "voltherm"  # what the package is installed as
_PATTERN = "libvoltherm_kernels.*"


class _Loaded(NamedTuple):
    library: ctypes.CDLL | None
    why_not: str


class _Fronts(NamedTuple):
    """The schedule without padding: where each pivot's front starts, and the targets of its products, row by row."""

    start: np.ndarray
    target: np.ndarray


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


def _library() -> ctypes.CDLL:
    library, reason = _loaded()
    if library is None:
        raise RuntimeError(reason)
    return library


def _files() -> list[Path]:
    """The library beside this module, or else where the installer has put it.

    An editable install keeps what was compiled away from the sources. The installer's own list says where; the
    package's search path does not, once an import hook (of a type checker, say) has found the package by itself.
    """
    beside = sorted(Path(__file__).parent.glob(f"library/{_PATTERN}"))
    if beside:
        return beside
    try:
        installed = importlib.metadata.files(_DISTRIBUTION) or ()
    except importlib.metadata.PackageNotFoundError:
        return []
    return [
        file for file in map(Path, (entry.locate() for entry in installed if entry.match(_PATTERN))) if file.exists()
    ]


@functools.cache
def _loaded() -> _Loaded:
    """Load the library and register its calls with XLA."""
    found = _files()
    if not found:
        return _Loaded(None, "the library was not built: install again where a C++ compiler (GCC or Clang) stands")
    try:
        library = ctypes.CDLL(str(found[0]))
        for name in ("voltherm_interface", "voltherm_instructions", "voltherm_processors"):
            getattr(library, name).restype = ctypes.c_int64
        if library.voltherm_interface() != _INTERFACE:
            return _Loaded(None, f"{found[0].name} belongs to other sources: install again")
        for name in _OPERATIONS:
            target = jax.ffi.pycapsule(getattr(library, f"voltherm_{name}"))
            jax.ffi.register_ffi_target(f"voltherm_{name}", target, platform=_PLATFORM)
    except (OSError, AttributeError, RuntimeError) as error:
        return _Loaded(None, f"{found[0].name} does not work here: {str(error).splitlines()[0]}")
    return _Loaded(library, "")


@functools.lru_cache(maxsize=256)
def _fronts(schedule: Schedule) -> _Fronts:
    _, pivot, _, target = schedule.product_steps.swapaxes(0, 1).reshape(4, -1)
    # Products stand in the order of their pivots, and fronts in the order of the fill.
    sizes = np.bincount(schedule.fill_pivot, minlength=schedule.size)
    start = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    return _Fronts(start, np.ascontiguousarray(target[pivot != schedule.identity_slot]))


def factor(schedule: Schedule, values: Array, *, wanted: str | None = None) -> Array:
    """Blocks of (I + L) D (I + U), with D inverted. A lane with a singular pivot is NaN."""
    result = jax.ShapeDtypeStruct((schedule.slots, *values.shape[1:]), values.dtype)
    tables = (schedule.entry_slot, *_fronts(schedule))
    return _call("factor", result, (values,), tables, _attributes(wanted))


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
    tables = (schedule.order, _fronts(schedule).start, schedule.fill_neighbour)
    return _call("substitute", result, (blocks, right_hand_side), tables, _attributes(wanted, transpose))


def multiply(schedule: Schedule, values: Array, vector: Array, *, transpose: bool, wanted: str | None = None) -> Array:
    """A x, or Aᵀ x."""
    result = jax.ShapeDtypeStruct(vector.shape, vector.dtype)
    tables = (schedule.rows, schedule.columns)
    return _call("multiply", result, (values, vector), tables, _attributes(wanted, transpose))


def outer(schedule: Schedule, left: Array, right: Array, *, wanted: str | None = None) -> Array:
    """The entries of left rightᵀ on the pattern, summed over right-hand sides."""
    block, lanes = left.shape[1:3]
    result = jax.ShapeDtypeStruct((schedule.entries, block, block, lanes), left.dtype)
    tables = (schedule.rows, schedule.columns)
    return _call("outer", result, (left, right), tables, _attributes(wanted))


def _attributes(wanted: str | None, transpose: bool | None = None) -> dict[str, np.int64]:
    chosen = {"instructions": np.int64(-1 if wanted is None else INSTRUCTIONS.index(wanted))}
    return chosen if transpose is None else chosen | {"transpose": np.int64(transpose)}


def _call(
    operation: str,
    result: jax.ShapeDtypeStruct,
    operands: Sequence[Array],
    tables: Sequence[np.ndarray],
    attributes: dict[str, np.int64],
) -> Array:
    return jax.ffi.ffi_call(f"voltherm_{operation}", result)(*operands, *tables, **attributes)
