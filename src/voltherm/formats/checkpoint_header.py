"""The first line of a checkpoint, read without jax: enough to refuse a file that does not fit within a second.

`voltherm.study.checkpoint` writes and reads the whole: a line of JSON, then arrays whose digest stands in that line.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from voltherm.formats.errors import FileFormatError

_FORMAT = "voltherm checkpoint"


def inspect_checkpoint(path: str | Path, known: Mapping[str, Any]) -> None:
    """Refuse a checkpoint that is damaged, or belongs to another study as far as `known` entries of its header tell.

    A mapping in `known` may hold a part of the one in the header. A file that is not there is no mistake.

    **Raises**: `FileFormatError` with one sentence that names the file.
    """
    file = Path(path)
    if not file.exists():
        return
    if not file.is_file():
        raise FileFormatError(f"{file}: is not a file")
    try:
        first, _, arrays = file.read_bytes().partition(b"\n")
    except OSError as error:
        raise FileFormatError(f"{file}: cannot be read: {error.strerror or error}") from error
    try:
        header = dict(json.loads(first))
    except (ValueError, TypeError, RecursionError) as error:
        raise FileFormatError(f"{file}: not a checkpoint of voltherm") from error
    if not str(header.get("format", "")).startswith(_FORMAT):
        raise FileFormatError(f"{file}: not a checkpoint of voltherm")
    wanted = json.loads(json.dumps(dict(known)))
    different = [name for name in wanted if not _within(wanted[name], header.get(name))]
    if different:
        raise FileFormatError(
            f"{file}: a checkpoint of another study, which differs in {', '.join(different)}: "
            "choose another folder, or restore what changed"
        )
    if header.get("contents") != hashlib.sha256(arrays).hexdigest():
        raise FileFormatError(f"{file}: truncated or damaged; delete it to start anew")


def _within(part: Any, whole: Any) -> bool:
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(name in whole and _within(value, whole[name]) for name, value in part.items())
    return bool(part == whole)
