"""One thing that is outside its range in a solved site, and how equal elements are told together."""

import dataclasses
from collections.abc import Callable

import numpy as np
from jaxtyping import Array

Values = Array | np.ndarray
"""States come from a solve, or from a file."""
KELVINS = 10.0
"""Kelvins beyond a limit that count as an excess of 1."""
ROUNDING = {"K": 1e-3, "1": 1e-4}
"""By how much less than nothing may be left of a limit that holds, by its unit: searches and solves end so near."""
SEVERITIES = ("unphysical", "limit", "practice")
"""From the worst: no such state exists; a limit of a maker or a material is passed; outside what is recommended."""


@dataclasses.dataclass(frozen=True)
class Finding:
    """One law, stream or machine outside its range.

    - `kind`: of the rule, such as "pump flow"; `subject`: what it judges, such as "CDU pumps"
    - `element`: the worst of them by name; `count` of `total` of them are outside
    - `value`, `limit`: of that one, in `unit` (SI)
    - `severity`: one of `SEVERITIES`
    - `excess`: how far beyond, dimensionless: what orders findings of one severity
    - `sentence`: all of it, in the user's units
    """

    kind: str
    subject: str
    element: str
    value: float
    limit: float
    unit: str
    severity: str
    count: int
    total: int
    excess: float
    sentence: str

    @property
    def rank(self) -> tuple[int, float]:
        """Sorts the worst first."""
        return SEVERITIES.index(self.severity), -self.excess


@dataclasses.dataclass(frozen=True)
class Elements:
    """Equal elements by position in arrays over them: the words for one and for several, and the name of each."""

    one: str
    several: str
    name: Callable[[tuple[int, ...]], str]


@dataclasses.dataclass(frozen=True)
class Group:
    """Those of equal elements that are outside: how many, and the worst by position and name."""

    elements: Elements
    count: int
    total: int
    worst: tuple[int, ...]

    @property
    def element(self) -> str:
        """Name of the worst."""
        return self.elements.name(self.worst)

    @property
    def counted(self) -> str:
        """How many of them: "all 64 CDU pumps"."""
        if self.total == 1:
            return self.elements.one
        if self.count == 1:
            return f"one of {self.total:,} {self.elements.several} ({self.element})"
        return f"{'all' if self.count == self.total else f'{self.count:,} of'} {self.total:,} {self.elements.several}"

    def said(self, verb: str, verb_of_several: str) -> str:
        """The group as the subject of a sentence, with its verb."""
        return f"{self.counted} {verb if self.count == 1 else verb_of_several}"

    @property
    def remark(self) -> str:
        """The worst in brackets, where the subject does not name it."""
        return f" (worst {self.element})" if self.count > 1 else ""


def outside(beyond: Values, badness: Values, elements: Elements) -> Group | None:
    """The elements where `beyond` holds, the worst being that of the largest `badness`; None where none is."""
    beyond = np.asarray(beyond)
    if not beyond.any():
        return None
    ranked = np.where(beyond, np.asarray(badness), -np.inf)
    worst = np.unravel_index(int(np.argmax(ranked)), ranked.shape)
    return Group(elements, int(np.count_nonzero(beyond)), beyond.size, tuple(int(index) for index in worst))


def celsius(kelvin: float) -> str:
    """A temperature in °C."""
    return f"{kelvin - 273.15:.1f} °C"
