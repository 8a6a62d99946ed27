r"""Junction temperature of a chip whose leakage grows with it.

    T = T_s + R P(T),    P(T) = P_0 + P_leakage exp((T - T_reference) / T_scale),    P_0 = P_idle + f P_dynamic

With x = (T - T_s - R P_0) / T_scale, the rise that leakage adds in units of its scale, this is

    x = a exp(x),    a = (R P_leakage / T_scale) exp((T_s + R P_0 - T_reference) / T_scale),

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
LARGEST_EXPONENT = 60.0  # e^60 is far beyond runaway for any chip and still finite in single precision


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
    # even and odd powers apart: two chains of products that do not wait for each other
    square = place * place
    even, odd = (jnp.full_like(distance, _FIT[first]) for first in (_DEGREE - 1, _DEGREE))
    for order in range(_DEGREE - 3, -1, -2):
        even, odd = even * square + _FIT[order], odd * square + _FIT[order + 1]
    return parameter * (even + odd * place)


@scaled_leakage_rise.defjvp
def _scaled_leakage_rise_jvp(
    primals: tuple[Float[Array, "..."]], tangents: tuple[Float[Array, "..."]]
) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
    rise = scaled_leakage_rise(primals[0])
    return rise, tangents[0] * jnp.exp(rise) / (1.0 - rise)


def steady_power(
    sink_temperature: Float[Array, "..."],
    resistance: Float[Array, "..."],
    power: LeakagePower,
    load_factor: float | Float[Array, "..."] = 1.0,
) -> tuple[Float[Array, "..."], Bool[Array, "..."]]:
    """Steady power [W] of chips, each on its own thermal path, and whether the chip runs away.

    Arguments as those of `solve_device`, but that `resistance` has to be positive. A chip that runs away is given its
    power without leakage.
    """
    fixed_rise = resistance * (power.idle_power + load_factor * power.dynamic_power)
    per_kelvin = 1.0 / power.temperature_scale
    exponent = (sink_temperature + fixed_rise - power.reference_temperature) * per_kelvin
    parameter = resistance * (power.leakage_power * per_kelvin) * jnp.exp(jnp.minimum(exponent, LARGEST_EXPONENT))
    steady = parameter < RUNAWAY_LIMIT  # False for NaN
    rise = power.temperature_scale * scaled_leakage_rise(jnp.where(steady, parameter, 0.0))
    # Leakage from the rise it causes is what the power law gives at this temperature, and saves an exponential. XLA
    # keeps the result of a division where several others need it, and would find a sum again for each of them.
    return (fixed_rise + rise) / resistance, ~steady


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
    drawn, runaway = steady_power(sink_temperature, resistance, power, load_factor)
    return jnp.where(runaway, sink_temperature, sink_temperature + resistance * drawn), drawn, runaway


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
