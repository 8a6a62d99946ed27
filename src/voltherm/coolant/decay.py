r"""Averages of a decaying exponential, without the quotient of two vanishing numbers.

    phi1(x) = (1 - e^-x) / x            mean of e^-s over 0 < s < x; one at zero
    phi2(x) = (1 - phi1(x)) / x         one half at zero

Source: the phi functions of exponential integrators (Hochbruck and Ostermann, Acta Numerica 19, 2010, eq. 2.10), at
-x. Below |x| = 0.02 a series of six terms is exact to round-off.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

_SMALL = 0.02


def mean_decay(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """phi1(x), elementwise."""
    small = jnp.abs(x) < _SMALL
    safe = jnp.where(small, 1.0, x)
    near = jnp.where(small, x, 0.0)
    series = 1.0 - near / 2.0 * (
        1.0 - near / 3.0 * (1.0 - near / 4.0 * (1.0 - near / 5.0 * (1.0 - near / 6.0 * (1.0 - near / 7.0))))
    )
    return jnp.where(small, series, -jnp.expm1(-safe) / safe)


def mean_rise(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """phi2(x), elementwise."""
    small = jnp.abs(x) < _SMALL
    safe = jnp.where(small, 1.0, x)
    near = jnp.where(small, x, 0.0)
    series = 0.5 * (
        1.0 - near / 3.0 * (1.0 - near / 4.0 * (1.0 - near / 5.0 * (1.0 - near / 6.0 * (1.0 - near / 7.0))))
    )
    return jnp.where(small, series, (1.0 - mean_decay(safe)) / safe)
