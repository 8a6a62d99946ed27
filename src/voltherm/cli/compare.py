"""``voltherm compare``: two runs side by side, what differs in their cases and in their answers."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from voltherm.cli.options import Json
from voltherm.cli.output import print_json, result_console, simple_table

if TYPE_CHECKING:
    from voltherm.study.answer import Answer


def compare(
    first: Annotated[Path, typer.Argument(help="results.h5 of a run.", show_default=False)],
    second: Annotated[Path, typer.Argument(help="results.h5 of another run.", show_default=False)],
    json: Json = False,
) -> None:
    """Show two runs side by side: the numbers of their cases that differ, and both answers."""
    from voltherm.formats.results import read_results

    read = [(file, read_results(file)) for file in (first, second)]
    from voltherm.cli.environment import prepare

    prepare("cpu")
    from voltherm.formats.answer_file import decode

    answers = [decode(file, results) for file, results in read]
    before, after = (dict(results.attributes["case"]) for _, results in read)
    paths = [path for path in {**before, **after} if before.get(path) != after.get(path)]
    changed = [(path, before.get(path, ""), after.get(path, "")) for path in paths]
    figures = [_figures(answer) for answer in answers]
    if json:
        print_json(
            {
                "changed": {path: [one, other] for path, one, other in changed},
                "figures": {name: [found[name][0] for found in figures] for name in figures[0]},
            }
        )
        return
    from voltherm.report.limits import headline_sentence

    console = result_console(whole_lines=True)
    for file, answer in zip((first, second), answers, strict=True):
        console.print(f"{file}: {headline_sentence(answer)}", soft_wrap=True)
    header = ("", first.parent.name or str(first), second.parent.name or str(second))
    shown = [(path, _short(one), _short(other)) for path, one, other in changed]
    console.print(simple_table("Numbers that differ", header, shown or [("none", "", "")]))
    rows = [(name, figures[0][name][1], figures[1][name][1]) for name in figures[0]]
    console.print(simple_table("Answers", header, rows))


def _short(text: str) -> str:
    """A value of a case with its numbers as short as a reader writes them; the file keeps every digit."""
    return re.sub(r"\d+\.\d{6,}(?:e[+-]?\d+)?", lambda number: f"{float(number[0]):.10g}", text)


def _figures(answer: "Answer") -> dict[str, tuple[Any, str]]:
    """Values in SI and texts by name, the same names for every answer."""
    import math

    from voltherm.report.decision import money, recommended_supply
    from voltherm.report.limits import limits_passed, what_ends
    from voltherm.report.quantities import difference, duration, energy, number, power, temperature
    from voltherm.study.verdict import limits_held

    point, year, ride = answer.point.figures, answer.year, answer.ride_through
    highest = None if answer.allowed is None else answer.allowed.set_point
    recommended = recommended_supply(answer)

    def maybe(value: Any, text: Any) -> tuple[Any, str]:
        return value, "none" if value is None else text(value)

    def of_year(name: str) -> float | None:
        return None if year is None else year.energy[name]

    limit = ride.seconds_to_limit if math.isfinite(ride.seconds_to_limit) else None
    return {
        "highest supply": maybe(highest, lambda value: temperature(value, 2)),
        "what the chips alone would allow": maybe(answer.chip_supply, lambda value: temperature(value, 2)),
        "recommended supply": maybe(recommended, temperature),
        "set point": maybe(answer.point.set_point, lambda value: temperature(value, 2)),
        "what ends the highest supply": maybe(
            None if answer.allowed is None else what_ends(answer, answer.allowed), str
        ),
        "every limit held": (limits_held(answer), "yes" if limits_held(answer) else "no"),
        "limits passed": maybe("; ".join(limits_passed(answer)) or None, str),
        "smallest chip margin": maybe(point["junction_margin"], lambda value: difference(value, 2)),
        "cooling power, hot day": maybe(point["cooling_power"], power),
        "IT power, hot day": maybe(point["it_power"], power),
        "work": maybe(point["work"], lambda value: f"{number(100.0 * value, 1)} %"),
        "PUE, hot day": maybe(point["pue"], lambda value: number(value, 4)),
        "PUE, year": maybe(None if year is None else year.pue, lambda value: number(value, 4)),
        "cooling energy, year": maybe(of_year("cooling_power"), energy),
        "electricity, year": maybe(of_year("facility_power"), lambda value: money(answer, value)),
        "ride-through, to the first limit": maybe(limit, duration),
    }
