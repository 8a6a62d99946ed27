"""``voltherm run``: the main question answered for a case."""

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from voltherm.cli.folders import output_folder, writing
from voltherm.cli.options import Author, Case, Client, Devices, Json, Output, Overrides, Revision, Weather
from voltherm.cli.output import print_json, problem_console, progress, result_console
from voltherm.formats.errors import shown

LIMIT_PASSED = 6
"""Exit code of `voltherm run --strict` where the answer does not hold every limit."""

if TYPE_CHECKING:
    from voltherm.formats.results import Variable
    from voltherm.study.answer import Answer


def run(
    case: Case,
    overrides: Overrides = None,
    weather: Weather = None,
    output: Output = None,
    samples: Annotated[
        int, typer.Option("--samples", min=0, max=10_000, help="Solves with numbers drawn from their tolerances.")
    ] = 64,
    details: Annotated[bool, typer.Option("--details", help="Also the months and the wall times.")] = False,
    page: Annotated[bool, typer.Option("--report/--no-report", help="Write the HTML report.")] = True,
    client: Client = "",
    revision: Revision = "",
    author: Author = "",
    strict: Annotated[
        bool, typer.Option("--strict", help="End with 6 where a limit is passed or no set point serves.")
    ] = False,
    json: Json = False,
    device: Devices = None,
) -> None:
    """Find the supply temperature a case can run, what binds, what it costs and how long it rides."""
    from voltherm.formats.loader import configuration

    configured, document = configuration(case, overrides or ())
    hours, place = None, ""
    if weather is not None:
        from voltherm.formats.weather import read_weather

        read = read_weather(weather)
        hours, place = read.dry_bulb, f"{weather.name}, {read.place}"
    folder = output_folder(output, case)
    from voltherm.cli.environment import prepare

    prepare(device)
    from voltherm.cli.studies import translated
    from voltherm.formats.answer_file import write_answer
    from voltherm.formats.tolerances import tolerances
    from voltherm.site import build
    from voltherm.study.answer import answer

    with translated(), progress() as report:
        known = tolerances(document)
        found = answer(build(configured), dry_bulb=hours, tolerances=known, samples=samples, progress=report)
    command = shown(shlex.join(["voltherm", *sys.argv[1:]]))
    notes = {"case_text": case.read_text(encoding="utf-8-sig"), "command": command}
    told = {"client": client, "revision": revision, "author": author, "weather": place}
    notes |= {name: shown(text) for name, text in told.items() if text}

    def written() -> list[Path]:
        return [write_answer(folder / "results.h5", found, document, tables=_tables(found), notes=notes)]

    with writing() as write:
        files = write(written, folder)
        if page:
            files += write(lambda: written_report(found, folder, notes), folder)
        if json:
            print_json(as_json(found) | {"files": files})
        else:
            from voltherm.report.terminal import print_summary

            console = result_console()
            print_summary(found, console, details=details)
            for file in files:
                console.print(str(file), soft_wrap=True)
    if strict:
        from voltherm.study.verdict import limits_held

        if not limits_held(found):
            raise typer.Exit(LIMIT_PASSED)


def _tables(answer: "Answer") -> "dict[str, Variable]":
    from voltherm.formats.results import Variable
    from voltherm.report.variables import variables

    return {
        name: Variable(found.values, found.dimensions, found.units or "1", found.long_name)
        for name, found in variables(answer).items()
    }


def written_report(answer: "Answer", folder: Path, notes: Mapping[str, Any]) -> list[Path]:
    """The files of the HTML report; none, with a notice, where the libraries for it are not installed."""
    from voltherm.report.html import Cover, MissingExtra, write

    try:
        texts = {name: str(notes.get(name, "")) for name in ("command", "client", "revision", "author", "weather")}
        cover = Cover(date=None, **texts)
        return [write(answer, folder, configuration_text=str(notes.get("case_text", "")), cover=cover)]
    except MissingExtra as error:
        problem_console().print(f"no report: {error}", soft_wrap=True)
        return []


def as_json(answer: "Answer") -> dict[str, Any]:
    """The answer without its arrays over racks and hours."""
    from dataclasses import asdict

    from voltherm.numerics import ResultCode
    from voltherm.report.limits import limits_passed
    from voltherm.report.uncertainty import uncertainty_as_json
    from voltherm.study.bounds import broken_bounds
    from voltherm.study.verdict import limits_held, unphysical, verdicts

    def point(found: Any) -> dict[str, Any]:
        return {
            "set_point": found.set_point,
            "dry_bulb": found.dry_bulb,
            "figures": dict(found.figures),
            "constraints": [asdict(constraint) for constraint in found.constraints],
            "violated": [constraint.name for constraint in found.constraints if constraint.violated],
            "hottest": dict(found.hottest),
            "findings": [asdict(finding) for finding in found.findings],
        }

    def year(found: Any) -> dict[str, Any] | None:
        if found is None:
            return None
        names = ("energy", "monthly_energy", "hours_above_limit", "hours_of_trim", "pue", "monthly_pue", "water", "wue")
        return {name: getattr(found, name) for name in names}

    ride = answer.ride_through
    return {
        "name": answer.site.name,
        "units": "SI: temperatures in K, powers in W, energies in J",
        "point": point(answer.point),
        "allowed": point(answer.allowed) if answer.allowed else None,
        "limits_held": limits_held(answer),
        "limits_passed": limits_passed(answer),
        "search": ResultCode(answer.searched),
        "unheld": asdict(answer.unheld) if answer.unheld else None,
        "chip_supply": answer.chip_supply,
        "coldest": point(answer.coldest) if answer.coldest else None,
        "findings": [asdict(each.finding) | {"where": each.where} for each in verdicts(answer)],
        "unphysical": [*broken_bounds(answer), *unphysical(answer)],
        "uncertainty": uncertainty_as_json(answer),
        "sensitivities": [asdict(each) for each in answer.sensitivities],
        "year": year(answer.year),
        "allowed_year": year(answer.allowed_year),
        "ride_through": {
            name: getattr(ride, name)
            for name in (
                "events",
                "seconds_to_limit",
                "first_limit",
                "seconds_to_limits",
                "seconds_to_throttling",
                "seconds_per_kelvin",
                "energy_residual",
            )
        },
        "iterations": answer.iterations,
        "residual": answer.residual,
        "seconds": dict(answer.seconds),
    }
