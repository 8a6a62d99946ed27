"""Files of results: HDF5 in the layout of netCDF-4, so that h5py, xarray and MATLAB read them.

Every variable carries ``units`` and ``long_name``, its dimensions carry names, and the root says what wrote the file
and from which case. A file is written beside its final name, forced to the disk and renamed: one with its final name is
whole. A file that is truncated, or was not written here, is refused by name; its last line is the digest of all
before it (`voltherm.formats.seal`), which readers of HDF5 do not see.
"""

import contextlib
import dataclasses
import errno
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from voltherm.formats.errors import EnvironmentFaultError, FileFormatError
from voltherm.formats.hdf5 import DAMAGED, Contents, ForeignDataError
from voltherm.formats.seal import BrokenSealError, check_seal, seal

FORMAT = "voltherm results 2"


@dataclasses.dataclass(frozen=True)
class Variable:
    """An array with the names of its dimensions, its unit and its meaning."""

    values: np.ndarray
    dimensions: tuple[str, ...]
    units: str
    long_name: str


@dataclasses.dataclass(frozen=True)
class Results:
    """Contents of a file: attributes of the root, and variables by name; a ``/`` in a name makes a group."""

    attributes: Mapping[str, Any]
    variables: Mapping[str, Variable]


def write_results(path: str | Path, results: Results) -> Path:
    """Write a file whole or not at all; returns its path.

    Attributes that are mappings or lists are kept as JSON.

    **Raises**: `EnvironmentFaultError` where the disk refuses; `ValueError` where two variables disagree about the
    length of a dimension, or a variable's dimensions are not those of its array.
    """
    file = Path(path)
    lengths = _lengths(results)
    part = file.with_name(f"{file.name}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with h5py.File(part, "w") as target:
            target.attrs["format"] = FORMAT
            for name, value in results.attributes.items():
                target.attrs[name] = value if isinstance(value, str | int | float) else json.dumps(value)
            for dimension, length in lengths.items():
                # a dimension without values, by the name that netCDF-4 gives such: its coordinates stand in `names`
                scale = target.create_dataset(dimension, (length,), "f4", track_times=False)
                scale.make_scale(f"This is a netCDF dimension but not a netCDF variable. {length:10d}")
            for name, variable in results.variables.items():
                _write(target, name, variable)
        seal(part)
        _force(part)
        part.replace(file)
        _force(file.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        full = error.errno == errno.ENOSPC or f"errno = {errno.ENOSPC}" in str(error)
        why = "no space is left on the device" if full else (error.strerror or str(error))
        raise EnvironmentFaultError(f"{file}: cannot be written: {why}") from error
    return file


def _lengths(results: Results) -> dict[str, int]:
    lengths: dict[str, int] = {}
    for name, variable in results.variables.items():
        if np.ndim(variable.values) != len(variable.dimensions):
            raise ValueError(f"{name} has {np.ndim(variable.values)} axes and the dimensions {variable.dimensions}")
        for dimension, length in zip(variable.dimensions, np.shape(variable.values), strict=True):
            if lengths.setdefault(dimension, length) != length:
                raise ValueError(
                    f"{name}: dimension {dimension} has {length} entries here and {lengths[dimension]} elsewhere"
                )
    taken = sorted(set(lengths) & set(results.variables))
    if taken:
        raise ValueError(f"{', '.join(taken)}: a variable and a dimension have the same name")
    return lengths


def _write(target: h5py.File, name: str, variable: Variable) -> None:
    values = np.asarray(variable.values)
    if values.dtype.kind in "UO":
        dataset = target.create_dataset(name, data=values.astype(object), dtype=h5py.string_dtype(), track_times=False)
    else:
        # a mask is kept as small integers: netCDF-4 knows no booleans
        data = values.astype(np.int8) if values.dtype.kind == "b" else values
        packed = {"compression": "gzip", "shuffle": True} if data.size > 4096 else {}
        dataset = target.create_dataset(name, data=data, track_times=False, **packed)
    dataset.attrs["units"] = variable.units
    dataset.attrs["long_name"] = variable.long_name
    for axis, dimension in enumerate(variable.dimensions):
        dataset.dims[axis].attach_scale(target[dimension])


def read_results(path: str | Path) -> Results:
    """The contents of a file that `write_results` wrote.

    **Raises**: `FileFormatError` with one sentence that names the file, where it is missing, truncated or foreign.
    """
    file = Path(path)
    if not file.is_file():
        raise FileFormatError(f"{file}: there is no such file")
    try:
        check_seal(file)
        with h5py.File(file, "r") as source:
            contents = Contents(source)
            attributes = {name: _plain(value) for name, value in contents.attributes(source).items()}
            if attributes.pop("format", None) != FORMAT:
                raise FileFormatError(
                    f"{file}: holds no results that this version reads (no attribute format = '{FORMAT}')"
                )
            variables = {name: _read(contents, name, item) for name, item in contents.datasets() if not item.is_scale}
    except BrokenSealError as error:
        raise FileFormatError(
            f"{file}: is truncated or was changed, or is no file of results, for it does not end in its digest: "
            "write it again"
        ) from error
    except ForeignDataError as error:
        raise FileFormatError(f"{file}: holds what no results of this program hold: {error}") from error
    except DAMAGED as error:
        raise FileFormatError(f"{file}: is not the HDF5 of a file of results: write it again") from error
    return Results(attributes, variables)


def _read(contents: Contents, name: str, item: h5py.Dataset) -> Variable:
    values = contents.array(name, item)
    if any(len(axis) != 1 or axis[0].name is None for axis in item.dims):
        raise ForeignDataError(f"'{name}' has an axis without a name")
    dimensions = tuple(axis[0].name.lstrip("/") for axis in item.dims)
    described = contents.attributes(item)
    return Variable(values, dimensions, str(described["units"]), str(described["long_name"]))


def _plain(value: Any) -> Any:
    if isinstance(value, str) and value[:1] in ("{", "["):
        with contextlib.suppress(ValueError, RecursionError):
            return json.loads(value)
    return value


def _force(path: Path) -> None:
    """Force a file, or the names in a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
