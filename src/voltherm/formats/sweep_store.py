"""The folder of a sweep: a manifest, one HDF5 file per chunk, and the merged table as HDF5 and CSV.

    manifest.json  chunks/chunk_00042.h5  sweep.h5  sweep.csv

A chunk is written as ``chunk_00042.h5.part``, forced to the disk and renamed: a file with its final name is whole,
whatever stops the process. Every chunk carries the digest of its sweep and of its own columns, and ends in that of its
bytes (`voltherm.formats.seal`); on resume a file that belongs to another sweep, or whose contents changed, is refused
by name. No file holds a time or a machine's name, so the same sweep gives the same bytes. Files are netCDF-4
compatible: xarray opens them with the engine h5netcdf.
"""

import contextlib
import csv
import errno
import hashlib
import io
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from voltherm.formats.errors import EnvironmentFaultError, FileFormatError
from voltherm.formats.hdf5 import DAMAGED, Contents
from voltherm.formats.seal import sealed, unsealed

try:
    import fcntl
except ImportError:  # not on Windows; there two sweeps in one folder are not told apart
    fcntl = None  # type: ignore[assignment]  # a module or nothing

_MANIFEST, _TABLE = "manifest.json", "sweep.h5"
_DIGITS = 5
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_FREE = ("lanes",)
"""Entries of the manifest that may change during a sweep."""


class ForeignSweepError(FileFormatError):
    """A folder or a file that does not belong to the sweep at hand."""


class SweepStorageError(EnvironmentFaultError):
    """The disk refused: nothing finished is lost."""


class SweepFolder:
    """A `voltherm.study.store.SweepStore` in a folder, which is made where it is missing."""

    def __init__(self, folder: str | os.PathLike[str]):
        self.folder = Path(folder)
        self._chunks = self.folder / "chunks"
        self._manifest: dict[str, Any] = {}
        self._digest = ""
        self._lock: io.IOBase | None = None
        self._inspected: tuple[str, frozenset[int]] | None = None

    def inspect(self, known: Mapping[str, Any], *, resume: bool) -> None:
        """Refuse now what `open` and `finished` would refuse, as far as `known` entries of the manifest tell.

        Needs neither jax nor the case solved. From here on the folder is this process's, until `close`.

        **Raises**: as `open` and `finished`.
        """
        if not self.folder.is_dir():
            return
        with _disk(f"opening {self.folder}"):
            self._take_lock()
        try:
            there = self._there(json.loads(json.dumps(dict(known))), resume=resume, whole=False)
            if there is not None:
                self._manifest, self._digest = there, _digest_of(there)
                self._inspected = (self._digest, self.finished())
        except BaseException:
            self.close()
            raise

    def open(self, manifest: Mapping[str, Any], *, resume: bool) -> dict[str, Any]:
        """Take up a sweep; returns the manifest in force.

        A manifest without chunks holds nothing worth keeping and gives way to any sweep.

        **Raises**: `ForeignSweepError` where the folder holds another sweep, any sweep without `resume`, or one that is
        running; `SweepStorageError` where the disk refuses.
        """
        wanted = json.loads(json.dumps(dict(manifest)))
        with _disk(f"opening {self.folder}"):
            self._chunks.mkdir(parents=True, exist_ok=True)
            self._take_lock()
        try:
            return self._open(wanted, resume)
        except BaseException:
            self.close()
            raise

    def _open(self, wanted: dict[str, Any], resume: bool) -> dict[str, Any]:
        there = self._there(wanted, resume=resume, whole=True)
        self._manifest = wanted if there is None else there
        self._digest = _digest_of(self._manifest)
        for part in [*self._chunks.glob("*.part"), *self.folder.glob("*.part")]:
            part.unlink()
        if there is None:
            self.update(self._manifest)
        return dict(self._manifest)

    def _there(self, wanted: dict[str, Any], *, resume: bool, whole: bool) -> dict[str, Any] | None:
        """The manifest in the folder; None where there is nothing to keep. `whole`: `wanted` is all of one."""
        file = self.folder / _MANIFEST
        chunks = sorted(self._chunks.glob("chunk_*.h5"))
        if not chunks and not (self.folder / _TABLE).exists():
            return None
        if not resume:
            raise ForeignSweepError(
                f"{self.folder} already holds a sweep: resume it with --resume, or choose another folder"
            )
        if not file.exists():
            raise ForeignSweepError(
                f"{(chunks or [file])[0]}: a chunk without {file.name} beside it; choose another folder"
            )
        return _same_sweep(file, wanted, whole=whole)

    def update(self, manifest: Mapping[str, Any]) -> None:
        """Write the manifest."""
        self._manifest = dict(manifest)
        _write(self.folder / _MANIFEST, json.dumps(self._manifest, indent=1).encode())

    def finished(self) -> frozenset[int]:
        """Numbers of the finished chunks, every one read and verified.

        **Raises**: `ForeignSweepError` naming the first file that is truncated, changed or of another sweep.
        """
        if self._inspected is not None and self._inspected[0] == self._digest:
            return self._inspected[1]
        numbers = set()
        for file in sorted(self._chunks.glob("chunk_*.h5")):
            number = file.stem.removeprefix("chunk_")
            if not number.isdecimal() or self._file(int(number)) != file:
                raise ForeignSweepError(f"{file}: not the name of a chunk; remove it")
            self.read_chunk(int(number))
            numbers.add(int(number))
        return frozenset(numbers)

    def write_chunk(self, chunk: int, columns: dict[str, np.ndarray]) -> None:
        """Write a chunk so that it is there whole or not at all."""
        image = io.BytesIO()
        with h5py.File(image, "w") as file:
            file.attrs["sweep"] = self._digest
            file.attrs["chunk"] = chunk
            file.attrs["contents"] = _contents(columns)
            _datasets(file, {name: (column.dtype, len(column)) for name, column in columns.items()}, self._units)
            for name, column in columns.items():
                file[name][...] = column
        _write(self._file(chunk), sealed(image.getvalue()))

    def read_chunk(self, chunk: int) -> dict[str, np.ndarray]:
        """The columns of a chunk, in their order.

        **Raises**: `ForeignSweepError` naming the file where it is truncated, changed or of another sweep.
        """
        path = self._file(chunk)
        try:
            with h5py.File(io.BytesIO(unsealed(path.read_bytes())), "r") as file:
                held = Contents(file)
                attributes = held.attributes(file)
                owner, number, contents = (attributes.get(name) for name in ("sweep", "chunk", "contents"))
                datasets = dict(held.datasets())
                order = sorted(datasets, key=lambda name: int(held.attributes(datasets[name]).get("column", 0)))
                columns = {name: held.array(name, datasets[name]) for name in order}
        except DAMAGED as error:
            raise ForeignSweepError(
                f"{path}: truncated, changed, or not a chunk of a sweep; delete it and resume to compute it again"
            ) from error
        if owner != self._digest:
            raise ForeignSweepError(f"{path}: a chunk of another sweep; remove it and resume, or choose another folder")
        if number != chunk or contents != _contents(columns):
            raise ForeignSweepError(f"{path}: its contents were changed; delete it and resume to compute it again")
        return columns

    def merge(self, chunks: int) -> tuple[Path, ...]:
        """Write ``sweep.h5`` and ``sweep.csv``, chunk by chunk."""
        table, text = self.folder / _TABLE, self.folder / "sweep.csv"
        first = self.read_chunk(0)
        designs, size = int(self._manifest["designs"]), int(self._manifest["chunk"])
        parts = [file.with_name(f"{file.name}.part") for file in (table, text)]
        with _disk(f"writing {table}", parts):
            with h5py.File(parts[0], "w") as merged, parts[1].open("w", newline="", encoding="utf-8") as stream:
                writer = csv.writer(stream, lineterminator="\n")
                writer.writerow([_no_formula(self._with_unit(name)) for name in first])
                merged.attrs["title"] = "voltherm sweep"
                merged.attrs["sweep"] = self._digest
                merged.attrs["manifest"] = json.dumps({k: v for k, v in self._manifest.items() if k not in _FREE})
                _datasets(merged, {name: (column.dtype, designs) for name, column in first.items()}, self._units)
                for chunk in range(chunks):
                    columns = self.read_chunk(chunk)
                    for name, column in columns.items():
                        merged[name][chunk * size : chunk * size + len(column)] = column
                    cells = ([_no_formula(cell) for cell in column.tolist()] for column in columns.values())
                    writer.writerows(zip(*cells, strict=True))
            for part, file in zip(parts, (table, text), strict=True):
                _force(part)
                part.replace(file)
            _force(self.folder)
        return table, text

    def close(self) -> None:
        """Let other processes have the folder."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None
        self._inspected = None

    def _take_lock(self) -> None:
        if fcntl is None or self._lock is not None:
            return
        # the lock dies with its process, however that ends; the file itself stays and means nothing
        lock = (self.folder / "sweep.lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.close()
            raise ForeignSweepError(f"{self.folder}: another process is running this sweep") from error
        self._lock = lock

    def _file(self, chunk: int) -> Path:
        return self._chunks / f"chunk_{chunk:0{_DIGITS}d}.h5"

    def _with_unit(self, name: str) -> str:
        """A column's name with its unit, such as `cooling_power [W]`; numbers and codes have none."""
        unit = self._units(name).get("units", "1")
        return name if unit in ("", "1") else f"{name} [{unit}]"

    def _units(self, name: str) -> Mapping[str, str]:
        return self._manifest.get("columns", {}).get(name, {})


def _same_sweep(file: Path, wanted: Mapping[str, Any], *, whole: bool) -> dict[str, Any]:
    try:
        there = json.loads(file.read_text(encoding="utf-8"))
        known = {name: value for name, value in there.items() if name not in _FREE}
        lanes = there["lanes"]
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError, OSError) as error:
        raise ForeignSweepError(f"{file}: not the manifest of a sweep; choose another folder") from error
    asked = {name: value for name, value in wanted.items() if name not in _FREE}
    names = {**asked, **known} if whole else asked
    different = [name for name in names if asked.get(name) != known.get(name)]
    if different or not isinstance(lanes, int) or lanes < 1:
        raise ForeignSweepError(
            f"{file}: belongs to another sweep, which differs in {', '.join(different) or 'lanes'}: "
            "choose another folder, or restore what changed"
        )
    return there


def _no_formula(cell: Any) -> Any:
    """A text that a spreadsheet would take for a formula, behind an apostrophe; numbers as they are."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in _FORMULA else cell


def _digest_of(manifest: Mapping[str, Any]) -> str:
    fixed = {name: value for name, value in manifest.items() if name not in _FREE}
    return hashlib.sha256(json.dumps(fixed, sort_keys=True).encode()).hexdigest()


def _contents(columns: Mapping[str, np.ndarray]) -> str:
    total = hashlib.sha256()
    for name, column in columns.items():
        total.update(f"{name} {column.dtype.str} {column.shape}".encode())
        total.update(np.ascontiguousarray(column).tobytes())
    return total.hexdigest()


def _datasets(
    file: h5py.File, columns: Mapping[str, tuple[np.dtype, int]], units: Callable[[str], Mapping[str, str]]
) -> None:
    """Empty datasets along the dimension `design`, in the order of the columns."""
    for number, (name, (dtype, length)) in enumerate(columns.items()):
        dataset = file.create_dataset(name, shape=(length,), dtype=dtype)
        dataset.attrs["column"] = number
        for key, value in units(name).items():
            dataset.attrs[key] = value
        if name == "design":
            dataset.make_scale("design")
        else:
            dataset.dims[0].attach_scale(file["design"])


def _write(path: Path, contents: bytes) -> None:
    part = path.with_name(f"{path.name}.part")
    with _disk(f"writing {path}", [part]):
        part.write_bytes(contents)
        _force(part)
        part.replace(path)
        _force(path.parent)


def _force(path: Path) -> None:
    """Force a file, or the names in a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _disk(doing: str, leftovers: list[Path] | None = None) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        for part in leftovers or []:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
        full = error.errno == errno.ENOSPC or f"errno = {errno.ENOSPC}" in str(error)
        why = "no space is left on the device" if full else (error.strerror or str(error))
        raise SweepStorageError(
            f"{doing}: {why}. Finished chunks are kept: free space or change the folder, then --resume"
        ) from error
