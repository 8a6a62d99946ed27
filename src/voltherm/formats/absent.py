"""What users ask for that no case can say yet: named as absent, and not answered as a slip of spelling."""

import re

_ABSENT = (
    (
        r"(cooling_)?towers?|wet_?bulb|evaporation|evaporative|adiabatic|humidity|drift|blow_?down",
        "cooling towers, wet bulbs and evaporation are not modelled: dry coolers and chillers reject the heat at the "
        "dry bulb",
    ),
    (
        r"redundancy|redundant|n_?plus_?\d?|n\+\d?|2n|stand_?by|spares?|outages?|failed|maintenance",
        "redundancy and outages of single units are not modelled: 'count' is how many machines work together, and a "
        "second case says how the site fares with one less",
    ),
    (
        r"^(racks|buildings)$|(rack|row|hall|building)_(types?|kinds?)|mixed",
        "racks, rows, halls and buildings of several kinds in one case are not modelled: all of a kind are alike, and "
        "how many there are is said in 'building'",
    ),
    (
        r"rear_?doors?|immersion|immersed|sidecars?",
        "rear-door coils and immersion tanks are not modelled in a site yet",
    ),
    (
        r"batter(y|ies)|generators?|gensets?|diesel|solar|wind_(power|turbines?|farm)|photovoltaics?|pv",
        "batteries, generators and renewable sources are not modelled: the utility feeds the site",
    ),
    (
        r"absorption|adsorption|heat_?pumps?|heat_?recovery|(heat_)?reuse",
        "heat recovery and sorption machines are not modelled",
    ),
)
"""Words of keys and values, and what is told of them."""


def absent(text: str) -> str | None:
    """What is not modelled, where a key or a value asks for it in words of their own."""
    plain = re.sub(r"[\s-]+", "_", text.strip().casefold())
    words = ((rf"(?<![a-z0-9])({pattern})(?![a-z0-9])", message) for pattern, message in _ABSENT)
    return next((message for pattern, message in words if re.search(pattern, plain)), None)
