"""What the command line sets before jax is first used: double precision, the device, a cache of compiled programs."""

import contextlib
import hashlib
import os
import platform
import stat
import sys
from pathlib import Path

from voltherm.formats.errors import EnvironmentFaultError

_SECONDS_WORTH_KEEPING = 0.5


def cache_folder() -> Path:
    """Where compiled programs are kept, for this user alone."""
    if sys.platform == "win32":
        home = Path(os.environ.get("LOCALAPPDATA") or Path.home())
    elif sys.platform == "darwin":
        home = Path.home() / "Library" / "Caches"
    else:
        home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "voltherm" / "compiled" / _machine()


def _machine() -> str:
    """What a compiled program fits: this kind of processor. Homes are shared between machines of several kinds."""
    processor = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        processor += "".join(sorted({line for line in lines if line.startswith(("model name", "flags", "Features"))}))
    return hashlib.sha256(processor.encode()).hexdigest()[:12]


def usable_cache() -> Path | None:
    """The cache's folder, made where it is missing; None where it cannot be trusted or written.

    A compiled program is code, so a folder that another user could write is not used.
    """
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if os.name == "posix":
            found = folder.stat()
            if found.st_uid != os.getuid():
                return None
            if stat.S_IMODE(found.st_mode) != 0o700:
                folder.chmod(0o700)
    except (OSError, RuntimeError):
        return None
    return folder if os.access(folder, os.W_OK) else None


def _cores() -> int:
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


def keep_the_terminal_clean() -> None:
    """Silences XLA's own log, unless the user has set its level: its alarm about a slow compilation counts as an error
    there. What fails is raised as an exception all the same. Takes effect before jax is first imported.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def prepare(device: str | None = None, *, every_core: bool = False) -> None:
    """Set jax up for a command; `every_core` makes each core that the process may use a device of its own.

    **Raises** `EnvironmentFaultError` where jax or the device is missing.
    """
    if device is not None:
        if device not in ("cpu", "gpu"):
            raise EnvironmentFaultError(f"there is no device '{device}': choose cpu or gpu")
        os.environ["JAX_PLATFORMS"] = "cpu" if device == "cpu" else "cuda"
    keep_the_terminal_clean()
    try:
        import jax
    except ImportError as error:
        raise EnvironmentFaultError(f"jax cannot be imported ({error}): install voltherm again") from error

    jax.config.update("jax_enable_x64", True)
    if every_core and "xla_force_host_platform_device_count" not in os.environ.get("XLA_FLAGS", ""):
        jax.config.update("jax_num_cpu_devices", _cores())
    folder = usable_cache()
    if folder is not None:
        jax.config.update("jax_compilation_cache_dir", str(folder))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", _SECONDS_WORTH_KEEPING)
    try:
        jax.devices()
    except (RuntimeError, AssertionError) as error:
        # jax asserts that a platform asked for by name has been found
        why = (str(error).splitlines() or ["none of the kind asked for"])[0]
        raise EnvironmentFaultError(f"jax finds no device to run on: {why}") from error
