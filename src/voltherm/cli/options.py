"""Arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

Case = Annotated[Path, typer.Argument(help="File of the case.", show_default=False)]
StudyFile = Annotated[Path, typer.Argument(help="File of the study.", show_default=False)]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="PATH=VALUE", help="Replace one value, such as 'secondary.supply_temperature=42 degC'."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")]
Output = Annotated[
    Path | None, typer.Option("--output", "--out", "-o", help="Folder to write into.", show_default="out/NAME")
]
Weather = Annotated[
    Path | None, typer.Option("--weather", help="EPW file, plain or gzipped, in place of the parametric year.")
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on from what the folder holds of this same study.")]
Devices = Annotated[str | None, typer.Option("--device", help="cpu or gpu; by default what jax finds.")]
Client = Annotated[
    str, typer.Option("--client", help="Whom the report is for; stands at its head.", show_default=False)
]
Revision = Annotated[str, typer.Option("--revision", help="Revision of the report, at its head.", show_default=False)]
Author = Annotated[str, typer.Option("--author", help="Who prepared the report, at its head.", show_default=False)]
