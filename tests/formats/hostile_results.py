"""Files of HDF5 that no broken disk makes: links, claims and types that no results of this program hold."""

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

from voltherm.formats.results import FORMAT
from voltherm.formats.seal import seal

Make = Callable[[h5py.File, Path], object]


def _virtual(file: h5py.File, other: Path) -> object:
    layout = h5py.VirtualLayout((3,), "f8")
    layout[:] = h5py.VirtualSource(str(other), "secret", (3,))
    return file.create_virtual_dataset("x", layout)


HOSTILE: dict[str, tuple[Make, str]] = {
    "external link": (
        lambda file, other: file.__setitem__("x", h5py.ExternalLink(str(other), "/secret")),
        "'x' is a link to somewhere else",
    ),
    "soft link": (lambda file, _: file.__setitem__("x", h5py.SoftLink("/x")), "'x' is a link to somewhere else"),
    "group in itself": (lambda file, _: file.create_group("x").__setitem__("x", file["x"]), "without end"),
    "external data": (
        lambda file, other: file.create_dataset("x", (3,), "f8", external=[(str(other), 0, 24)]),
        "'x' lies in another file",
    ),
    "virtual data": (_virtual, "'x' lies in another file"),
    "huge shape": (
        lambda file, _: file.create_dataset("x", (1_000_000, 1_000_000, 1_000), "f8", chunks=(1, 1, 1_000)),
        "'x' claims 8,000,000,000,000,000 bytes",
    ),
    "huge packed": (
        lambda file, _: file.create_dataset("x", (200_000_000_000,), "f8", chunks=(1_000_000,), compression="gzip"),
        "'x' claims 1,600,000,000,000 bytes",
    ),
    "references": (lambda file, _: file.create_dataset("x", data=[file.ref], dtype=h5py.ref_dtype), "neither numbers"),
    "ragged": (lambda file, _: file.create_dataset("x", (2,), h5py.vlen_dtype(np.float64)), "neither numbers"),
    "records": (lambda file, _: file.create_dataset("x", (2,), np.dtype([("a", "f8")])), "neither numbers"),
    "nothing": (lambda file, _: file.create_dataset("x", data=h5py.Empty("f8")), "'x' holds nothing"),
    "type": (lambda file, _: file.__setitem__("x", np.dtype("f8")), "'x' is no array"),
    "no dimensions": (lambda file, _: file.create_dataset("x", data=np.arange(3.0)), "an axis without a name"),
}
"""How each is made, beside another file with a secret in it, and what is said of it."""


def hostile_file(folder: Path, name: str) -> Path:
    """One of them, with the digest of a file that is whole."""
    other, path = folder / "other.h5", folder / "hostile.h5"
    with h5py.File(other, "w") as secret:
        secret["secret"] = np.arange(3.0)
    with h5py.File(path, "w") as file:
        file.attrs["format"] = FORMAT
        HOSTILE[name][0](file, other)
    seal(path)
    return path
