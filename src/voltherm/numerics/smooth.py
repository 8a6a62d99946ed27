"""Smooth stand-ins for functions with a kink, each with a stated width.

    |x|_w        = √(x² + w²)
    max_w(a, b)  = (a + b + |a - b|_w) / 2
    min_w(a, b)  = (a + b - |a - b|_w) / 2
    clip_w(x)    = (lower + upper + |x - lower|_w - |x - upper|_w) / 2
    step_w(x)    = t³ (10 - 15 t + 6 t²),   t = (x / w + 1) / 2 clipped to 0 .. 1
    power_w(x)   = x (x² + w²)^((p - 1) / 2)

The width w has the units of the argument and is the half-size of the region that is rounded.

| function | smoothness | difference from the exact function |
| --- | --- | --- |
| `smooth_absolute` | C∞ | w at 0, w² / 2|x| far away; never below |
| `smooth_maximum` | C∞ | w / 2 at a = b; never below |
| `smooth_minimum` | C∞ | w / 2 at a = b; never above |
| `smooth_clip` | C∞ | w / 2 at an end; never outside the ends |
| `smooth_step` | C2 | none outside ± w |
| `signed_power` | C∞ | relative (p - 1) / 2 · (w / x)²; slope w^(p - 1) at 0 |

All act element by element on arrays of one shape, or numbers.
"""

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

Number = Float[Array, "..."] | float


def smooth_absolute(x: Number, width: Number) -> Float[Array, "..."]:
    """|x| with a rounded tip."""
    # a width may be a plain number, which a GPU kernel can multiply but not square
    return jnp.sqrt(jnp.square(x) + width * width)


def smooth_maximum(a: Number, b: Number, width: Number) -> Float[Array, "..."]:
    """The larger of a and b, rounded where they meet."""
    return 0.5 * (a + b + smooth_absolute(a - b, width))


def smooth_minimum(a: Number, b: Number, width: Number) -> Float[Array, "..."]:
    """The smaller of a and b, rounded where they meet."""
    return 0.5 * (a + b - smooth_absolute(a - b, width))


def smooth_clip(x: Number, lower: Number, upper: Number, width: Number) -> Float[Array, "..."]:
    """x held between two ends, rounded at both; monotone, and strictly inside them."""
    return 0.5 * (lower + upper + smooth_absolute(x - lower, width) - smooth_absolute(x - upper, width))


def smooth_step(x: Number, width: Number) -> Float[Array, "..."]:
    """0 below -width, 1 above width, a quintic between."""
    part = jnp.clip(0.5 * (x / width + 1.0), 0.0, 1.0)
    return part * part * part * (10.0 + part * (-15.0 + 6.0 * part))


def signed_power(x: Number, exponent: Number, width: Number) -> Float[Array, "..."]:
    """sign(x) |x|^exponent with a finite slope through 0, for exponents from 1 up."""
    square = jnp.square(x) + width * width  # see `smooth_absolute`
    if isinstance(exponent, float) and exponent == 2.0:
        return x * jnp.sqrt(square)
    # the derivative of an exponential is there already, that of a power would be another power
    return x * jnp.exp(0.5 * (exponent - 1.0) * jnp.log(square))
