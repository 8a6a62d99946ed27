"""A case with some of its numbers changed, written as a file that names the one it comes from.

The files that the case was read from are copied beside it, as they were written, and the new one stands on them with
`base:`: it holds what changed and nothing else, and is checked, run and changed again like any other.
"""

import itertools
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import yaml

from voltherm.formats.loader import Document
from voltherm.formats.source import OVERRIDE


def write_changed_case(folder: Path, document: Document, changes: Mapping[str, str], *, file: str, name: str) -> Path:
    """Writes `folder/file`, a case called `name`, and copies of what it is based on; returns its path.

    Where the case itself is called `file`, the new one gets a number behind its name.

    **Arguments**: `document`: of the case that was read; `changes`: texts of the new values by dotted path. What the
    command line had changed in the case is written as well.

    **Raises**: `OSError` where the disk refuses.
    """
    origin = document.path.resolve()
    read = {origin, *(Path(value.file).resolve() for value in document.values if Path(value.file).is_file())}
    folder.mkdir(parents=True, exist_ok=True)
    for each in read:
        copy = folder / os.path.relpath(each, origin.parent)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(each, copy)
    # it is the same place, whatever its name
    given = {
        value.path: value.exact
        for value in document.values
        if value.path != "name" and (value.file == OVERRIDE or value.path == "climate.place")
    }
    written: dict[str, object] = {"voltherm": 1, "base": origin.name, "name": name}
    for path, text in {**given, **changes}.items():
        *sections, last = path.split(".")
        place = written
        for section in sections:
            inner = place.setdefault(section, {})
            assert isinstance(inner, dict)
            place = inner
        place[last] = text
    taken = {folder / os.path.relpath(each, origin.parent) for each in read}
    names = itertools.chain((file,), (f"{Path(file).stem}_{number}.yaml" for number in itertools.count(2)))
    target = next(folder / each for each in names if folder / each not in taken)
    part = target.with_name(f"{file}.part")
    part.write_text(yaml.safe_dump(written, sort_keys=False, allow_unicode=True, width=1000), encoding="utf-8")
    part.replace(target)
    return target
