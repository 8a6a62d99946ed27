"""Which implementation runs: one table, one name per row."""

from types import ModuleType
from typing import Any

from . import native, pallas, xla

# An implementation is a module with `factor`, `substitute`, `multiply`, `outer` and `backward_error` of the signatures
# in `xla.py`; it may have `factor_and_solve`, and `pivoted` in place of that of `recovery.py`.
IMPLEMENTATIONS: dict[str, ModuleType] = {"native": native, "pallas": pallas, "xla": xla}


def unavailable(name: str) -> str:
    """Why an implementation of the table cannot run in this process at all; empty where it can."""
    if name == "native":
        return native.why_not()
    return pallas.why_not() if name == "pallas" else ""


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
    program with `native` for CPUs and one with `pallas` for NVIDIA GPUs. `partitioned` says that the compiler splits
    the program over devices: it cannot split a call of either and would gather all lanes on every device.

    `pallas` asked for by name on a CPU is interpreted, for tests; `auto` never takes it there.
    """
    if name == "auto":
        if native.supports(platform, dtype) and not partitioned:
            return "native"
        return "pallas" if pallas.supports(platform, dtype) and not partitioned else "xla"
    if name == "native" and not native.supports(platform, dtype):
        raise ValueError(f"implementation 'native' takes float32 and float64 on cpu, not {dtype} on {platform}")
    if name == "pallas" and not pallas.supports("cuda" if platform == "cpu" else platform, dtype):
        raise ValueError(f"implementation 'pallas' takes float32 and float64 on cuda, not {dtype} on {platform}")
    return requested(name)


def implementation_named(name: str) -> ModuleType:
    """The implementation behind a resolved name."""
    return IMPLEMENTATIONS[name]
