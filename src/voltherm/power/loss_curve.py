"""Loss of a converter against its load, through published efficiency points.

    loss(x) = x (1 / eta(x) - 1)         knots l_k = x_k (1 / eta_k - 1)
    between knots: cubic Hermite with Fritsch-Carlson slopes; outside: straight lines

The loss, unlike the efficiency, is finite at no load and rises with the load, so a shape-preserving interpolant of it
stays positive, and input power rises with output power. The line below the first knot gives the no-load loss.

| symbol | meaning | unit |
| --- | --- | --- |
| x | load over rated output | - |
| eta | efficiency, output over input | - |
| loss | over rated output | - |

Source: F. N. Fritsch, R. E. Carlson, SIAM J. Numer. Anal. 17 (1980) 238; slopes by the weighted harmonic mean of
F. N. Fritsch, J. Butland, SIAM J. Sci. Stat. Comput. 5 (1984) 300. Continuous first derivative. Valid from x = 0 to
about 1.1; the straight line beyond the last knot is an extrapolation.
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from voltherm.numerics.bounds import bounded, is_known, refuse_out_of_bounds


class LossCurve(eqx.Module):
    """Efficiency points: `load_fraction` (k,), rising and positive, and `efficiency` (k,) in (0, 1), [-]; k >= 2."""

    load_fraction: Float[Array, " knot"] = eqx.field(metadata=bounded("", above=0.0))
    efficiency: Float[Array, " knot"] = eqx.field(metadata=bounded("", above=0.0, below=1.0))

    def __check_init__(self) -> None:
        refuse_out_of_bounds(self)
        if is_known(self.load_fraction) and not np.all(np.diff(np.asarray(self.load_fraction)) > 0.0):
            raise ValueError(f"LossCurve: load_fraction has to rise from point to point, not {self.load_fraction}")

    def loss(self, load: Float[Array, "..."]) -> Float[Array, "..."]:
        """Loss over rated output at `load` = output over rated output, elementwise."""
        knots = self.load_fraction
        values = knots * (1.0 / self.efficiency - 1.0)
        slopes = _slopes(knots, values)
        interval = jnp.clip(jnp.searchsorted(knots, load, side="right") - 1, 0, knots.shape[0] - 2)
        width = knots[interval + 1] - knots[interval]
        inside = jnp.clip(load, knots[0], knots[-1])
        t = (inside - knots[interval]) / width
        cubic = (
            (1.0 + 2.0 * t) * (1.0 - t) ** 2 * values[interval]
            + t * (1.0 - t) ** 2 * width * slopes[interval]
            + t**2 * (3.0 - 2.0 * t) * values[interval + 1]
            + t**2 * (t - 1.0) * width * slopes[interval + 1]
        )
        below, above = jnp.minimum(load - knots[0], 0.0), jnp.maximum(load - knots[-1], 0.0)
        # a steep first segment must not turn the extrapolated no-load loss negative
        first_slope = jnp.minimum(slopes[0], values[0] / knots[0])
        return cubic + below * first_slope + above * slopes[-1]


def _slopes(knots: Float[Array, " knot"], values: Float[Array, " knot"]) -> Float[Array, " knot"]:
    width = jnp.diff(knots)
    secant = jnp.diff(values) / width
    left, right = secant[:-1], secant[1:]
    weight_left, weight_right = 2.0 * width[1:] + width[:-1], width[1:] + 2.0 * width[:-1]
    rising = left * right > 0.0
    safe_left, safe_right = jnp.where(rising, left, 1.0), jnp.where(rising, right, 1.0)
    mean = (weight_left + weight_right) / (weight_left / safe_left + weight_right / safe_right)
    return jnp.concatenate([secant[:1], jnp.where(rising, mean, 0.0), secant[-1:]])
