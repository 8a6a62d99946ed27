"""Finished eliminations on disk, so that a large pattern is ordered once per machine and not once per process.

A file `<digest of the pattern>.npz` holds three integer arrays and a checksum, nothing that could be executed. It is
written beside its place and moved there, so that a reader sees all of it or none. What is read is believed only after
the checksum, and after a check that the arrays are an elimination of this very graph: with any such order the
factorisation is right. Whatever cannot be read, believed or written is as if it were not there.

`VOLTHERM_ANALYSIS_CACHE=off` in the environment turns this off. Files not used for longest go first once the folder
holds more than 64 MB.
"""

import contextlib
import hashlib
import os
import stat
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np

from .graph import Graph
from .ordering import Elimination, levels

_VERSION = 1  # of the file's content, and of the rules that find an order
_SMALLEST = 2000  # nodes; below, the analysis takes no longer than reading a file
_CAPACITY = 64 * 2**20  # bytes kept in the folder
_OFF = ("0", "off", "no", "false")


def folder() -> Path:
    """Where this user's eliminations are kept."""
    if sys.platform == "win32":
        home = Path(os.environ.get("LOCALAPPDATA") or Path.home())
    elif sys.platform == "darwin":
        home = Path.home() / "Library" / "Caches"
    else:
        named = Path(os.environ.get("XDG_CACHE_HOME", ""))
        home = named if named.is_absolute() else Path.home() / ".cache"
    return home / "voltherm" / "analysis"


def _file(digest: str, size: int) -> Path | None:
    """The place of a pattern's file; None where it is not kept."""
    if size < _SMALLEST or os.environ.get("VOLTHERM_ANALYSIS_CACHE", "").lower() in _OFF:
        return None
    with contextlib.suppress(RuntimeError):  # no home
        return folder() / f"{digest}.npz"
    return None


def read(digest: str, graph: Graph) -> Elimination | None:
    """The elimination kept for a pattern, if there is a sound one."""
    file = _file(digest, graph.size)
    if file is None:
        return None
    try:
        found = file.stat()
        if not stat.S_ISREG(found.st_mode) or found.st_size > _CAPACITY:
            return None
        # numpy leaves a file open that it cannot read, one that was opened before it does not.
        with file.open("rb") as stream:
            with zipfile.ZipFile(stream) as archive:
                if sum(part.file_size for part in archive.infolist()) > _CAPACITY:
                    return None
            stream.seek(0)
            with np.load(stream, allow_pickle=False) as kept:
                order, front_size, neighbour = (kept[name] for name in ("order", "front_size", "neighbour"))
                checksum = kept["checksum"].tobytes()
        if checksum != _checksum(digest, order, front_size, neighbour):
            return None
        elimination = _elimination(graph, order, front_size, neighbour)
    except Exception:  # a damaged archive fails in a dozen ways, and none of them matters
        return None
    if elimination is not None:
        with contextlib.suppress(OSError):
            os.utime(file)  # used last now
    return elimination


def write(digest: str, elimination: Elimination) -> None:
    """Keep an elimination, if it is worth it and the folder can be written."""
    file = _file(digest, elimination.order.size)
    if file is None:
        return
    order, front_size, neighbour = (
        np.ascontiguousarray(array, dtype=np.int32)
        for array in (elimination.order, np.diff(elimination.start), elimination.neighbour)
    )
    checksum = np.frombuffer(_checksum(digest, order, front_size, neighbour), np.uint8)
    temporary = None
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=digest[:16], suffix=".part")
        with os.fdopen(handle, "wb") as stream:
            np.savez(stream, order=order, front_size=front_size, neighbour=neighbour, checksum=checksum)
        os.replace(temporary, file)
        _prune(file.parent)
    except OSError:
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)


def _checksum(digest: str, *arrays: np.ndarray) -> bytes:
    content = hashlib.sha256(f"{_VERSION},{digest}".encode())
    for array in arrays:
        content.update(f"{array.dtype},{array.shape};".encode())
        content.update(array.tobytes())
    return content.digest()


def _elimination(graph: Graph, order: np.ndarray, front_size: np.ndarray, neighbour: np.ndarray) -> Elimination | None:
    """The arrays as an elimination of the graph; None if they are not one."""
    size = graph.size
    if any(array.dtype != np.int32 or array.ndim != 1 for array in (order, front_size, neighbour)):
        return None
    if order.size != size or front_size.size != size or not np.array_equal(np.sort(order), np.arange(size)):
        return None
    if front_size.min() < 0 or front_size.sum(dtype=np.int64) != neighbour.size:
        return None
    start = np.concatenate([[0], np.cumsum(front_size, dtype=np.int64)])
    found = Elimination(order.astype(np.int64), start, neighbour.astype(np.int64))
    return found if _sound(graph, found) else None


def _sound(graph: Graph, found: Elimination) -> bool:
    size, pivot, neighbour = graph.size, found.pivot, found.neighbour
    if np.any(neighbour <= pivot) or np.any(neighbour >= size):
        return False
    keys = pivot * size + neighbour
    if np.any(np.diff(keys) <= 0):
        return False
    parent = found.parent
    if np.any(np.diff(levels(parent)) < 0):
        return False
    # The filled pattern holds the graph, and a front passes all but its first node on to the front of that node.
    position = np.empty(size, dtype=np.int64)
    position[found.order] = np.arange(size)
    row, column = position[graph.node], position[graph.neighbour]
    upper = row < column
    above = parent[pivot]
    passed_on = neighbour != above
    wanted = [row[upper] * size + column[upper], above[passed_on] * size + neighbour[passed_on]]
    return all(_contains(keys, each) for each in wanted)


def _contains(keys: np.ndarray, wanted: np.ndarray) -> bool:
    """Whether all wanted numbers are among the ascending keys."""
    if keys.size == 0 or wanted.size == 0:
        return wanted.size == 0
    at = np.minimum(np.searchsorted(keys, wanted), keys.size - 1)
    return bool(np.all(keys[at] == wanted))


def _prune(place: Path) -> None:
    """Delete what was not used for longest until the rest fits."""
    kept: list[tuple[float, int, Path]] = []
    for file in place.iterdir():
        if file.suffix in (".npz", ".part"):
            with contextlib.suppress(OSError):
                found = file.stat()
                kept.append((found.st_mtime, found.st_size, file))
    excess = sum(size for _, size, _ in kept) - _CAPACITY
    for _, size, file in sorted(kept):
        if excess <= 0:
            return
        with contextlib.suppress(OSError):
            file.unlink()
        excess -= size
