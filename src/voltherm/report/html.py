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
from voltherm.report.quantities import temperature
from voltherm.report.scope import ASSUMPTIONS, NOT_MODELLED, SOURCES
from voltherm.report.sections_answer import front_section, pue_label
from voltherm.report.summary import Section, summary
from voltherm.report.tables import tables
from voltherm.report.tiles import tiles
from voltherm.study.answer import Answer
from voltherm.study.bounds import broken_bounds
from voltherm.study.verdict import unphysical

FILE_NAME = "report.html"
_FIRST_LIMITS = 5
_HOT_DAY = ("answer", "temperatures", "powers", "network", "limits", "equipment")


@dataclasses.dataclass(frozen=True)
class Cover:
    """What the head of a page says of its making; what is empty is left out.

    `command`: what was typed; `client`, `revision`, `author`: as given; `weather`: file of the hours, where the year is
    not the case's own; `date`: of the report, today where none is given.
    """

    command: str = ""
    client: str = ""
    revision: str = ""
    author: str = ""
    weather: str = ""
    date: datetime.date | None = None

    def lines(self, answer: Answer) -> list[tuple[str, str]]:
        """Names and texts of the block at the head."""
        place = answer.site.climate.place
        given = f"hours of {self.weather}" if self.weather else f"parametric year; {place}"
        day = f"{temperature(float(answer.site.climate.dry_bulb))} on the hot day"
        texts = (
            ("Client", self.client),
            ("Revision", self.revision),
            ("Prepared by", self.author),
            ("Date", (self.date or datetime.date.today()).isoformat()),
            ("Weather", f"{given}; {day}"),
            ("Made by", f"voltherm {__version__}"),
        )
        return [(name, text) for name, text in texts if text]


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
    cover: Cover | None = None,
) -> Path:
    """Writes `report.html` into `folder`, which is made where it is missing.

    **Arguments**: `configuration_text`: the case as it was written, shown as it stands; `cover`: what the head says of
    its making.

    **Returns**: the path of the file.

    **Raises**: `MissingExtra` where matplotlib or jinja2 is not installed; `OSError` where the disk refuses.
    """
    text = page(answer, configuration_text=configuration_text, cover=cover)
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


def page(answer: Answer, *, configuration_text: str = "", cover: Cover | None = None) -> str:
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
        **_content(answer, cover or Cover()), configuration_text=configuration_text
    )


def _content(answer: Answer, cover: Cover) -> dict[str, Any]:
    sections = {section.key: section for section in summary(answer)}
    site = answer.site
    return {
        "name": site.name,
        "version": __version__,
        "cover": cover.lines(answer),
        "command": cover.command,
        "broken_bounds": (*broken_bounds(answer), *unphysical(answer)),
        "headline": headline_sentence(answer),
        "set_point": set_point_sentence(answer),
        "tiles": tiles(answer),
        "counts": _counts(answer),
        "answer": front_section(answer),
        "chapters": _chapters(answer, sections),
        "appendix": _appendix(answer, sections),
        "tables": tables(answer),
        "written": written(site),
        "assumptions": ASSUMPTIONS,
        "not_modelled": NOT_MODELLED,
        "sources": SOURCES,
        "pue_label": pue_label(answer, interim=False),
    }


def _tightest(section: Section) -> Section:
    """The limits that come first, and all that are passed; the appendix holds the others."""
    count = max(_FIRST_LIMITS, 1 + max(section.alarming, default=0))
    return dataclasses.replace(section, rows=section.rows[:count])


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


def _bands(sections: dict[str, Section]) -> tuple[Section, ...]:
    """The figures with their bands, where numbers have tolerances."""
    return (sections["uncertainty"],) if "uncertainty" in sections else ()


def _year(answer: Answer) -> list[Chapter]:
    """The year, where the answer has one."""
    if answer.year is None:
        return []
    figure = year_figure(answer, answer.year), year_caption(answer, answer.year)
    return [Chapter("year", "The year", (figure,))]


def _chapters(answer: Answer, sections: dict[str, Section]) -> list[Chapter]:
    """What everyone reads: findings, drawings, limits, bands."""
    point = answer.point
    bands = tuple(dataclasses.replace(each, note="") for each in _bands(sections))
    return [
        Chapter("findings", "Outside their range", (), (sections["findings"],)),
        Chapter(
            "ambient",
            "Supply temperature and cooling power against ambient",
            ((response_figure(answer), response_caption(answer)),),
        ),
        Chapter("limits", "Limits", (), (_tightest(sections["limits"]),)),
        Chapter("halls", "The halls", ((hall_figure(answer, point), hall_caption(answer, point)),)),
        Chapter("loop", "The loop", ((loop_figure(answer, point), loop_caption(answer, point)),)),
        Chapter("one-line", "The network", ((one_line_figure(answer, point), one_line_caption(answer, point)),)),
        Chapter("sensitivities", "Uncertainty and sensitivities", ((sensitivity_figure(answer), ""),), bands),
        *_year(answer),
        Chapter("ride-through", "Ride-through", ((ride_through_figure(answer), ride_through_caption(answer)),)),
    ]


def _appendix(answer: Answer, sections: dict[str, Section]) -> list[Chapter]:
    """What is looked up: the numbers behind every chapter, and the residuals."""
    moved = tuple(_with_meanings(sections[key]) for key in ("tolerances", "sensitivities") if key in sections)
    year = [] if answer.year is None else [sections["year"], sections["months"]]
    balance = (
        balance_figure(answer, answer.point),
        "Every band is as wide as its power, on the hot day at the set point. Uses stand on the left, and the routes "
        "by which their heat leaves the site on the right.",
    )
    return [
        Chapter("hot-day", "The hot day", (), tuple(sections[key] for key in _HOT_DAY)),
        Chapter("numbers", "Uncertainty, and what moves the margin", (), (*_bands(sections), *moved)),
        *([Chapter("year-numbers", "The year in numbers", (), tuple(year))] if year else []),
        Chapter("ride-through-numbers", "Ride-through in numbers", (), (sections["ride-through"],)),
        Chapter("balances", "Balances", (balance,), (sections["balances"],)),
    ]
