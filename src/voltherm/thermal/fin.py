r"""Efficiency of fins of constant thickness with an adiabatic tip.

    straight   eta = tanh(m L) / (m L)
    annular    eta = 2 r_1 / (m (r_2^2 - r_1^2)) [K1(m r_1) I1(m r_2) - I1(m r_1) K1(m r_2)]
                                                / [I0(m r_1) K1(m r_2) + K0(m r_1) I1(m r_2)]
    m = sqrt(2 h / (k t))

| symbol   | meaning                                                      | unit      |
|----------|--------------------------------------------------------------|-----------|
| eta      | heat of the fin over that of a fin all at base temperature   | -         |
| L        | height of the straight fin; r_2 - r_1 of the annular one     | m         |
| r_1, r_2 | inner and outer radius                                       | m         |
| h, k, t  | heat transfer coefficient, conductivity, thickness           | W/(m2K), W/(mK), m |
| I, K     | modified Bessel functions                                    | -         |

Source: K. A. Gardner, Trans. ASME 67, 1945. K_n(x) is the integral of exp(-x cosh u) cosh(n u) over u > 0 (DLMF
10.32.9) by the trapezoidal rule, which converges faster than any power of its step. Range: h t / k << 1; m r_1 from
0.01 up for the annular fin.
"""

import jax.numpy as jnp
import numpy as np
from jax.scipy.special import i0e, i1e
from jaxtyping import Array, Float

_NODES = np.arange(128) * 0.0625


def fin_parameter(
    heat_transfer_coefficient: Float[Array, "..."], conductivity: Float[Array, "..."], thickness: Float[Array, "..."]
) -> Float[Array, "..."]:
    """m [1/m] of a fin that convects on both sides."""
    return jnp.sqrt(2.0 * heat_transfer_coefficient / (conductivity * thickness))


def straight_fin_efficiency(parameter_times_height: Float[Array, "..."]) -> Float[Array, "..."]:
    """Efficiency of a straight fin from m L [-], elementwise; 1 at m L = 0."""
    small = jnp.abs(parameter_times_height) < 1.0e-3
    height = jnp.where(small, 1.0, parameter_times_height)
    return jnp.where(small, 1.0 - parameter_times_height**2 / 3.0, jnp.tanh(height) / height)


def annular_fin_efficiency(
    parameter_times_inner_radius: Float[Array, "..."], radius_ratio: Float[Array, "..."]
) -> Float[Array, "..."]:
    """Efficiency of an annular fin from m r_1 [-] and r_2 / r_1 > 1, elementwise."""
    inner, outer = parameter_times_inner_radius, parameter_times_inner_radius * radius_ratio
    # every function is scaled by its exponential, so that long fins do not overflow
    decay = jnp.exp(-2.0 * (outer - inner))
    numerator = _scaled_k(1, inner) * i1e(outer) - i1e(inner) * _scaled_k(1, outer) * decay
    denominator = i0e(inner) * _scaled_k(1, outer) * decay + _scaled_k(0, inner) * i1e(outer)
    return 2.0 * inner / (outer**2 - inner**2) * numerator / denominator


def _scaled_k(order: int, x: Float[Array, "..."]) -> Float[Array, "..."]:
    """exp(x) K_order(x)."""
    steps = np.full(_NODES.shape, _NODES[1])
    steps[0] *= 0.5
    weights = jnp.asarray(steps * np.cosh(order * _NODES), x.dtype)
    growth = jnp.asarray(np.cosh(_NODES) - 1.0, x.dtype)
    return jnp.exp(-x[..., None] * growth.reshape((1,) * x.ndim + (-1,))) @ weights
