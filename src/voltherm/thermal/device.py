r"""Junction temperature of a chip whose leakage grows with it.

    T = T_s + R P(T),    P(T) = f P_dynamic + P_leakage exp((T - T_reference) / T_scale)

With x = (T - T_s - R f P_dynamic) / T_scale, the rise that leakage adds in units of its scale, this is

    x = a exp(x),    a = (R P_leakage / T_scale) exp((T_s + R f P_dynamic - T_reference) / T_scale),

whose lower, stable root is x = -W_0(-a), W_0 the principal branch of Lambert's function. It exists for a <= 1/e.
Beyond that the chip gives off more heat at every temperature than the path takes away: **thermal runaway**, no steady
state.

| symbol | meaning                                                                     | unit |
|--------|-----------------------------------------------------------------------------|------|
| T      | junction temperature                                                        | K    |
| T_s    | sink temperature: of the coolant at the plate's inlet, or of the plate      | K    |
| R      | thermal resistance from junction to sink                                    | K/W  |
| x, a   | scaled rise by leakage, runaway parameter (0 to 1/e)                        | -    |

Source: R. M. Corless et al., "On the Lambert W function", Adv. Comput. Math. 5, 1996, eq. 1.5; x / a = exp(x) is
analytic in u = sqrt(1 - e a) but for u = -1, far enough from 0 <= u <= 1 for a polynomial of degree 21, interpolated in
Chebyshev's points, to be exact to round-off: no exponential, no iteration. The derivative is that of the implicit
equation: dx/da = exp(x) / (1 - x). Range: that of `leakage`.
"""

import math

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float
from numpy.polynomial import Chebyshev, Polynomial

from voltherm.thermal.leakage import LeakagePower
from voltherm.thermal.outcome import failed

RUNAWAY_LIMIT = 1.0 / math.e
"""Largest runaway parameter a that has a steady state."""

SMALLEST_RESISTANCE = 1.0e-6
"""Resistances [K/W] below this count as this: a millikelvin at a kilowatt. Leakage is found from the rise it causes."""

_DEGREE = 21
_LARGEST_EXPONENT = 60.0  # e^60 is far beyond runaway for any chip and still finite in single precision


def _growth(distance: np.ndarray) -> np.ndarray:
    """exp(x) at u = `distance`, by Newton's method for d = 1 - x from log(1 - d) + d = log(1 - u^2)."""
    below = np.minimum(math.sqrt(2.0) * distance, 0.99)
    for _ in range(50):
        error = np.log1p(-below) + below - np.log1p(-(distance**2))
        below = np.minimum(below + error * (1.0 - below) / below, 0.5 * (1.0 + below))
    return np.exp(1.0 - below)


_FIT = Chebyshev.interpolate(_growth, _DEGREE, [0.0, 1.0]).convert(kind=Polynomial, domain=[0.0, 1.0]).coef.tolist()
"""exp(x) by powers of 2 u - 1."""


@jax.custom_jvp
def scaled_leakage_rise(runaway_parameter: Float[Array, "..."]) -> Float[Array, "..."]:
    """The lower root x of x = a exp(x), elementwise, for 0 <= a <= 1/e.

    **Arguments**: `runaway_parameter`: a [-], any shape; values above 1/e are taken as 1/e.

    **Returns**: x [-] in [0, 1], to a few units of round-off, with the exact derivatives of the implicit equation.
    """
    parameter = jnp.minimum(runaway_parameter, RUNAWAY_LIMIT)
    distance = jnp.sqrt(jnp.maximum(1.0 - math.e * parameter, 0.0))
    place = 2.0 * distance - 1.0
    growth = jnp.full_like(distance, _FIT[-1])
    for coefficient in reversed(_FIT[:-1]):
        growth = growth * place + coefficient
    return parameter * growth


@scaled_leakage_rise.defjvp
def _scaled_leakage_rise_jvp(
    primals: tuple[Float[Array, "..."]], tangents: tuple[Float[Array, "..."]]
) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
    rise = scaled_leakage_rise(primals[0])
    return rise, tangents[0] * jnp.exp(rise) / (1.0 - rise)


def solve_device(
    sink_temperature: Float[Array, "..."],
    resistance: Float[Array, "..."],
    power: LeakagePower,
    load_factor: float | Float[Array, "..."] = 1.0,
) -> tuple[Float[Array, "..."], Float[Array, "..."], Bool[Array, "..."]]:
    """Steady junction temperature and power of chips, each on its own thermal path.

    **Arguments**

    - `sink_temperature`: temperature [K] of the sink, any shape
    - `resistance`: junction to sink [K/W], that shape
    - `power`: the chips' power law, fields of that shape or scalar
    - `load_factor`: share of the dynamic power [-], that shape or scalar

    **Returns**: junction temperature [K], power [W] and whether the chip runs away. A chip that does has no steady
    state: it is left at the sink's temperature, so that whoever sums over chips can mark the sum as failed with
    `failed`.

    **Reference**: the module's equation, closed form. Elementwise: no chip touches another.
    """
    resistance = jnp.maximum(resistance, SMALLEST_RESISTANCE)
    dynamic_power = load_factor * power.dynamic_power
    without_leakage = sink_temperature + resistance * dynamic_power
    exponent = (without_leakage - power.reference_temperature) / power.temperature_scale
    parameter = (resistance * power.leakage_power / power.temperature_scale) * jnp.exp(
        jnp.minimum(exponent, _LARGEST_EXPONENT)
    )
    steady = parameter < RUNAWAY_LIMIT  # False for NaN
    rise = power.temperature_scale * scaled_leakage_rise(jnp.where(steady, parameter, 0.0))
    temperature = jnp.where(steady, without_leakage + rise, sink_temperature)
    # leakage from the rise it causes is what the power law gives at this temperature, and saves an exponential
    return temperature, dynamic_power + rise / resistance, ~steady


def junction_temperature(
    sink_temperature: Float[Array, "..."],
    resistance: Float[Array, "..."],
    power: LeakagePower,
    load_factor: float | Float[Array, "..."] = 1.0,
) -> tuple[Float[Array, "..."], Bool[Array, "..."]]:
    """Steady junction temperature [K] of chips and whether each runs away; one that does is NaN with zero gradient.

    Arguments as those of `solve_device`.
    """
    temperature, _, runaway = solve_device(sink_temperature, resistance, power, load_factor)
    return failed(temperature, runaway), runaway
