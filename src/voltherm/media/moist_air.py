"""Moist air as a mixture of ideal gases: humidity, wet bulb, dew point, enthalpy and density.

    W = 0.621945 pw / (p - pw)    h = 1006 t + W (2501000 + 1860 t)    rho = (1 + W) p / (R T (1 + 1.607858 W))
    wet bulb over water:  W = ((2501 - 2.326 t*) Ws(t*) - 1.006 (t - t*)) / (2501 + 1.86 t - 4.186 t*)
    wet bulb over ice:    W = ((2830 - 0.24 t*) Ws(t*) - 1.006 (t - t*)) / (2830 + 1.86 t - 2.1 t*)
    ln ps = a / T + b + c T + d T^2 + e T^3 + f T^4 + g ln T,  one set over ice below 0.01 C, one over water

| symbol | meaning                                               | unit     |
|--------|-------------------------------------------------------|----------|
| T, t   | dry-bulb temperature, in K and in C                   | K, C     |
| t*     | thermodynamic wet-bulb temperature                    | C        |
| p      | absolute pressure                                     | Pa       |
| pw, ps | partial pressure of vapour, and at saturation         | Pa       |
| W, Ws  | humidity ratio, vapour over dry air, at saturation    | kg/kg    |
| h      | specific enthalpy per kg of dry air, zero at 0 C, dry | J/kg     |
| R      | gas constant of dry air, 287.042                      | J/(kg K) |

Source: ASHRAE Handbook Fundamentals (2021), chapter 1, equations 5, 6, 20, 26, 30, 33 and 35; Hyland and Wexler (1983)
for ps, as PsychroLib 2.5.0 has them. Valid from -100 to 100 C, where ps stays below p. Real-gas effects are left out:
0.024 K in wet bulb and 0.6 % in W against CoolProp's humid air from -5 to 45 C. Near 0 C some states fit a wet bulb
over ice and one over water: water is taken, and the wet bulb jumps by a few tenths of a kelvin where water ends.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from voltherm.media.dry_air import GAS_CONSTANT
from voltherm.media.polynomial import FREEZING_POINT, ArrayLike, horner
from voltherm.numerics import bracketed_root

MASS_RATIO = 0.621945
"""Molar mass of water over that of dry air."""

_TRIPLE_POINT = 273.16
_OVER_ICE = (-5.6745359e3, 6.3925247, -9.677843e-3, 6.2215701e-7, 2.0747825e-9, -9.484024e-13, 4.1635019)
_OVER_WATER = (-5.8002206e3, 1.3914993, -4.8640239e-2, 4.1764768e-5, -1.4452093e-8, 0.0, 6.5459673)
_DRY_HEAT_CAPACITY = 1006.0
_VAPOUR_HEAT_CAPACITY = 1860.0
_EVAPORATION_HEAT = 2.501e6
_LOWEST, _HIGHEST = 173.15, 473.15
_LEAST_DRY_SHARE = 1e-3


def saturation_pressure(temperature: Float[ArrayLike, "..."]) -> Float[Array, "..."]:
    """Pressure of water vapour over ice (below 0.01 C) or water; (...), K -> (...), Pa."""
    return jnp.exp(_log_saturation_pressure(jnp.asarray(temperature)))


def saturation_humidity_ratio(
    temperature: Float[ArrayLike, "..."], pressure: Float[ArrayLike, "..."]
) -> Float[Array, "..."]:
    """Humidity ratio of saturated air, held finite above boiling; (...), K and (...), Pa -> (...), kg/kg."""
    saturated, pressure = saturation_pressure(temperature), jnp.asarray(pressure)
    return MASS_RATIO * saturated / jnp.maximum(pressure - saturated, _LEAST_DRY_SHARE * pressure)


def humidity_ratio(
    temperature: Float[ArrayLike, "..."],
    relative_humidity: Float[ArrayLike, "..."],
    pressure: Float[ArrayLike, "..."],
) -> Float[Array, "..."]:
    """Humidity ratio from relative humidity (0 to 1); all (...), K, - and Pa -> (...), kg/kg."""
    vapour = jnp.asarray(relative_humidity) * saturation_pressure(temperature)
    return MASS_RATIO * vapour / (jnp.asarray(pressure) - vapour)


def vapour_pressure(humidity_ratio: Float[ArrayLike, "..."], pressure: Float[ArrayLike, "..."]) -> Float[Array, "..."]:
    """Partial pressure of the vapour; (...), kg/kg and (...), Pa -> (...), Pa."""
    humidity_ratio = jnp.asarray(humidity_ratio)
    return jnp.asarray(pressure) * humidity_ratio / (MASS_RATIO + humidity_ratio)


def relative_humidity(
    temperature: Float[ArrayLike, "..."],
    humidity_ratio: Float[ArrayLike, "..."],
    pressure: Float[ArrayLike, "..."],
) -> Float[Array, "..."]:
    """Relative humidity, 1 at saturation; all (...), K, kg/kg and Pa -> (...)."""
    return vapour_pressure(humidity_ratio, pressure) / saturation_pressure(temperature)


def wet_bulb(
    temperature: Float[ArrayLike, "..."],
    humidity_ratio: Float[ArrayLike, "..."],
    pressure: Float[ArrayLike, "..."],
) -> Float[Array, "..."]:
    """Thermodynamic wet-bulb temperature; all (...), K, kg/kg, Pa -> (...), K. Air with fog gives its dry bulb."""
    state = _broadcast(temperature, humidity_ratio, pressure)
    temperature, humidity, pressure = state
    freezing = jnp.full_like(temperature, FREEZING_POINT)
    # The two branches overlap, so the branch is chosen here, and the bracket keeps the root search on it.
    over_ice = humidity < humidity_ratio_at_wet_bulb(temperature, freezing, pressure)
    over_ice |= temperature < freezing
    lower = jnp.where(over_ice, _LOWEST, freezing)
    upper = jnp.where(over_ice, jnp.minimum(temperature, freezing), temperature)
    return bracketed_root(_wet_bulb_residual, lower, upper, state, tolerance=_resolution(temperature))


def humidity_ratio_at_wet_bulb(
    temperature: Float[ArrayLike, "..."],
    wet_bulb: Float[ArrayLike, "..."],
    pressure: Float[ArrayLike, "..."],
) -> Float[Array, "..."]:
    """Humidity ratio from a wet-bulb reading, over ice below 0 C; all (...), K, K and Pa -> (...), kg/kg."""
    wet_bulb = jnp.asarray(wet_bulb)
    dry, wet = jnp.asarray(temperature) - FREEZING_POINT, wet_bulb - FREEZING_POINT
    saturated = saturation_humidity_ratio(wet_bulb, pressure)
    sensible = 1.006 * (dry - wet)
    over_water = ((2501.0 - 2.326 * wet) * saturated - sensible) / (2501.0 + 1.86 * dry - 4.186 * wet)
    over_ice = ((2830.0 - 0.24 * wet) * saturated - sensible) / (2830.0 + 1.86 * dry - 2.1 * wet)
    return jnp.where(wet < 0.0, over_ice, over_water)


def dew_point(humidity_ratio: Float[ArrayLike, "..."], pressure: Float[ArrayLike, "..."]) -> Float[Array, "..."]:
    """Temperature at which the vapour saturates (frost point below 0.01 C); (...), kg/kg and (...), Pa -> (...), K.

    Air too dry for the range of ps gives its lowest temperature, 173.15 K.
    """
    humidity, pressure = _broadcast(humidity_ratio, pressure)
    vapour = vapour_pressure(humidity, pressure)
    least = jnp.exp(_log_saturation_pressure(jnp.full_like(vapour, _LOWEST)))
    target = jnp.log(jnp.maximum(vapour, least))
    lower, upper = jnp.full_like(vapour, _LOWEST), jnp.full_like(vapour, _HIGHEST)
    return bracketed_root(_dew_point_residual, lower, upper, target, tolerance=_resolution(vapour))


def enthalpy(temperature: Float[ArrayLike, "..."], humidity_ratio: Float[ArrayLike, "..."]) -> Float[Array, "..."]:
    """Specific enthalpy per kg of dry air; (...), K and (...), kg/kg -> (...), J/kg."""
    celsius = jnp.asarray(temperature) - FREEZING_POINT
    return _DRY_HEAT_CAPACITY * celsius + jnp.asarray(humidity_ratio) * (
        _EVAPORATION_HEAT + _VAPOUR_HEAT_CAPACITY * celsius
    )


def temperature_at_enthalpy(
    enthalpy: Float[ArrayLike, "..."], humidity_ratio: Float[ArrayLike, "..."]
) -> Float[Array, "..."]:
    """Inverse of `enthalpy` at the same humidity; (...), J per kg of dry air and (...), kg/kg -> (...), K."""
    humidity_ratio = jnp.asarray(humidity_ratio)
    sensible = jnp.asarray(enthalpy) - humidity_ratio * _EVAPORATION_HEAT
    return FREEZING_POINT + sensible / heat_capacity(humidity_ratio)


def heat_capacity(humidity_ratio: Float[ArrayLike, "..."]) -> Float[Array, "..."]:
    """Heat capacity at constant humidity per kg of dry air; (...), kg/kg -> (...), J/(kg K)."""
    return _DRY_HEAT_CAPACITY + _VAPOUR_HEAT_CAPACITY * jnp.asarray(humidity_ratio)


def specific_volume(
    temperature: Float[ArrayLike, "..."],
    humidity_ratio: Float[ArrayLike, "..."],
    pressure: Float[ArrayLike, "..."],
) -> Float[Array, "..."]:
    """Volume per kg of dry air; all (...), K, kg/kg and Pa -> (...), m3/kg."""
    gas = GAS_CONSTANT * jnp.asarray(temperature) * (1.0 + 1.607858 * jnp.asarray(humidity_ratio))
    return gas / jnp.asarray(pressure)


def density(
    temperature: Float[ArrayLike, "..."],
    humidity_ratio: Float[ArrayLike, "..."],
    pressure: Float[ArrayLike, "..."],
) -> Float[Array, "..."]:
    """Density of the mixture; all (...), K, kg/kg and Pa -> (...), kg/m3."""
    return (1.0 + jnp.asarray(humidity_ratio)) / specific_volume(temperature, humidity_ratio, pressure)


def _log_saturation_pressure(temperature: Float[Array, "..."]) -> Float[Array, "..."]:
    over_ice, over_water = (
        a / temperature + horner(powers, temperature) + g * jnp.log(temperature)
        for a, *powers, g in (_OVER_ICE, _OVER_WATER)
    )
    return jnp.where(temperature < _TRIPLE_POINT, over_ice, over_water)


def _wet_bulb_residual(wet_bulb, state):
    temperature, humidity, pressure = state
    return humidity_ratio_at_wet_bulb(temperature, wet_bulb, pressure) - humidity


def _dew_point_residual(temperature, log_vapour_pressure):
    return _log_saturation_pressure(temperature) - log_vapour_pressure


def _broadcast(*values: Float[ArrayLike, "..."]) -> tuple[Float[Array, "..."], ...]:
    """Arrays of one precision and, where some are scalars, of one shape."""
    arrays = [jnp.asarray(value) for value in values]
    dtype, shape = jnp.result_type(*arrays), jnp.broadcast_shapes(*(array.shape for array in arrays))
    return tuple(jnp.broadcast_to(array.astype(dtype), shape) for array in arrays)


def _resolution(value: Float[Array, "..."]) -> float:
    """Tolerance of a root, relative to its bracket: a few units in the last place of a temperature."""
    return 16.0 * float(jnp.finfo(value.dtype).eps)
