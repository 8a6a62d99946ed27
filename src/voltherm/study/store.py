"""Where a sweep keeps its chunks: what any store can do, and the one in memory.

Files are host code: the store that writes HDF5 is `voltherm.formats.sweep_store.SweepFolder`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

Columns = dict[str, np.ndarray]
"""Arrays (design,) by name; ``result`` holds the result codes."""


@runtime_checkable
class SweepStore(Protocol):
    """Keeps finished chunks and merges them into one table."""

    def open(self, manifest: Mapping[str, Any], *, resume: bool) -> dict[str, Any]:
        """Take up the sweep that `manifest` describes, and return the manifest in force.

        With `resume`, chunks of the same sweep that are already there are kept; chunks of another sweep are refused.
        """

    def update(self, manifest: Mapping[str, Any]) -> None:
        """Replace the manifest in force by one that differs in its ``lanes`` alone."""

    def finished(self) -> frozenset[int]:
        """Numbers of the chunks that are there, each of them verified."""

    def write_chunk(self, chunk: int, columns: Columns) -> None:
        """Keep a chunk: after the call it is there whole, before its end it is not there at all."""

    def read_chunk(self, chunk: int) -> Columns:
        """The columns of a finished chunk."""

    def merge(self, chunks: int) -> tuple[Path, ...]:
        """Write the table of chunks 0 to `chunks` - 1, in the order of the designs, and say where it is."""

    def close(self) -> None:
        """Let go of the store; what is finished stays."""


class MemoryStore:
    """Keeps a sweep in memory, for library use."""

    def __init__(self) -> None:
        self._chunks: dict[int, Columns] = {}
        self._manifest: dict[str, Any] = {}

    def open(self, manifest: Mapping[str, Any], *, resume: bool) -> dict[str, Any]:
        """See `SweepStore.open`."""
        if not resume:
            self._chunks.clear()
        self._manifest = dict(manifest)
        return self._manifest

    def update(self, manifest: Mapping[str, Any]) -> None:
        """See `SweepStore.update`."""
        self._manifest = dict(manifest)

    def finished(self) -> frozenset[int]:
        """See `SweepStore.finished`."""
        return frozenset(self._chunks)

    def write_chunk(self, chunk: int, columns: Columns) -> None:
        """See `SweepStore.write_chunk`."""
        self._chunks[chunk] = columns

    def read_chunk(self, chunk: int) -> Columns:
        """See `SweepStore.read_chunk`."""
        return self._chunks[chunk]

    def merge(self, chunks: int) -> tuple[Path, ...]:
        """See `SweepStore.merge`: there is no file."""
        return ()

    def close(self) -> None:
        """See `SweepStore.close`."""
