"""The summary on a terminal, drawn with rich."""

import dataclasses
from typing import TYPE_CHECKING

from voltherm.formats.errors import shown
from voltherm.report.summary import Section, summary
from voltherm.study.answer import Answer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


def print_summary(answer: Answer, console: "Console", *, details: bool = False) -> None:
    """Prints the summary of `answer`; with `details` also the months and the wall times of every stage."""
    for section in summary(answer):
        if section.detail and not details:
            continue
        console.print(table(section if details else shortened(section)))
        console.print()


def shortened(section: Section) -> Section:
    """The section with as many rows as a terminal shows, and how many more there are."""
    more = len(section.rows) - (section.most or len(section.rows))
    if more <= 0:
        return section
    note = f"And {more} more in the report. {section.note}"
    return dataclasses.replace(section, rows=section.rows[: section.most], note=note)


def table(section: Section) -> "Table":
    """One section as a table of rich; names from a configuration are shown as they are, never read as markup."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    drawn = Table(
        title=Text(shown(section.title), style="bold"),
        caption=Text(shown(section.note), style="dim") if section.note else None,
        title_justify="left",
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        show_header=any(section.header),
    )
    for index, name in enumerate(section.header):
        drawn.add_column(
            Text(shown(name)), justify="left" if index == 0 or index in section.words else "right", overflow="fold"
        )
    for index, row in enumerate(section.rows):
        drawn.add_row(*(Text(shown(cell)) for cell in row), style="bold" if index in section.emphasis else None)
    return drawn
