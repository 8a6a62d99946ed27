"""The cases and studies that come with the package, for `voltherm init`."""

import functools
from collections.abc import Iterator, Mapping
from pathlib import Path

from voltherm.formats.errors import EnvironmentFaultError
from voltherm.formats.source import Entry, read_entry

_BUILDING = Path("campus") / "abilene_building.yaml"


def examples_folder() -> Path:
    """The folder ``configs``: inside an installed package, or of the source tree this package runs from."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "configs", package.parents[1] / "configs"):
        if folder.is_dir():
            return folder
    raise EnvironmentFaultError(
        "the cases that come with voltherm are not installed: take them from its source, configs/"
    )


def examples() -> dict[str, str]:
    """Texts by path relative to the folder to write into."""
    folder = examples_folder()
    return {
        file.relative_to(folder).as_posix(): file.read_text(encoding="utf-8") for file in sorted(folder.rglob("*.yaml"))
    }


@functools.lru_cache(maxsize=1)
def example_values() -> Mapping[str, str]:
    """How the building that comes with the package writes each of its values, by dotted path; none where it is not
    installed."""
    try:
        folder = examples_folder()
    except EnvironmentFaultError:
        return {}
    return dict(_written(read_entry(folder / _BUILDING)))


def _written(entry: Entry, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(entry.value, str):
        yield path, entry.value
    for name, inner in entry.items().items():
        yield from _written(inner, f"{path}.{name}" if path else name)
