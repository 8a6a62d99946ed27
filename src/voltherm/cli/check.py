"""``voltherm check``: every mistake in a case or study, before anything is solved."""

from pathlib import Path
from typing import Annotated

import typer

from voltherm.cli.options import Json, Overrides
from voltherm.cli.output import print_json, problem_console


def check(
    files: Annotated[list[Path], typer.Argument(help="Files of cases and studies.", show_default=False)],
    overrides: Overrides = None,
    json: Json = False,
) -> None:
    """Find every mistake in cases and studies."""
    from voltherm.formats.errors import ConfigurationError, Problem, shown
    from voltherm.formats.loader import Document, configuration, kind_of, study

    problems: list[Problem] = []
    left_out = 0
    documents: list[Document] = []
    for file in files:
        try:
            if kind_of(file) == "site":
                documents.append(configuration(file, overrides or ())[1])
            else:
                documents.append(study(file, overrides or ()).document)
        except ConfigurationError as error:
            problems += error.problems
            left_out += error.left_out
    if problems:
        raise ConfigurationError(problems, left_out)
    if json:
        print_json(
            [{"file": str(each.path), "kind": each.kind, "name": each.name, "problems": []} for each in documents]
        )
    for document in documents:
        problem_console().print(shown(f"{document.path}: {document.name}: no mistakes"), soft_wrap=True)
