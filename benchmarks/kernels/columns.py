"""Rows of equal fields as aligned columns."""

from collections.abc import Mapping, Sequence
from typing import Any


def aligned(lines: Sequence[Sequence[str]]) -> list[str]:
    """Every column as wide as its widest cell, flush right."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return ["  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]


def text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Field names above their values, three digits of a number."""

    def cell(value: Any) -> str:
        if isinstance(value, float):
            return f"{value:.3g}"
        return "-" if value is None else str(value)

    return "\n".join(aligned([list(rows[0]), *[[cell(value) for value in row.values()] for row in rows]]))
