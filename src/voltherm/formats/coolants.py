"""Names of coolants in configurations, checked without the fluid tables, which need jax.

Freezing points are those of `voltherm.media` for inhibited mixtures by volume, at every tenth; mixtures by mass freeze
within 2 K of the same lines, near enough to refuse a set point.
"""

import difflib
import re

_PATTERN = re.compile(r"(propylene|ethylene) glycol (\d+(?:\.\d+)?) ?%(vol|mass)")
_EXAMPLES = ["water", "propylene glycol 25 %vol", "ethylene glycol 30 %vol", "propylene glycol 25 %mass"]
_FRACTIONS = (0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0)
_FREEZING = {
    "propylene": (0.0, -3.3, -7.4, -13.1, -21.5, -33.7, -51.1),
    "ethylene": (0.0, -4.0, -9.0, -15.7, -24.8, -37.1, -52.0),
}


def coolant_problem(name: str) -> str:
    """What is wrong with the name of a coolant, and what would be right; empty where nothing is."""
    if name == "water":
        return ""
    match = _PATTERN.fullmatch(name)
    if match is None:
        near = difflib.get_close_matches(name.casefold(), _EXAMPLES, n=1, cutoff=0.5)
        hint = f"did you mean '{near[0]}'?" if near else f"write {', '.join(repr(each) for each in _EXAMPLES[:3])}"
        return f"fluid '{name}' is not known: {hint}"
    least = 10.0 if match.group(3) == "vol" else 0.0
    if not least <= float(match.group(2)) <= 60.0:
        return f"'{name}' is outside the fluid tables, which hold {least:g} to 60 %{match.group(3)}"
    return ""


def freezing_temperature(name: str) -> float:
    """Freezing point [K] of a coolant whose name is right, to a few kelvin."""
    match = _PATTERN.fullmatch(name)
    if match is None:
        return 273.15
    percent, line = float(match.group(2)), _FREEZING[match.group(1)]
    after = next(number for number, fraction in enumerate(_FRACTIONS) if fraction >= percent)
    if after == 0:
        return 273.15
    low, high = _FRACTIONS[after - 1], _FRACTIONS[after]
    return 273.15 + line[after - 1] + (line[after] - line[after - 1]) * (percent - low) / (high - low)
