"""``voltherm report``: the page and the summary of results that are there."""

from pathlib import Path
from typing import Annotated

import typer

from voltherm.cli.folders import writing
from voltherm.cli.options import Author, Client, Json, Revision
from voltherm.cli.output import print_json, result_console
from voltherm.formats.errors import shown


def report(
    results: Annotated[Path, typer.Argument(help="results.h5 of a run.", show_default=False)],
    output: Annotated[
        Path | None,
        typer.Option("--output", "--out", "-o", help="Folder to write into.", show_default="the folder of the results"),
    ] = None,
    details: Annotated[bool, typer.Option("--details", help="Also the months and the wall times.")] = False,
    client: Client = "",
    revision: Revision = "",
    author: Author = "",
    json: Json = False,
) -> None:
    """Write the HTML report of a run again, from its results."""
    from voltherm.formats.results import read_results

    read = read_results(results)
    from voltherm.cli.environment import prepare
    from voltherm.cli.run import as_json, written_report

    prepare("cpu")
    from voltherm.formats.answer_file import decode

    answer = decode(results, read)
    told = {"client": client, "revision": revision, "author": author}
    notes = {**read.attributes, **{name: shown(text) for name, text in told.items() if text}}
    folder = output if output is not None else results.parent
    with writing() as write:
        files = write(lambda: written_report(answer, folder, notes), folder)
        if json:
            print_json(as_json(answer) | {"files": files})
            return
        from voltherm.report.terminal import print_summary

        console = result_console()
        print_summary(answer, console, details=details)
        for file in files:
            console.print(str(file), soft_wrap=True)
