"""Which designs of a sweep over a site hold every limit, and which of them take the least cooling.

    feasible:  converged,   g <= rounding for every limit of `voltherm.study.limit_excess`

Limits are the site's, or the design's where it moves one.
"""

import dataclasses
from collections.abc import Mapping

import numpy as np

from voltherm.numerics import ResultCode
from voltherm.site.build import parameter
from voltherm.site.sections import Site
from voltherm.study.limit_excess import LIMIT_FIGURES, LIMIT_NUMBERS, beyond_in_words, limit_excess, passed

OBJECTIVE = "cooling_power"
"""Figure by which feasible designs are ranked."""
NEEDED = ("result", OBJECTIVE, *LIMIT_FIGURES, *(f"limits.{name}" for name in LIMIT_NUMBERS))
"""Columns that a summary reads, where the table has them."""


@dataclasses.dataclass(frozen=True)
class SweepSummary:
    """Which designs (design,) converge and hold every limit, the numbers of the best of them, the best first, and how
    many converged designs break each limit, by its name. Where none holds every limit `nearest` are the designs that
    pass them least, with the limit that each passes most and by how much, in words."""

    converged: np.ndarray
    feasible: np.ndarray
    best: tuple[int, ...]
    broken: Mapping[str, int]
    nearest: tuple[tuple[int, str], ...]


def summarised(site: Site, columns: Mapping[str, np.ndarray], *, most: int = 5) -> SweepSummary:
    """The summary of a table (design,) of a sweep over `site`; at most `most` best designs."""

    def limit(name: str) -> np.ndarray:
        path = f"limits.{name}"
        return np.asarray(columns[path] if path in columns else parameter(site, path))

    converged = np.asarray(columns["result"]) == ResultCode.CONVERGED
    excess = limit_excess(limit, columns)
    beyond = passed(excess)
    broken = {name: int(np.sum(converged & each)) for name, each in beyond.items()}
    feasible = converged & ~np.any(list(beyond.values()), axis=0)
    order = np.argsort(np.where(feasible, columns[OBJECTIVE], np.inf), kind="stable")
    return SweepSummary(
        converged=converged,
        feasible=feasible,
        best=tuple(order[: min(most, int(np.sum(feasible)))].tolist()),
        broken={name: count for name, count in broken.items() if count},
        nearest=() if feasible.any() else _nearest(converged, excess, most),
    )


def _nearest(converged: np.ndarray, excess: Mapping[str, np.ndarray], most: int) -> tuple[tuple[int, str], ...]:
    names = list(excess)
    table = np.stack([np.broadcast_to(excess[name], converged.shape) for name in names])
    largest = np.where(converged, table.max(axis=0), np.inf)
    order = np.argsort(largest, kind="stable")[: min(most, int(np.sum(converged)))]
    worst = [names[int(np.argmax(table[:, design]))] for design in order]
    return tuple(
        (int(design), f"{name} by {beyond_in_words(name, float(largest[design]))}")
        for design, name in zip(order, worst, strict=True)
    )
