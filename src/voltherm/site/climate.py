"""Parametric year of dry-bulb temperature from published monthly climate figures.

    T(t) = M(t) + R(t)/2 cos(2π (h(t) - 15)/24) + σ a(t) s(t)
    a(t) = 1 + 0.5 cos(2π (d(t) - 15)/365)
    M(t): such that the mean of T over every month is that of the normals

| symbol | meaning | unit | source |
| --- | --- | --- | --- |
| M(t) | season: trigonometric curve through twelve values at the middles of the months | K | normals of the station |
| R(t) | daily range: such a curve through the monthly mean daily ranges | K | normals of the station |
| h(t) | hour of the day; the warmest hour is taken as 15 h | h | ASHRAE Fundamentals (2021), chapter 14 |
| σ | standard deviation of daily means about the month's mean, over the year | K | station records |
| a(t), d(t) | σ of the season over σ, day of the year: fronts come in winter, hardly in summer | -, d | this module |
| s(t) | weather: a fixed sum of seven incommensurate periods of 3 to 23 days, of unit variance | - | this module |

The year has 8,760 hours and no randomness: two runs agree to the last digit. It meets the monthly means to round-off:
the twelve values of M follow from them by a linear system that allows for the curve between them (0.3 K on a month's
mean in Abilene) and for what the weather adds to each month (1 K there). The spread of its daily means comes out 6 %
above σ there. It is not one historical year; an EPW file replaces it where the hours of a real year matter.
"""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from voltherm.site.sections import Climate

HOURS = 8760
MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_WARMEST_HOUR = 15.0
_SEASONAL_SHARE, _COLDEST_DAY = 0.5, 15.0
_PERIODS_DAYS = (3.1, 4.3, 5.9, 7.7, 11.3, 15.1, 22.7)


def month_of_hour() -> np.ndarray:
    """Month 0 to 11 of every hour of the year, shape (8760,)."""
    return np.repeat(np.arange(12), np.asarray(MONTH_DAYS) * 24)


def _through_months(monthly: Float[Array, "month"], day: Float[Array, "hour"]) -> Float[Array, "hour"]:
    """Periodic trigonometric interpolation through twelve equal months."""
    phase = 2.0 * math.pi * (day / 365.0 - 0.5 / 12.0)
    coefficients = jnp.fft.rfft(monthly) / 12.0
    orders = jnp.arange(1, 7, dtype=day.dtype)
    # the sixth harmonic of twelve points carries half its weight
    weights = jnp.where(orders == 6.0, 1.0, 2.0)
    angles = orders[None, :] * phase[:, None]
    waves = (
        jnp.cos(angles) * jnp.real(coefficients[1:])[None, :] - jnp.sin(angles) * jnp.imag(coefficients[1:])[None, :]
    )
    return jnp.real(coefficients[0]) + waves @ weights


def _monthly_means(hourly: Float[Array, "hour"]) -> Float[Array, "month"]:
    lengths = 24.0 * np.asarray(MONTH_DAYS, dtype=hourly.dtype)
    return jax.ops.segment_sum(hourly, month_of_hour(), 12, indices_are_sorted=True) / lengths


@eqx.filter_jit
def dry_bulb_year(climate: Climate) -> Float[Array, "hour"]:
    """Dry-bulb temperature of the 8,760 hours of the parametric year [K], shape (8760,)."""
    hour = jnp.arange(HOURS, dtype=climate.dry_bulb.dtype)
    day = hour / 24.0
    daily = (
        0.5 * _through_months(climate.monthly_daily_range, day) * jnp.cos(2.0 * math.pi * (hour - _WARMEST_HOUR) / 24.0)
    )
    periods = jnp.asarray(_PERIODS_DAYS, dtype=hour.dtype)
    waves = jnp.cos(2.0 * math.pi * day[:, None] / periods[None, :] + periods[None, :])
    weather = math.sqrt(2.0 / len(_PERIODS_DAYS)) * jnp.sum(waves, axis=-1)
    season = 1.0 + _SEASONAL_SHARE * jnp.cos(2.0 * math.pi * (day - _COLDEST_DAY) / 365.0)
    variation = daily + climate.synoptic_deviation * season * weather
    # row i: what a value of one at the middle of month i gives the mean of every month
    shares = jax.vmap(lambda middle: _monthly_means(_through_months(middle, day)))(jnp.eye(12, dtype=hour.dtype))
    middles = jnp.linalg.solve(shares.T, climate.monthly_mean - _monthly_means(variation))
    return _through_months(middles, day) + variation
