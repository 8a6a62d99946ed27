"""``voltherm doctor``: what this machine offers, and what is missing."""

import dataclasses
import importlib.metadata
import os
import platform
import shutil
import sys

from voltherm.cli.options import Json
from voltherm.cli.output import print_json, result_console, simple_table

_NEEDED = ("jax", "jaxlib", "numpy", "scipy", "equinox", "optax", "h5py", "pyyaml", "typer", "rich")
_EXTRAS = {"report": ("matplotlib", "jinja2"), "formats": ("wntr",)}


@dataclasses.dataclass(frozen=True)
class _Finding:
    what: str
    found: str
    fine: bool = True


def doctor(json: Json = False) -> None:
    """Say what this machine offers: libraries, devices, kernels, compiler, cache."""
    from voltherm.formats.errors import EnvironmentFaultError

    found = [*_machine(), *_libraries(), *_jax(), _compiler(), _cache()]
    if json:
        print_json([dataclasses.asdict(each) for each in found])
    else:
        rows = [(each.what, each.found, "" if each.fine else "MISSING") for each in found]
        result_console().print(simple_table("This machine", ("", "", ""), rows, left=3))
    missing = [each.what for each in found if not each.fine]
    if missing:
        raise EnvironmentFaultError(f"missing: {', '.join(missing)}")


def _machine() -> list[_Finding]:
    python = ".".join(str(part) for part in sys.version_info[:3])
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return [
        _Finding("voltherm", importlib.metadata.version("voltherm")),
        _Finding("python", python, sys.version_info >= (3, 11)),
        _Finding("system", f"{platform.system()} {platform.machine()}, {cores} cores"),
    ]


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _libraries() -> list[_Finding]:
    found = []
    for name in _NEEDED:
        version = _version(name)
        found.append(_Finding(name, version or "not installed", version is not None))
    for extra, names in _EXTRAS.items():
        absent = [name for name in names if _version(name) is None]
        told = f"not installed: {', '.join(absent)} (pip install 'voltherm[{extra}]')" if absent else "installed"
        found.append(_Finding(f"extra {extra}", told))
    return found


def _jax() -> list[_Finding]:
    from voltherm.formats.errors import EnvironmentFaultError

    try:
        from voltherm.cli.environment import prepare

        prepare()
        import jax

        devices = ", ".join(f"{device.device_kind} ({device.platform} {device.id})" for device in jax.devices())
    except EnvironmentFaultError as error:
        return [_Finding("devices", str(error), fine=False)]
    try:
        import voltherm_kernels as kernels

        schedule = kernels.analyse([0, 0, 1, 1], [0, 1, 0, 1], 2)
        import numpy as np

        solved = kernels.solve(schedule, np.array([2.0, 1.0, 1.0, 2.0]), np.array([3.0, 3.0]), implementation="xla")
        works = bool(np.allclose(np.asarray(solved), 1.0))
    # any failure at all is what a doctor is asked for
    except Exception as error:
        return [_Finding("devices", devices), _Finding("kernels", f"xla fails: {error}", fine=False)]
    told = "xla works" if works else "xla gives a wrong answer"
    return [
        _Finding("devices", devices),
        _Finding("kernels", told, works),
        _native(),
    ]


def _native() -> _Finding:
    """The native CPU kernels: without them everything works, more slowly."""
    import jax
    import numpy as np
    import voltherm_kernels as kernels
    from voltherm_kernels import native

    if reason := native.why_not():
        return _Finding("native CPU kernels", f"not there, xla serves instead: {reason}")
    schedule = kernels.analyse([0, 0, 1, 1], [0, 1, 0, 1], 2)
    with jax.default_device(jax.devices("cpu")[0]):
        solved = kernels.solve(schedule, np.array([2.0, 1.0, 1.0, 2.0]), np.array([3.0, 3.0]), implementation="native")
    works = bool(np.allclose(np.asarray(solved), 1.0))
    told = f"{native.instructions()}, up to {native.processors()} threads" if works else "a wrong answer"
    return _Finding("native CPU kernels", told, works)


def _compiler() -> _Finding:
    compiler = next((path for name in ("c++", "g++", "clang++", "cl") if (path := shutil.which(name))), None)
    return _Finding("C++ compiler", compiler or "none; the native CPU kernels need one to be built")


def _cache() -> _Finding:
    from voltherm.cli.environment import cache_folder, usable_cache

    folder = usable_cache()
    return _Finding("compiled programs", str(folder) if folder else f"not kept: {cache_folder()} is not ours to write")
