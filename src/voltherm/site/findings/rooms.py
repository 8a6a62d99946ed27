"""Rooms: does anything cold sweat?

    T_surface >= T_dew + margin

| symbol | meaning | unit | source |
| --- | --- | --- | --- |
| T_surface | coolant supplied to racks, facility water at the CDUs, chilled water at the coils | K | solved |
| T_dew | dew point of the rooms' air (`air.dew_point`) | K | configuration |

Bare metal takes the temperature of what flows in it. Margin of 2 K: ASHRAE TC 9.9, Liquid cooling guidelines for
datacom equipment centers (2nd ed., 2014). Below the dew point coils are wet, and the law of the air handlers, which
counts sensible heat only, no longer holds.
"""

from collections.abc import Iterator

import numpy as np

from voltherm.site.findings.finding import KELVINS, Elements, Finding, Values, celsius, outside
from voltherm.site.sections import Site


def dew_findings(site: Site, temperature: Values, elements: Elements) -> Iterator[Finding]:
    """Streams of one kind [K] that are colder than the dew point and its margin allow."""
    dew, margin = float(site.air.dew_point), float(site.limits.dew_point_margin)
    cold = np.asarray(temperature)
    group = outside(cold < dew + margin, -cold, elements)
    if group is None:
        return
    value = float(cold[group.worst])
    what = "below" if value < dew else f"less than {margin:g} K above"
    yield Finding(
        "dew point",
        elements.several,
        group.element,
        value,
        dew + margin,
        "K",
        "limit" if value < dew else "practice",
        group.count,
        group.total,
        (dew + margin - value) / KELVINS,
        f"{group.said('is', 'are')} {celsius(value)}{group.remark}, {what} the rooms' dew point of {celsius(dew)}: "
        "water condenses on what is not insulated",
    )
