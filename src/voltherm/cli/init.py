"""``voltherm init``: write a case to begin with."""

from pathlib import Path
from typing import Annotated

import typer

from voltherm.formats.errors import ConfigurationError, EnvironmentFaultError, Problem


def init(
    folder: Annotated[Path, typer.Argument(help="Folder to write into; made where it is missing.")] = Path("."),
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
) -> None:
    """Write the cases and studies that come with voltherm, to be changed."""
    from voltherm.formats.examples import examples

    files = examples()
    there = [name for name in files if (folder / name).exists()]
    if there and not force:
        message = "is there already: --force replaces it, or choose another folder"
        raise ConfigurationError(Problem(str(folder / name), 1, "", message) for name in there)
    try:
        for name, text in files.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
            typer.echo(file)
    except OSError as error:
        raise EnvironmentFaultError(f"{folder}: cannot be written: {error.strerror}") from error
