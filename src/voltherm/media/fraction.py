"""Fractions of a solution: by mass and by volume.

    w = phi rho_s / (phi rho_s + (1 - phi) rho_w)

| symbol | meaning                                                     | unit  |
|--------|-------------------------------------------------------------|-------|
| w      | mass fraction of the solute                                 | -     |
| phi    | volume fraction of the solute, its own volume before mixing | -     |
| rho_s  | density of the pure solute at 20 C                          | kg/m3 |
| rho_w  | density of water at 20 C, 998.2                             | kg/m3 |

Source: definition; densities of the pure glycols at 20 C from the CRC Handbook of Chemistry and Physics. Volumes are
counted before mixing, as they are measured in when a loop is filled (the solution itself is up to 1 % smaller than
their sum).
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from voltherm.media.polynomial import ArrayLike, Coefficient
from voltherm.numerics.bounds import is_known

PROPYLENE_GLYCOL_DENSITY = 1036.1
ETHYLENE_GLYCOL_DENSITY = 1113.5
WATER_DENSITY = 998.2


def as_fraction(value: Float[ArrayLike, "..."]) -> Coefficient:
    """A number as a Python float, which is a constant of every program; anything else as an array.

    ValueError for a known number that is no share, such as 25 for 25 %.
    """
    fraction = float(value) if isinstance(value, int | float) else jnp.asarray(value)
    if is_known(fraction):
        known = np.asarray(fraction)
        wrong = known[(known < 0.0) | (known > 1.0)]
        if wrong.size:
            raise ValueError(f"a fraction of {wrong.flat[0]:g} is no share: give one between 0 and 1, 0.25 for 25 %")
    return fraction


def mass_fraction_from_volume_fraction(
    volume_fraction: Float[ArrayLike, "..."], solute_density: float
) -> Float[Array, "..."]:
    """Mass fraction of the solute in water, elementwise; (...) -> (...). `solute_density` at 20 C, kg/m3."""
    solute = jnp.asarray(volume_fraction) * solute_density
    return solute / (solute + (1.0 - jnp.asarray(volume_fraction)) * WATER_DENSITY)


def volume_fraction_from_mass_fraction(
    mass_fraction: Float[ArrayLike, "..."], solute_density: float
) -> Float[Array, "..."]:
    """Volume fraction of the solute in water, elementwise; (...) -> (...). `solute_density` at 20 C, kg/m3."""
    solute = jnp.asarray(mass_fraction) / solute_density
    return solute / (solute + (1.0 - jnp.asarray(mass_fraction)) / WATER_DENSITY)
