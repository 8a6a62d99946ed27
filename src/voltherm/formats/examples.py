"""The cases and studies that come with the package, for `voltherm init`."""

from pathlib import Path

from voltherm.formats.errors import EnvironmentFaultError


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
