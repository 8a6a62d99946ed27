"""Liquids from what a specification says: a name, a concentration, and whether it counts mass or volume.

    "PG25" in the trade = propylene glycol, 25 % by volume, inhibited = InhibitedPropyleneGlycolWater(0.25)

Between the two ways to count lie 0.5 % in density and 1.2 % in viscosity at 25 % and 30 C, so neither is assumed.
"""

from typing import Literal

from jaxtyping import Float

from voltherm.media.ethylene_glycol import EthyleneGlycolWater
from voltherm.media.hydrofluoroether import HFE7100
from voltherm.media.inhibited_ethylene_glycol import InhibitedEthyleneGlycolWater
from voltherm.media.inhibited_propylene_glycol import InhibitedPropyleneGlycolWater
from voltherm.media.liquid import AbstractLiquid
from voltherm.media.polynomial import ArrayLike
from voltherm.media.propylene_glycol import PropyleneGlycolWater
from voltherm.media.water import Water

LIQUID_NAMES = ("water", "propylene_glycol", "ethylene_glycol", "hfe_7100")
"""Names that `liquid` knows."""


def propylene_glycol_from_volume_fraction(volume_fraction: Float[ArrayLike, "..."]) -> InhibitedPropyleneGlycolWater:
    """Propylene glycol and water after the trade's tables, which count volume: 0.25 is PG25."""
    return InhibitedPropyleneGlycolWater(volume_fraction)


def propylene_glycol_from_mass_fraction(mass_fraction: Float[ArrayLike, "..."]) -> PropyleneGlycolWater:
    """Propylene glycol and water after Melinder, who counts mass and adds no inhibitor."""
    return PropyleneGlycolWater(mass_fraction)


def ethylene_glycol_from_volume_fraction(volume_fraction: Float[ArrayLike, "..."]) -> InhibitedEthyleneGlycolWater:
    """Ethylene glycol and water after the trade's tables, which count volume."""
    return InhibitedEthyleneGlycolWater(volume_fraction)


def ethylene_glycol_from_mass_fraction(mass_fraction: Float[ArrayLike, "..."]) -> EthyleneGlycolWater:
    """Ethylene glycol and water after Melinder, who counts mass and adds no inhibitor."""
    return EthyleneGlycolWater(mass_fraction)


def liquid(
    name: str, fraction: Float[ArrayLike, "..."] | None = None, basis: Literal["mass", "volume"] | None = None
) -> AbstractLiquid:
    """The liquid called `name`, one of `LIQUID_NAMES`.

    A glycol needs `fraction`, between 0 and 1, and its `basis`; the others take neither. ValueError says what is
    missing.
    """
    if name in ("water", "hfe_7100"):
        if fraction is not None or basis is not None:
            raise ValueError(f"{name} is pure: leave its fraction away")
        return Water() if name == "water" else HFE7100()
    if name not in LIQUID_NAMES:
        raise ValueError(f"unknown liquid '{name}'; known are {', '.join(LIQUID_NAMES)}")
    if fraction is None or basis not in ("mass", "volume"):
        raise ValueError(f"{name} needs a fraction and its basis, 'mass' or 'volume'")
    if name == "propylene_glycol":
        by_volume = propylene_glycol_from_volume_fraction
        return by_volume(fraction) if basis == "volume" else propylene_glycol_from_mass_fraction(fraction)
    return (
        ethylene_glycol_from_volume_fraction(fraction)
        if basis == "volume"
        else ethylene_glycol_from_mass_fraction(fraction)
    )
