"""Numbers that no equipment has, refused on the host when it is built: by element name, all at once.

Inside a traced program nothing can be looked at: there shapes alone are checked, and a number that makes no sense ends
in a result code.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np

Condition = tuple[Callable[[np.ndarray], np.ndarray], str]
"""What holds for sound numbers, and the rest of a sentence about others."""

FINITE: Condition = (np.isfinite, "must be a finite number")
POSITIVE: Condition = (lambda number: (number > 0) & np.isfinite(number), "must be positive")
NOT_NEGATIVE: Condition = (lambda number: (number >= 0) & np.isfinite(number), "must not be negative")
SHARE: Condition = (lambda number: (number >= 0) & (number <= 1), "must lie between 0 and 1")
FRACTION: Condition = (lambda number: (number > 0) & (number <= 1), "must be above 0 and at most 1, as a fraction")
RATING: Condition = (lambda number: number > 0, "must be positive (infinite where there is none)")

_MOST_NAMED = 10


def values_of(array: Any) -> np.ndarray | None:
    """The numbers of an array, None where it is traced or not made of real numbers."""
    if (
        array is None
        or isinstance(array, jax.core.Tracer)
        or not isinstance(array, jax.Array | np.ndarray | float | int)
    ):
        return None
    values = np.asarray(array)
    return values if values.dtype.kind in "fiu" else None


def refuse(mistakes: Sequence[str]) -> None:
    """Raises ValueError that lists the mistakes, if there are any."""
    if not mistakes:
        return
    more = f"; and {len(mistakes) - _MOST_NAMED:,} more" if len(mistakes) > _MOST_NAMED else ""
    raise ValueError("; ".join(mistakes[:_MOST_NAMED]) + more)


def called(kind: str, names: Sequence[str], index: int | np.integer) -> str:
    """An element by its name, or by its number where it has none."""
    return f"{kind} {names[int(index)]!r}" if names else f"{kind} number {index + 1}"


def number_mistakes(
    kind: str, names: Sequence[str], arrays: Mapping[str, Any], conditions: Mapping[str, Condition]
) -> list[str]:
    """A sentence for every number that breaks its condition; `arrays` by field, one number for each element or all."""
    found = []
    for field, (holds, rest) in conditions.items():
        values = values_of(arrays[field])
        if values is None:
            continue
        for index in np.argwhere(~holds(values)):
            element = called(kind, names, int(index[-1])) if index.size else kind
            found.append(f"{element}: {field.replace('_', ' ')} {values[tuple(index)]:.6g} {rest}")
    return found


def shape_mistakes(kind: str, names: Sequence[str], arrays: Mapping[str, Any]) -> list[str]:
    """A sentence where arrays do not hold one number for each of the same elements, (n,) each."""
    shapes = {field: np.shape(array) for field, array in arrays.items()}
    count = len(names) if names else max((shape[-1] for shape in shapes.values() if shape), default=0)
    return [
        f"{kind}: {field.replace('_', ' ')} has the shape {shape} where one number for each of {count} is wanted"
        for field, shape in shapes.items()
        if shape != (count,)
    ]
