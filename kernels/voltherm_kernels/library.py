"""The shared library of native code: found and loaded once, when it is first wanted.

Analysis on the host calls it through ctypes (`ordering.py`), compiled programs through XLA (`native.py`). Where it is
missing or does not fit, `load` says why, and everything still runs without it.
"""

import ctypes
import functools
import importlib.metadata
import os
from pathlib import Path
from typing import NamedTuple

LIBRARY_VARIABLE = "VOLTHERM_NATIVE_LIBRARY"
"""Environment variable with the path of another build of the library, one with sanitizers for instance."""

_INTERFACE = 2  # what calls.cpp answers when its operands and attributes are those used here
_DISTRIBUTION = "voltherm"  # what the package is installed as
_PATTERN = "libvoltherm_kernels.*"


class Loaded(NamedTuple):
    """The library, or why there is none."""

    library: ctypes.CDLL | None
    why_not: str


def _files() -> list[Path]:
    """The library that the environment names, the one beside this module, or the one that was installed.

    An editable install keeps what was compiled away from the sources. The installer's own list says where; the
    package's search path does not, once an import hook (of a type checker, say) has found the package by itself.
    """
    if named := os.environ.get(LIBRARY_VARIABLE):
        return [Path(named)]
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
def load() -> Loaded:
    """The library, if there is one and it belongs to these sources."""
    found = _files()
    if not found:
        return Loaded(None, "the library was not built: install again where a C++ compiler (GCC or Clang) stands")
    try:
        library = ctypes.CDLL(str(found[0]))
        library.voltherm_interface.restype = ctypes.c_int64
        if library.voltherm_interface() != _INTERFACE:
            return Loaded(None, f"{found[0].name} belongs to other sources: install again")
    except (OSError, AttributeError) as error:
        return Loaded(None, f"{found[0].name} does not work here: {str(error).splitlines()[0]}")
    return Loaded(library, "")
