"""The record of the kernels as a table: for the terminal, and in Markdown for `benchmarks/README.md`.

python -m benchmarks.kernels.table [--record benchmarks/out/kernels.json] [--into benchmarks/README.md]
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from benchmarks.kernels import columns
from benchmarks.kernels.cases import Case, named
from benchmarks.kernels.row import Row, read

BEGIN, END = "<!-- kernels.json -->", "<!-- end of kernels.json -->"
RECORD = Path(__file__).parents[1] / "out" / "kernels.json"
TITLES = (
    "case",
    "batch",
    "by",
    "us",
    "goal",
    "peer",
    "its us",
    "ratio",
    "goal",
    "cpu ratio",
    "gradient",
    "cpu gradient",
    "all",
    "iterations",
    "residual",
    "difference",
    "compile s",
    "peak MB",
)


_VERSIONS = ("python", "jax", "lightsim2grid", "wntr", "voltherm")


def number(value: float | None, digits: int = 3) -> str:
    """Three digits; a dash where nothing was measured."""
    if value is None:
        return "-"
    return f"{value:.{digits}g}" if abs(value) < 1000.0 else f"{value:,.0f}"


def cells(row: Row) -> list[str]:
    """A row as text, in the order of TITLES."""
    case: Case = named(row.case)
    return [
        row.case,
        str(row.batch),
        row.implementation,
        number(row.us_per_scenario),
        number(case.goal_us),
        row.peer or "-",
        number(row.peer_us_per_scenario),
        number(row.ratio),
        number(case.goal_ratio),
        number(row.processor_ratio),
        number(row.gradient_ratio),
        number(row.gradient_processor_ratio),
        number(row.gradient_ratio_all),
        number(row.iterations),
        "-" if row.residual is None else f"{row.residual:.0e}",
        "-" if row.agreement is None else f"{row.agreement:.0e}",
        number(row.compile_s),
        number(row.peak_mb),
    ]


def aligned(rows: Sequence[Row]) -> str:
    """Columns of one width, notes below the row they belong to."""
    lines = []
    for line, row in zip(columns.aligned([TITLES, *map(cells, rows)]), [None, *rows], strict=True):
        lines.append(line)
        if row is not None and row.note:
            lines.append(f"    {row.note}")
    return "\n".join(lines)


def markdown(rows: Sequence[Row], machine: dict[str, object]) -> str:
    """Date, machine, versions and the table."""
    dates = sorted({row.when[:10] for row in rows})
    versions = ", ".join(f"{name} {machine[name]}" for name in _VERSIONS if machine.get(name))
    load = machine.get("load")
    busy = "" if not isinstance(load, float) else f"; load {load:.1f}, this benchmark included"
    lines = [
        f"{' to '.join(dict.fromkeys([dates[0], dates[-1]]))}; two cores of an {machine.get('processor')}; {versions}"
        f" ({machine.get('commit')}), float64{busy}.",
        "",
        f"| {' | '.join(TITLES)} |",
        f"| {' | '.join(['---'] * len(TITLES))} |",
        *[f"| {' | '.join(cells(row))} |" for row in rows],
    ]
    notes = [f"- {row.case}, {row.implementation}: {row.note}" for row in rows if row.note]
    return "\n".join(lines + ([""] if notes else []) + notes)


def inserted(document: str, table: str) -> str:
    """The document with the table between its two marks, in the place of what is there. ValueError without marks."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the document has no {BEGIN} with {END} behind it")
    return f"{before}{begin}\n{table}\n{end}{after}"


def machine_file(record: Path) -> Path:
    """Where the machine of a record is kept."""
    return record.with_suffix(".machine.json")


def main(arguments: list[str] | None = None) -> None:
    """Print Markdown, or write it into a document."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kernels.table", description=__doc__)
    parser.add_argument("--record", type=Path, default=RECORD)
    parser.add_argument("--into", type=Path, metavar="DOCUMENT", help="write the table between the document's marks")
    chosen = parser.parse_args(arguments)
    rows = read(chosen.record)
    if not rows:
        parser.error(f"no record in {chosen.record}: make bench-kernels writes it")
    made = markdown(rows, json.loads(machine_file(chosen.record).read_text(encoding="utf-8")))
    if chosen.into is None:
        print(made)
    else:
        document = chosen.into.read_text(encoding="utf-8")
        chosen.into.write_text(inserted(document, made), encoding="utf-8")


if __name__ == "__main__":
    main()
