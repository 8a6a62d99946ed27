"""Which implementation runs: one table, one name per row."""

from types import ModuleType
from typing import Any

from . import native, xla

# An implementation is a module with `factor`, `substitute`, `multiply`, `outer`, `backward_error` and `pivoted` of the
# signatures in `xla.py`.
IMPLEMENTATIONS: dict[str, ModuleType] = {"native": native, "xla": xla}


def unavailable(name: str) -> str:
    """Why an implementation of the table cannot run in this process at all; empty where it can."""
    return native.why_not() if name == "native" else ""


def requested(name: str) -> str:
    """The name as it was asked for: `auto`, or a row of the table. Raises `ValueError` for one that cannot run."""
    if name == "auto":
        return name
    if name not in IMPLEMENTATIONS:
        raise ValueError(f"no implementation {name!r}; there are: auto, {', '.join(sorted(IMPLEMENTATIONS))}")
    if reason := unavailable(name):
        raise ValueError(f"implementation {name!r} cannot run here: {reason}")
    return name


def resolve(name: str, platform: str, dtype: Any, partitioned: bool = False) -> str:
    """The row of the table that serves a request on a platform (`cpu`, `cuda`, ...) for numbers of one kind.

    `auto` is the best there is. It is settled while a program is compiled, so that one traced function may become a
    program with `native` for CPUs and one with `xla` for another platform. `partitioned` says that the compiler splits
    the program over devices: it cannot split a call of native code and would gather all lanes on every device.
    """
    if name == "auto":
        return "native" if native.supports(platform, dtype) and not partitioned else "xla"
    if name == "native" and not native.supports(platform, dtype):
        raise ValueError(f"implementation 'native' takes float32 and float64 on cpu, not {dtype} on {platform}")
    return requested(name)


def implementation_named(name: str) -> ModuleType:
    """The implementation behind a resolved name."""
    return IMPLEMENTATIONS[name]
