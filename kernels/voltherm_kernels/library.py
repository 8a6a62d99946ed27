"""The shared library of native code: found and loaded once, when it is first wanted.

Analysis on the host calls it through ctypes (`ordering.py`), compiled programs through XLA (`native.py`). Where it is
missing or does not fit, `load` says why, and everything still runs without it.
"""

import ctypes
import functools
import hashlib
import importlib.metadata
import os
from pathlib import Path
from typing import NamedTuple

LIBRARY_VARIABLE = "VOLTHERM_NATIVE_LIBRARY"
"""Environment variable with the path of another build of the library, one with sanitizers for instance."""

_SOURCES = Path(__file__).parents[1] / "native"  # there in a checkout, not in a wheel
_DISTRIBUTION = "voltherm"  # what the package is installed as
_PATTERN = "libvoltherm_kernels.*"


class Loaded(NamedTuple):
    """The library, or why there is none."""

    library: ctypes.CDLL | None
    why_not: str


def _digest() -> int | None:
    """What CMakeLists.txt computes from the C++ sources; None where there are none."""
    files = sorted(file for file in _SOURCES.glob("*") if file.suffix in (".h", ".cpp"))
    if not files:
        return None
    lines = (f"{file.name}:{hashlib.sha256(file.read_bytes()).hexdigest()}\n" for file in files)
    return int(hashlib.sha256("".join(lines).encode()).hexdigest()[:15], 16)


def _files() -> list[Path]:
    """The library that the environment names, or else the one beside this module and the one that was installed.

    An editable install keeps what was compiled away from the sources. The installer's own list says where; the
    package's search path does not, once an import hook (of a type checker, say) has found the package by itself.
    """
    if named := os.environ.get(LIBRARY_VARIABLE):
        return [Path(named)]
    beside = sorted(Path(__file__).parent.glob(f"library/{_PATTERN}"))
    try:
        listed = importlib.metadata.files(_DISTRIBUTION) or ()
    except importlib.metadata.PackageNotFoundError:
        return beside
    installed = [Path(entry.locate()) for entry in listed if entry.match(_PATTERN)]
    return [*beside, *(file for file in installed if file.exists())]


@functools.cache
def load() -> Loaded:
    """The first library that was built from these very sources, if there is one."""
    reason = "the library was not built: install again where a C++ compiler (GCC or Clang) stands"
    wanted = _digest()
    for file in _files():
        try:
            library = ctypes.CDLL(str(file))
            library.voltherm_sources.restype = ctypes.c_int64
            if wanted in (None, library.voltherm_sources()):
                return Loaded(library, "")
            reason = f"{file.name} was built from other sources than those that lie here: install again"
        except (OSError, AttributeError) as error:
            reason = f"{file.name} does not work here: {str(error).splitlines()[0]}"
    return Loaded(None, reason)
