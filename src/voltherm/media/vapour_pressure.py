r"""Pressure below which a liquid of `voltherm.media` boils.

    water and its glycols:  p_v <= p_s(T)           Hyland and Wexler, over liquid water
    HFE-7100:               ln p_v = 22.415 - 3641.9 / T

| symbol | meaning                                  | unit |
|--------|------------------------------------------|------|
| T      | temperature                              | K    |
| p_v    | vapour pressure of the liquid            | Pa   |
| p_s    | saturation pressure of pure water        | Pa   |

Sources: ASHRAE Handbook Fundamentals (2021), chapter 1, equation 6 (Hyland and Wexler, 1983; 0 to 200 C); 3M, Novec
7100 Engineered Fluid, product information (2014), vapour pressure. Glycol has next to no vapour pressure of its own and
lowers that of water by its share of the molecules: by 8 % at 25 % propylene glycol by volume, by 25 % at 50 %. Pure
water's is an upper bound, on the safe side by 2 to 8 K of boiling point.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from voltherm.media.hydrofluoroether import HFE7100
from voltherm.media.liquid import AbstractLiquid
from voltherm.media.moist_air import saturation_pressure
from voltherm.media.polynomial import ArrayLike

_HFE_7100 = (22.415, 3641.9)


def vapour_pressure(liquid: AbstractLiquid, temperature: Float[ArrayLike, "..."]) -> Float[Array, "..."]:
    """Vapour pressure of a liquid, an upper bound for mixtures with glycol; (...), K -> (...), Pa."""
    if isinstance(liquid, HFE7100):
        constant, slope = _HFE_7100
        return jnp.exp(constant - slope / jnp.asarray(temperature))
    return saturation_pressure(temperature)
