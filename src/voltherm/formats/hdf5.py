"""HDF5 files from elsewhere: what they may hold, and how much, before anything of it is read.

A file can name other files (external links, external and virtual data), claim shapes that fill any memory, pack zeros
a thousandfold, or be cut anywhere. Only what lies in the file itself is read: numbers and texts in datasets that a
group holds by a hard link, no larger than the bytes stored for them can make them.
"""

import math
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np

DAMAGED = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SystemError,
    TypeError,
    ValueError,
)
"""What h5py raises at files that are cut or damaged; there is no one class of it."""

_LARGEST = 4_000_000_000
"""Bytes of all arrays of a file."""
_PACKING = 1_100
"""How far gzip packs at most, with room."""
_DEEPEST = 16
_TEXTS_TOGETHER = 256


class ForeignDataError(ValueError):
    """Something that no file of this program holds; the message says what."""


class Contents:
    """Attributes and datasets of an open file, checked before they are read."""

    def __init__(self, file: h5py.File):
        self._file = file
        self._size = file.id.get_filesize()
        self._left = _LARGEST

    def datasets(self) -> Iterator[tuple[str, h5py.Dataset]]:
        """Every dataset with its path."""
        yield from self._below(self._file, "", 0)

    def _below(self, group: h5py.Group, path: str, depth: int) -> Iterator[tuple[str, h5py.Dataset]]:
        if depth > _DEEPEST:
            raise ForeignDataError("groups within groups without end")
        for name in group:
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise ForeignDataError(f"'{path}{name}' is a link to somewhere else")
            item = group[name]
            if isinstance(item, h5py.Group):
                yield from self._below(item, f"{path}{name}/", depth + 1)
            elif isinstance(item, h5py.Dataset):
                yield f"{path}{name}", item
            else:
                raise ForeignDataError(f"'{path}{name}' is no array")

    def attributes(self, item: h5py.Group | h5py.Dataset) -> dict[str, Any]:
        """Attributes that are one number or one text each; others, which HDF5 itself writes, are left out."""
        found = {}
        for name in item.attrs:
            identity = item.attrs.get_id(name)
            if math.prod(identity.shape or ()) * identity.dtype.itemsize > self._size:
                raise ForeignDataError(f"attribute '{name}' claims more than the file holds")
            value = item.attrs[name]
            value = value.item() if isinstance(value, np.generic) else value
            if isinstance(value, str | int | float):
                found[name] = value
        return found

    def array(self, path: str, item: h5py.Dataset) -> np.ndarray:
        """The numbers or texts of a dataset."""
        if item.external or item.is_virtual:
            raise ForeignDataError(f"'{path}' lies in another file")
        if item.shape is None:
            raise ForeignDataError(f"'{path}' holds nothing")
        texts = h5py.check_string_dtype(item.dtype) is not None
        if not texts and item.dtype.kind not in "iufb":
            raise ForeignDataError(f"'{path}' holds neither numbers nor texts")
        packed = item.compression is not None
        stored = min(item.id.get_storage_size(), self._size)
        claimed = item.size * item.dtype.itemsize
        self._left -= claimed
        if claimed > stored * (_PACKING if packed else 1) or self._left < 0:
            raise ForeignDataError(f"'{path}' claims {claimed:,} bytes and stores {stored:,}")
        return self._texts(path, item) if texts else np.asarray(item[...])

    def _texts(self, path: str, item: h5py.Dataset) -> np.ndarray:
        """Texts piece by piece: many may stand for one long text."""
        if not item.shape:
            return np.asarray(item.asstr()[()])
        pieces = []
        for start in range(0, item.shape[0], _TEXTS_TOGETHER):
            piece = np.asarray(item.asstr()[start : start + _TEXTS_TOGETHER])
            self._left -= sum(len(text) for text in piece.flat)
            if self._left < 0:
                raise ForeignDataError(f"'{path}' claims more than the file holds")
            pieces.append(piece)
        return np.concatenate(pieces) if pieces else np.zeros(item.shape, dtype=object)
