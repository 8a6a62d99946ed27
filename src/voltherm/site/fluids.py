"""Coolants of a site by the names a configuration gives them, such as ``propylene glycol 25 %vol`` or ``water``."""

import re

from voltherm.media import AbstractLiquid, liquid

_PATTERN = re.compile(r"(propylene|ethylene) glycol (\d+(?:\.\d+)?) ?%(vol|mass)")


def liquid_named(name: str) -> AbstractLiquid:
    """The liquid of that name. **Raises** `ValueError` with the accepted forms for any other name."""
    if name == "water":
        return liquid("water")
    match = _PATTERN.fullmatch(name)
    if match is None:
        raise ValueError(
            f"fluid '{name}' is not known; write 'water', or 'propylene glycol 25 %vol', 'ethylene glycol 30 %mass'"
        )
    solute, percent, basis = match.groups()
    return liquid(f"{solute}_glycol", float(percent) / 100.0, "volume" if basis == "vol" else "mass")
