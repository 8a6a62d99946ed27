"""Files of results: HDF5 in the layout of netCDF-4, so that h5py, xarray and MATLAB read them.

Every variable carries ``units`` and ``long_name``, its dimensions carry names, and the root says what wrote the file
and from which case. A file is written beside its final name, forced to the disk and renamed: one with its final name is
whole. A file that is truncated, or was not written here, is refused by name.
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

FORMAT = "voltherm results 1"


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
                scale = target.create_dataset(dimension, data=np.arange(length), track_times=False)
                scale.attrs["units"], scale.attrs["long_name"] = "1", f"number of the {dimension}"
                scale.make_scale(dimension)
            for name, variable in results.variables.items():
                _write(target, name, variable)
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
        with h5py.File(file, "r") as source:
            attributes = {name: _plain(value) for name, value in source.attrs.items()}
            if attributes.pop("format", None) != FORMAT:
                raise FileFormatError(
                    f"{file}: is HDF5, but not results of this program (no attribute format = '{FORMAT}')"
                )
            variables: dict[str, Variable] = {}

            def visit(name: str, item: h5py.Dataset | h5py.Group) -> None:
                if isinstance(item, h5py.Dataset) and not item.is_scale:
                    variables[name] = _read(item)

            source.visititems(visit)
    except (OSError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise FileFormatError(f"{file}: is truncated, or is not HDF5: write it again") from error
    return Results(attributes, variables)


def _read(item: h5py.Dataset) -> Variable:
    if item.external or item.is_virtual:
        raise ValueError("a dataset that points to another file")
    values = item.asstr()[...] if h5py.check_string_dtype(item.dtype) else item[...]
    dimensions = tuple(axis[0].name.lstrip("/") for axis in item.dims)
    return Variable(np.asarray(values), dimensions, str(item.attrs["units"]), str(item.attrs["long_name"]))


def _plain(value: Any) -> Any:
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, str) and value[:1] in ("{", "["):
        with contextlib.suppress(ValueError):
            return json.loads(value)
    return value


def _force(path: Path) -> None:
    """Force a file, or the names in a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
