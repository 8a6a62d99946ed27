"""Checkpoints: a pytree of arrays in one file, replaced as a whole or not at all.

    first line: header as JSON    rest: the leaves, by `equinox.tree_serialise_leaves`

The header names what the arrays belong to; a file of another study is refused by name. Reading runs no code from the
file.
"""

import io
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import equinox as eqx

from voltherm.study.errors import ForeignCheckpointError

FORMAT = "voltherm checkpoint 1"
State = TypeVar("State")


def save(path: str | os.PathLike[str], header: Mapping[str, Any], state: Any) -> None:
    """Write `state` under `header`; what stood at `path` is replaced in one step."""
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f"{file.name}.part")
    image = io.BytesIO()
    image.write(json.dumps({"format": FORMAT, **header}).encode() + b"\n")
    eqx.tree_serialise_leaves(image, state)
    with part.open("wb") as stream:
        stream.write(image.getvalue())
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(file)


def load(path: str | os.PathLike[str], header: Mapping[str, Any], like: State) -> State:
    """Read what `save` wrote, in the form of `like`.

    **Raises**: `ForeignCheckpointError` naming the file and what differs, also where the file is truncated.
    """
    file = Path(path)
    with file.open("rb") as stream:
        try:
            there = json.loads(stream.readline())
            wanted = json.loads(json.dumps({"format": FORMAT, **header}))
            different = sorted(name for name in {**there, **wanted} if there.get(name) != wanted.get(name))
        except (ValueError, TypeError, AttributeError) as error:
            raise ForeignCheckpointError(f"{file}: not a checkpoint of voltherm") from error
        if different:
            raise ForeignCheckpointError(
                f"{file}: a checkpoint of another study, which differs in {', '.join(different)}: "
                "choose another file, or restore what changed"
            )
        try:
            return eqx.tree_deserialise_leaves(stream, like)
        except (ValueError, RuntimeError, EOFError, OSError) as error:
            raise ForeignCheckpointError(f"{file}: truncated or damaged; delete it to start anew") from error
