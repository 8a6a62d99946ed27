"""Rooms: does anything cold sweat, and is the air behind the racks one that cables bear?

    T_surface >= T_dew + margin,   T_back <= return_air_maximum

| symbol | meaning | unit | source |
| --- | --- | --- | --- |
| T_surface | coolant supplied to racks, facility water at the CDUs, chilled water at the coils | K | solved |
| T_back | air from the racks back to the air handlers | K | solved |
| T_dew | dew point of the rooms' air (`air.dew_point`) | K | configuration |

Bare metal takes the temperature of what flows in it. Margin of 2 K: ASHRAE TC 9.9, Liquid cooling guidelines for
datacom equipment centers (2nd ed., 2014). Below the dew point coils are wet, and the law of the air handlers, which
counts sensible heat only, no longer holds. Behind the racks: data cables are rated for 60 °C (ANSI/TIA-568.2-D); above
100 °C the law of the air (`voltherm.media.dry_air`) has no data, and no such room exists.
"""

from collections.abc import Iterator

import numpy as np

from voltherm.site.findings.finding import KELVINS, Elements, Finding, Values, celsius, outside
from voltherm.site.sections import Site

_DRY_AIR = 373.15
"""K: end of the data behind the properties of the air."""


def return_air_findings(site: Site, temperature: Values, elements: Elements) -> Iterator[Finding]:
    """Air behind the racks [K], (building,), that is warmer than what stands there bears."""
    hot, most = np.asarray(temperature), float(site.limits.return_air_maximum)
    group = outside(hot > most, hot, elements)
    if group is None:
        return
    value = float(hot[group.worst])
    yield Finding(
        "return air",
        elements.several,
        group.element,
        value,
        most,
        "K",
        "unphysical" if value > _DRY_AIR else "limit",
        group.count,
        group.total,
        (value - most) / KELVINS,
        f"{group.said('is', 'are')} {celsius(value)}{group.remark}, above the {celsius(most)} that is allowed "
        "there: the racks' air flow carries too little of their heat",
    )


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
