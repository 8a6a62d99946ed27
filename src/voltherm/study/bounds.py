"""Physical bounds that no answer may break, checked on every point and every year of one.

    E_facility > E_it,   0 <= E_reused <= E_facility,   water evaporated <= what the heat rejected can evaporate

The bounds are those of `voltherm.site.indicators`. A closed loop reuses and evaporates nothing, so that the first is
the one that can break: where it does, a power is counted twice or not at all, and the answer is not to be used.
"""

from collections.abc import Iterator

import numpy as np

from voltherm.numerics import ResultCode
from voltherm.site import indicators
from voltherm.site.year import Response
from voltherm.study.answer import Answer


def broken_bounds(answer: Answer) -> tuple[str, ...]:
    """One sentence for every bound that a period of the answer breaks, with the period; empty where all hold.

    Periods: the hot day at the set point and at the highest supply, every ambient of both responses that has a steady
    state, and the years.
    """
    return tuple(
        f"{period}: {sentence}"
        for period, facility, it_load in _periods(answer)
        for sentence in indicators.broken_bounds(facility, it_load)
    )


def _periods(answer: Answer) -> Iterator[tuple[str, float, float]]:
    """Name, energy or power through the facility's boundary, and that of the IT load."""
    for name, point in (("at the set point", answer.point), ("at the highest supply", answer.allowed)):
        if point is not None:
            yield f"hot day {name}", point.figures["facility_power"], point.figures["it_power"]
    for name, year in (("at the set point", answer.year), ("at the highest supply", answer.allowed_year)):
        if year is not None:
            yield f"year {name}", year.energy["facility_power"], year.energy["it_power"]
    for name, curve in (("at the set point", answer.curve), ("at the highest supply", answer.allowed_curve)):
        tightest = _tightest(curve)
        if tightest is not None:
            where = f"{curve.dry_bulb[tightest] - 273.15:.1f} °C outside {name}"
            facility, it_load = (curve.figures[figure][tightest] for figure in ("facility_power", "it_power"))
            yield where, float(facility), float(it_load)


def _tightest(curve: Response) -> int | None:
    """The solved ambient with the least overhead; one that was solved and is not a number comes first."""
    solved = np.flatnonzero(curve.result == ResultCode.CONVERGED)
    if solved.size == 0:
        return None
    overhead = np.nan_to_num(curve.figures["facility_power"] / curve.figures["it_power"], nan=-np.inf)
    return int(solved[np.argmin(overhead[solved])])
