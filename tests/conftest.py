"""Strict modes for the whole suite.

Everything here has to happen before jax initialises its backends and before any module of the project is imported,
hence at the top of this file and not in fixtures.
"""

import contextlib
import ctypes
import gc
import hashlib
import os
import platform
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

os.environ.setdefault("JAX_PLATFORMS", "cpu")
if "xla_force_host_platform_device_count" not in os.environ.get("XLA_FLAGS", ""):
    os.environ["XLA_FLAGS"] = (os.environ.get("XLA_FLAGS", "") + " --xla_force_host_platform_device_count=2").strip()
os.environ.setdefault("MPLBACKEND", "Agg")

import jax
import pytest
from jaxtyping import install_import_hook

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")


def _compilation_cache() -> Path:
    """A folder of this user, this jaxlib, this processor and this pytest worker.

    Compiled programs are trusted code that fits one machine, and jax writes entries without a lock.
    """
    processor = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        processor += "".join(
            line for line in Path("/proc/cpuinfo").read_text().splitlines() if line[:5] in ("model", "flags")
        )
    machine = hashlib.sha256(processor.encode()).hexdigest()[:12]
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    return home / "voltherm" / "tests" / f"jaxlib-{version('jaxlib')}-{machine}" / worker


jax.config.update("jax_compilation_cache_dir", str(_compilation_cache()))
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.5)

# Every annotation `Float[Array, "rack tray"]` in the two packages is checked at run time, in tests only.
install_import_hook(["voltherm", "voltherm_kernels"], "beartype.beartype")

PROJECT_ROOT = Path(__file__).resolve().parents[1]


_MUCH_MEMORY = 3e9
"""B held by a worker, from which compiled programs are dropped between modules."""


def _held() -> float:
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0.0
    return float(pages * os.sysconf("SC_PAGESIZE"))


@pytest.fixture(scope="module", autouse=True)
def _memory_given_back() -> Iterator[None]:
    """All compiled programs of the suite together need more than small machines have; the disk keeps them."""
    yield
    if _held() > _MUCH_MEMORY:
        jax.clear_caches()
        gc.collect()
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL("libc.so.6").malloc_trim(0)


@pytest.fixture(scope="session")
def project_root() -> Path:
    """The folder that holds pyproject.toml."""
    return PROJECT_ROOT


@pytest.fixture(scope="session")
def shared_reference() -> Path:
    """Folder of reference data beside the project; a test that asks for it is skipped where it is missing."""
    folder = PROJECT_ROOT.parent / "shared" / "reference"
    if not folder.is_dir():
        pytest.skip(f"reference data not found: no folder {folder}")
    return folder
