"""Which designs of a sweep over a site hold every limit, and which of them take the least cooling.

    feasible:  converged,   margins of chips, memory, racks' air and supply >= 0,   voltages and loadings within limits

The figures are those of `voltherm.site.outputs`; limits are the site's, or the design's where it moves one.
"""

import dataclasses
from collections.abc import Mapping

import numpy as np

from voltherm.numerics import ResultCode
from voltherm.site.build import parameter
from voltherm.site.sections import Site

_MARGINS = ("junction_margin", "memory_margin", "inlet_margin", "supply_margin")
_ROUNDED = 1e-6  # K, and shares: what a limit that binds may miss by
OBJECTIVE = "cooling_power"
"""Figure by which feasible designs are ranked."""
_LIMITS = {
    "limits.voltage_minimum": ("lowest_voltage",),
    "limits.voltage_maximum": ("highest_voltage",),
    "limits.loading_maximum": ("transformer_loading", "feeder_loading"),
}
NEEDED = ("result", OBJECTIVE, *_MARGINS, *(name for names in _LIMITS.values() for name in names), *_LIMITS)
"""Columns that a summary reads, where the table has them."""


@dataclasses.dataclass(frozen=True)
class SweepSummary:
    """Counts of a sweep, the numbers of its best feasible designs, the best first, and why others are not.

    `broken`: how many converged designs break each limit, by the name of its figure; `holding`: which designs (design,)
    hold every one.
    """

    designs: int
    converged: int
    feasible: int
    best: tuple[int, ...]
    broken: Mapping[str, int]
    holding: np.ndarray


def summarised(site: Site, columns: Mapping[str, np.ndarray], *, most: int = 5) -> SweepSummary:
    """The summary of a table (design,) of a sweep over `site`; at most `most` best designs."""

    def limit(path: str) -> np.ndarray:
        return np.asarray(columns[path] if path in columns else float(parameter(site, path)))

    converged = np.asarray(columns["result"]) == ResultCode.CONVERGED
    left = {name: np.asarray(columns[name]) for name in _MARGINS}
    left["lowest_voltage"] = columns["lowest_voltage"] - limit("limits.voltage_minimum")
    left["highest_voltage"] = limit("limits.voltage_maximum") - columns["highest_voltage"]
    for name in ("transformer_loading", "feeder_loading"):
        left[name] = limit("limits.loading_maximum") - columns[name]
    held = {name: margin >= -_ROUNDED for name, margin in left.items()}
    feasible = converged & np.all(list(held.values()), axis=0)
    order = np.argsort(np.where(feasible, columns[OBJECTIVE], np.inf), kind="stable")
    return SweepSummary(
        designs=len(converged),
        converged=int(np.sum(converged)),
        feasible=int(np.sum(feasible)),
        best=tuple(int(design) for design in order[: min(most, int(np.sum(feasible)))]),
        broken={name: int(np.sum(converged & ~each)) for name, each in held.items() if np.any(converged & ~each)},
        holding=feasible,
    )
