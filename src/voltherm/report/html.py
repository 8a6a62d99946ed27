"""The report: one HTML file that opens offline, with every figure inside it.

Nothing is loaded from anywhere: styles and drawings are in the file, there is no script, and every text that comes from
a configuration is escaped. The file is written beside its final name and renamed: one with its final name is whole.
"""

import dataclasses
import datetime
import os
from pathlib import Path
from typing import Any

from voltherm import __version__
from voltherm.report.configuration import meaning, written
from voltherm.report.figures_balance import balance_figure
from voltherm.report.figures_hall import hall_caption, hall_figure
from voltherm.report.figures_loop import loop_caption, loop_figure
from voltherm.report.figures_one_line import one_line_caption, one_line_figure
from voltherm.report.figures_response import response_caption, response_figure
from voltherm.report.figures_ride_through import ride_through_caption, ride_through_figure
from voltherm.report.figures_sensitivity import sensitivity_figure
from voltherm.report.figures_year import year_caption, year_figure
from voltherm.report.limits import headline_sentence, set_point_sentence
from voltherm.report.scope import ASSUMPTIONS, NOT_MODELLED, SOURCES
from voltherm.report.summary import Section, pue_label, summary
from voltherm.report.tables import tables
from voltherm.report.tiles import tiles
from voltherm.study.answer import Answer
from voltherm.study.bounds import broken_bounds
from voltherm.study.verdict import unphysical

FILE_NAME = "report.html"


class MissingExtra(ImportError):  # noqa: N818  says what is missing, where "error" would say nothing
    """matplotlib or jinja2 is not installed: a report needs both."""


@dataclasses.dataclass(frozen=True)
class Chapter:
    """One chapter of the page: figures with captions, then sections of the summary."""

    key: str
    title: str
    figures: tuple[tuple[str, str], ...] = ()
    sections: tuple[Section, ...] = ()


def write(
    answer: Answer,
    folder: str | Path,
    *,
    configuration_text: str = "",
    command: str = "",
    date: datetime.date | None = None,
) -> Path:
    """Writes `report.html` into `folder`, which is made where it is missing.

    **Arguments**: `configuration_text`: the case as it was written, shown as it stands; `command`: what was typed;
    `date`: of the report, today where none is given.

    **Returns**: the path of the file.

    **Raises**: `MissingExtra` where matplotlib or jinja2 is not installed; `OSError` where the disk refuses.
    """
    text = page(answer, configuration_text=configuration_text, command=command, date=date)
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    target = place / FILE_NAME
    part = place / f"{FILE_NAME}.part"
    try:
        with part.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return target


def page(answer: Answer, *, configuration_text: str = "", command: str = "", date: datetime.date | None = None) -> str:
    """The report as text. **Raises** `MissingExtra` where matplotlib or jinja2 is not installed."""
    try:
        import jinja2
        import matplotlib  # noqa: F401  found missing here, in one sentence, and not in the middle of a figure
    except ImportError as error:
        raise MissingExtra(
            f"the report needs matplotlib and jinja2, and {error.name} is not installed: pip install 'voltherm[report]'"
        ) from error
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("voltherm.report", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template("report.html.j2").render(
        **_content(answer), configuration_text=configuration_text, command=command, date=(date or datetime.date.today())
    )


def _content(answer: Answer) -> dict[str, Any]:
    sections = {section.key: section for section in summary(answer)}
    site = answer.site
    return {
        "name": site.name,
        "version": __version__,
        "broken_bounds": (*broken_bounds(answer), *unphysical(answer)),
        "headline": headline_sentence(answer),
        "set_point": set_point_sentence(answer),
        "tiles": tiles(answer),
        "counts": _counts(answer),
        "answer": sections["answer"],
        "chapters": _chapters(answer, sections),
        "tables": tables(answer),
        "written": written(site),
        "assumptions": ASSUMPTIONS,
        "not_modelled": NOT_MODELLED,
        "sources": SOURCES,
        "pue_label": pue_label(answer, interim=False),
    }


def _counts(answer: Answer) -> str:
    building = answer.site.building
    racks = building.count * building.racks
    rack = answer.site.rack
    gpus = racks * rack.compute_trays * rack.gpu.per_tray
    buildings = "one building" if building.count == 1 else f"{building.count} buildings"
    return f"{buildings}, {racks:,} racks {rack.name}, {gpus:,} GPUs, {building.count * building.rows:,} CDUs"


def _with_meanings(section: Section) -> Section:
    """The sensitivities with what every number means, for which a terminal has no room."""
    rows = tuple((path, meaning(path), *rest) for path, *rest in section.rows)
    return dataclasses.replace(
        section, header=(section.header[0], "meaning", *section.header[1:]), rows=rows, words=frozenset((1,))
    )


def _year(answer: Answer, sections: dict[str, Section]) -> list[Chapter]:
    """The year, where the answer has one."""
    if answer.year is None:
        return []
    figure = year_figure(answer, answer.year), year_caption(answer, answer.year)
    return [Chapter("year", "The year", (figure,), (sections["year"], sections["months"]))]


def _chapters(answer: Answer, sections: dict[str, Section]) -> list[Chapter]:
    point = answer.point
    return [
        Chapter("findings", "Outside their range", (), (sections["findings"],)),
        Chapter(
            "ambient",
            "Supply temperature and cooling power against ambient",
            ((response_figure(answer), response_caption(answer)),),
        ),
        Chapter(
            "hot-day",
            "The hot day",
            (),
            (sections["temperatures"], sections["powers"]),
        ),
        Chapter("halls", "The halls", ((hall_figure(answer, point), hall_caption(answer, point)),)),
        Chapter(
            "loop",
            "The loop",
            ((loop_figure(answer, point), loop_caption(answer, point)),),
        ),
        Chapter(
            "one-line",
            "The network",
            ((one_line_figure(answer, point), one_line_caption(answer, point)),),
            (sections["network"],),
        ),
        Chapter("limits", "Limits and equipment", (), (sections["limits"], sections["equipment"])),
        Chapter(
            "sensitivities",
            "Uncertainty and sensitivities",
            ((sensitivity_figure(answer), ""),),
            (
                *(sections[key] for key in ("uncertainty",) if key in sections),
                *(_with_meanings(sections[key]) for key in ("tolerances", "sensitivities") if key in sections),
            ),
        ),
        Chapter(
            "balances",
            "Balances",
            (
                (
                    balance_figure(answer, point),
                    "Every band is as wide as its power, on the hot day at the set point. Uses stand on the left, and "
                    "the routes by which their heat leaves the site on the right.",
                ),
            ),
            (sections["balances"],),
        ),
        *_year(answer, sections),
        Chapter(
            "ride-through",
            "Ride-through",
            ((ride_through_figure(answer), ride_through_caption(answer)),),
            (sections["ride-through"],),
        ),
    ]
