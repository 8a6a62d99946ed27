"""``voltherm validate``: the package held against numbers that someone else made."""

from pathlib import Path
from typing import Annotated

import typer

from voltherm.cli.options import Devices, Json
from voltherm.cli.output import print_json, problem_console, result_console, simple_table


def validate(
    cases: Annotated[list[str] | None, typer.Argument(help="Cases or folders of cases; by default all.")] = None,
    folder: Annotated[
        Path | None, typer.Option("--folder", help="Folder of the cases.", show_default="validation")
    ] = None,
    json: Json = False,
    device: Devices = None,
) -> None:
    """Compare with reference data; ends with 4 where an error is above its tolerance."""
    from voltherm.cli.environment import prepare
    from voltherm.formats import load
    from voltherm.formats.errors import ConfigurationError, Problem, ValidationMissedError

    prepare(device)
    from voltherm.study.validation import default_folder, discover, run_case

    place = folder or default_folder()
    try:
        names = discover(place, cases)
    except ValueError as error:
        raise ConfigurationError([Problem(str(place), 1, "", str(error))]) from error
    if not names:
        raise ConfigurationError([Problem(str(place), 1, "", "holds no case: no folder with a case.yaml")])
    from voltherm.cli.output import progress

    rows = []
    with progress() as report:
        for number, name in enumerate(names):
            report("validation", number, len(names))
            rows += run_case(place, name, load=load)
        report("validation", len(names), len(names))
    if json:
        print_json([row.as_dict() for row in rows])
    else:
        told = [
            (
                row.case,
                row.quantity,
                f"{row.error:.2e}",
                f"{row.tolerance:.2e}",
                row.unit,
                "yes" if row.passed else "NO",
            )
            for row in rows
        ]
        header = ("case", "quantity", "error", "tolerance", "unit", "passed")
        result_console().print(simple_table("Validation", header, told, left=2))
    failed = [row for row in rows if not row.passed]
    for row in failed:
        problem_console().print(f"{row.case}: {row.quantity}: {row.reason}", style="red", soft_wrap=True)
    if failed:
        raise ValidationMissedError(
            f"{len(failed)} of {len(rows)} quantities of {len(names)} cases miss their tolerance"
        )
    problem_console().print(f"{len(rows)} quantities of {len(names)} cases within their tolerance")
