"""A table of the summary as plain data."""

import dataclasses

Row = tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Section:
    """One table: `rows` of cells under `header`, with a sentence below. `emphasis`: rows to be looked at;
    `alarming`: rows that say what must not be.

    `detail`: too long for a terminal that was not asked for it, as are rows beyond `most`; `words`: columns of names,
    set to the left.
    """

    key: str
    title: str
    header: Row
    rows: tuple[Row, ...]
    note: str = ""
    emphasis: frozenset[int] = frozenset()
    detail: bool = False
    most: int | None = None
    words: frozenset[int] = frozenset()
    alarming: frozenset[int] = frozenset()
