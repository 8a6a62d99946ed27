"""Outdoor coils: does what stands in them freeze in the coldest hour of the year?

    T_db,coldest >= T_freezing + margin

| symbol | meaning | unit | source |
| --- | --- | --- | --- |
| T_db,coldest | dry bulb of the coldest hour of the year | K | parametric year or EPW file |
| T_freezing | freezing point of the facility fluid, which chilled water shares | K | `voltherm.media` |

A coil in operation may stay warm, but one that stands (a pump trips, a bypass holds the set point, a coil is shut off)
takes the temperature of the air within minutes: the fluid itself has to bear it, or the coil has to drain. That is the
rule of the field, ASHRAE Handbook, HVAC Systems and Equipment (2020), chapters on condensers and on cooling coils.
"""

from collections.abc import Iterator

import numpy as np

from voltherm.media import AbstractLiquid
from voltherm.site.findings.finding import KELVINS, Finding, celsius


def outdoor_findings(
    dry_bulb: np.ndarray, liquid: AbstractLiquid, fluid: str, margin: float, loop: str, count: int
) -> Iterator[Finding]:
    """Whether `fluid` in the `count` dry coolers of a loop bears the hours of a year (hour,) [K] with `margin` [K]."""
    hours = np.asarray(dry_bulb, dtype=float)
    coldest, freezing = float(hours.min()), float(np.max(np.asarray(liquid.freezing_temperature())))
    limit = freezing + margin
    if coldest >= limit:
        return
    below = int(np.count_nonzero(hours < freezing))
    how_long = f", and {below:,} h are below that" if below else f", less than {margin:g} K above it"
    who = f"the {count:,} dry coolers of the {loop} hold" if count > 1 else f"the dry cooler of the {loop} holds"
    yield Finding(
        "freezing outdoors",
        f"dry coolers of the {loop}",
        f"dry coolers of the {loop}",
        coldest,
        limit,
        "K",
        "limit" if coldest < freezing else "practice",
        count,
        count,
        (limit - coldest) / KELVINS,
        f"{who} {fluid}, which freezes at {celsius(freezing)}: the coldest hour "
        f"of the year has {celsius(coldest)}{how_long}: use more glycol, or coils that drain when they stand",
    )
