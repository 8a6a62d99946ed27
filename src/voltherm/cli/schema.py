"""``voltherm schema``: what files may hold, for people and for editors."""

from typing import Annotated, Literal

import typer

from voltherm.cli.options import Json
from voltherm.cli.output import print_json, result_console, simple_table


def schema(
    kind: Annotated[
        Literal["site", "sweep", "tune", "cold_plate"], typer.Argument(help="site, sweep, tune or cold_plate.")
    ] = "site",
    json: Json = False,
) -> None:
    """Show every key of a file: its dimension, its range and its meaning."""
    from voltherm.formats.json_schema import json_schema, required_keys
    from voltherm.formats.schema import fields
    from voltherm.formats.schema_site import SITE
    from voltherm.formats.schema_study import SWEEP, TUNE_COLD_PLATE, TUNE_SITE, VARIABLE, study_document

    document = SITE
    if kind != "site":
        document = study_document({"sweep": SWEEP, "tune": TUNE_SITE, "cold_plate": TUNE_COLD_PLATE}[kind])
    if json:
        described, required = json_schema(document), required_keys(document)
        if kind in ("sweep", "tune"):
            variable = {**json_schema(VARIABLE), **required_keys(VARIABLE)}
            # a list of values may be written as one
            listed = {"anyOf": [variable["properties"]["values"], {"type": "array"}]}
            variable["properties"] = {**variable["properties"], "values": listed}
            described["properties"][kind]["properties"]["variables"] = {"type": "array", "items": variable}
        if kind == "site":
            described["properties"]["base"] = {"type": "string", "description": "file whose values this one replaces"}
            # what a base gives need not be written again
            described |= {"if": {"required": ["base"]}, "else": required}
        else:
            described["allOf"] = [required]
        print_json(
            {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": f"voltherm {kind}", **described}
        )
        return
    rows = []
    for path, field in fields(document).items():
        what = field.dimension if field.kind in ("quantity", "list") else field.kind
        span = f"{field.minimum} … {field.maximum}" if field.minimum or field.maximum else ", ".join(field.choices)
        rows.append((path, what, span, field.meaning))
    if kind in ("sweep", "tune"):
        rows += [
            (f"{kind}.variables[].{path}", field.kind, "", field.meaning) for path, field in fields(VARIABLE).items()
        ]
    result_console(whole_lines=True).print(
        simple_table(document.meaning, ("key", "dimension", "range", "meaning"), rows, left=4)
    )
