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
    """Find every mistake in cases and studies, and warn of what their answer will be told."""
    from voltherm.formats.advice import advice, inherited_weather
    from voltherm.formats.errors import ConfigurationError, Problem, shown
    from voltherm.formats.loader import Document, configuration, kind_of, study

    problems: list[Problem] = []
    left_out = 0
    documents: list[Document] = []
    warnings: dict[Path, list[Problem]] = {}
    for file in files:
        try:
            if kind_of(file) == "site":
                configured, document = configuration(file, overrides or ())
                documents.append(document)
                written = {value.path: (value.file, value.line) for value in document.values}
                told = advice(configured)
                weather = inherited_weather({path: place[0] for path, place in written.items()})
                if weather:
                    told.append(("name", weather))
                warnings[document.path] = [
                    Problem(*written.get(path, (str(file), 1)), path, message) for path, message in told
                ]
            else:
                documents.append(study(file, overrides or ()).document)
        except ConfigurationError as error:
            problems += error.problems
            left_out += error.left_out
    if problems:
        raise ConfigurationError(problems, left_out)
    if json:
        print_json(
            [
                {
                    "file": str(each.path),
                    "kind": each.kind,
                    "name": each.name,
                    "problems": [],
                    "warnings": warnings.get(each.path, []),
                }
                for each in documents
            ]
        )
    for document in documents:
        found = warnings.get(document.path, [])
        for warning in found:
            problem_console().print(shown(f"warning: {warning}"), soft_wrap=True)
        more = f", {len(found)} warning{'s' if len(found) > 1 else ''}" if found else ""
        problem_console().print(shown(f"{document.path}: {document.name}: no mistakes{more}"), soft_wrap=True)
