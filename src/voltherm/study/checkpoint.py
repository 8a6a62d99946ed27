"""Checkpoints: a pytree of arrays in one file, replaced as a whole or not at all.

    first line: header as JSON    rest: the leaves, by `equinox.tree_serialise_leaves`

The header names what the arrays belong to, and the digest of all that follows it; a file of another study, or one whose
arrays are not whole, is refused by name. Reading runs no code from the file.
"""

import io
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import equinox as eqx

from voltherm.study.design import digest
from voltherm.study.errors import ForeignCheckpointError

FORMAT = "voltherm checkpoint 1"
_CONTENTS = "contents"
State = TypeVar("State")


def save(path: str | os.PathLike[str], header: Mapping[str, Any], state: Any) -> None:
    """Write `state` under `header`; what stood at `path` is replaced in one step."""
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f"{file.name}.part")
    image = io.BytesIO()
    eqx.tree_serialise_leaves(image, state)
    leaves = image.getvalue()
    with part.open("wb") as stream:
        stream.write(json.dumps({"format": FORMAT, **header, _CONTENTS: digest(leaves)}).encode() + b"\n")
        stream.write(leaves)
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(file)


def load(path: str | os.PathLike[str], header: Mapping[str, Any], like: State) -> State:
    """Read what `save` wrote, in the form of `like`.

    **Raises**: `ForeignCheckpointError` naming the file and what differs, also where the file is truncated.
    """
    file = Path(path)
    first, _, leaves = file.read_bytes().partition(b"\n")
    try:
        there = dict(json.loads(first))
        contents = there.pop(_CONTENTS, None)
        wanted = json.loads(json.dumps({"format": FORMAT, **header}))
        different = sorted(name for name in {**there, **wanted} if there.get(name) != wanted.get(name))
    except (ValueError, TypeError, RecursionError) as error:
        raise ForeignCheckpointError(f"{file}: not a checkpoint of voltherm") from error
    if different:
        raise ForeignCheckpointError(
            f"{file}: a checkpoint of another study, which differs in {', '.join(different)}: "
            "choose another file, or restore what changed"
        )
    if contents != digest(leaves):
        raise ForeignCheckpointError(f"{file}: truncated or damaged; delete it to start anew")
    try:
        return eqx.tree_deserialise_leaves(io.BytesIO(leaves), like)
    except (ValueError, RuntimeError, EOFError) as error:
        raise ForeignCheckpointError(f"{file}: holds other arrays than this study; delete it to start anew") from error
