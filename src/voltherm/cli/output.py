"""What commands print: results on stdout, everything else on stderr."""

import contextlib
import dataclasses
import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voltherm.formats.errors import shown

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_WIDE = 1000
"""Columns of a table that is read by a program."""

Report = Callable[[str, int, int], None]
"""report(stage, done, all)."""


def problem_console() -> "Console":
    """The console on stderr; what is printed is never read as markup."""
    from rich.console import Console

    return Console(stderr=True, markup=False, highlight=False, emoji=False)


def result_console(*, whole_lines: bool = False) -> "Console":
    """The console on stdout; with `whole_lines` nothing is folded outside a terminal, so that lines can be searched."""
    from rich.console import Console

    console = Console(markup=False, highlight=False, emoji=False)
    if whole_lines and not console.is_terminal:
        console.width = _WIDE
    return console


def plain(value: Any) -> Any:
    """A value as JSON knows it: arrays as lists, numbers that are not finite as null, dataclasses as mappings."""
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, IntEnum):
        return value.name
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key.name if isinstance(key, IntEnum) else key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def print_json(value: Any) -> None:
    """Print a value as JSON on stdout; what a terminal would obey is escaped."""
    text = json.dumps(plain(value), indent=2, ensure_ascii=False)
    if shown(text, len(text)) != text:
        text = json.dumps(plain(value), indent=2)
    sys.stdout.write(text + "\n")


def simple_table(title: str, header: tuple[str, ...], rows: Sequence[tuple[str, ...]], left: int = 1) -> "Table":
    """A table of plain text, its first `left` columns to the left."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(shown(title), style="bold"), title_justify="left", box=box.SIMPLE_HEAD)
    for index, name in enumerate(header):
        table.add_column(Text(shown(name)), justify="left" if index < left else "right", overflow="fold")
    for row in rows:
        table.add_row(*(Text(shown(cell)) for cell in row))
    return table


@contextlib.contextmanager
def progress() -> Iterator[Report]:
    """Progress on stderr: a bar a stage on a terminal, a line a finished stage elsewhere."""
    console = problem_console()
    if not console.is_terminal:
        yield lambda stage, done, count: console.print(f"{stage}: {count}") if done >= count > 1 else None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        tasks: dict[str, Any] = {}

        def report(stage: str, done: int, count: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=count)
            bars.update(tasks[stage], completed=done, total=count)

        yield report
