r"""Spreading of heat from rectangles on the bottom face of a layered plate: series in the plane, exact through the
layers.

    mean rise of source i = sum_mn N_mn Z(m, n) c_i(m, n) sum_j (P_j / A_j) c_j(m, n) A_i A_j / A_i Z <- Z +
    r_contact,   Z <- (Z + tanh(g t) / y) / (1 + y Z tanh(g t)),   g = sqrt((k_x a_m^2 + k_y b_n^2) / k_z),  y = k_z g

starting with Z = 1 / h at the convecting top face and passing the layers from top to bottom; at m = n = 0 a layer
adds t / k_z.

| symbol   | meaning                                                                           | unit     |
|----------|-----------------------------------------------------------------------------------|----------|
| Z        | temperature over flux of a mode at a face                                         | m2K/W    |
| a_m, b_n | wave numbers m pi / width, n pi / depth                                           | 1/m      |
| c_i      | mean of cos(a_m x) cos(b_n y) over source i                                       | -        |
| N_mn     | norm (2 - [m = 0]) (2 - [n = 0]) / plane area                                     | 1/m2     |
| P, A     | power and area of a source                                                        | W, m2    |

Source: Y. S. Muzychka, M. M. Yovanovich and J. R. Culham, J. Thermophysics and Heat Transfer 18(1), 2004 (layered,
orthotropic, eccentric sources). Range: uniform flux on each source, the rest of the bottom face adiabatic, constant
properties.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from voltherm.thermal.floor_plan import FloorPlan
from voltherm.thermal.stack import LayeredStack


def mode_impedance(stack: LayeredStack, terms: int) -> Float[Array, "row_mode column_mode"]:
    """Temperature over flux [m2K/W] at the bottom face for `terms` modes along y and along x."""
    if stack.top is None or stack.bottom is not None:
        raise ValueError("spreading needs a stack that convects at its top face and is adiabatic below")
    orders = jnp.asarray(np.pi * np.arange(terms), stack.thickness.dtype)
    along_x, along_y = (orders / stack.width)[None, :] ** 2, (orders / stack.depth)[:, None] ** 2
    uniform = (along_x + along_y) == 0.0
    below = jnp.concatenate([stack.contact_resistance, jnp.zeros((1,), stack.thickness.dtype)])

    def through(impedance: Array, layer: tuple[Array, ...]) -> tuple[Array, None]:
        thickness, k_x, k_y, k_z, contact = layer
        impedance = impedance + contact
        decay = jnp.sqrt(jnp.where(uniform, 1.0, (k_x * along_x + k_y * along_y) / k_z))
        admittance, damping = k_z * decay, jnp.tanh(decay * thickness)
        spread = (impedance + damping / admittance) / (1.0 + admittance * impedance * damping)
        return jnp.where(uniform, impedance + thickness / k_z, spread), None

    start = jnp.broadcast_to(1.0 / stack.top.heat_transfer_coefficient, (terms, terms))
    layers = (stack.thickness, stack.conductivity_x, stack.conductivity_y, stack.conductivity_z, below)
    impedance, _ = jax.lax.scan(through, start, layers, reverse=True)
    return impedance


def source_mean_rises(stack: LayeredStack, sources: FloorPlan, terms: int = 1000) -> Float[Array, " block"]:
    """Mean rise [K] of each source over the top fluid; the grid of `stack` plays no part.

    **Raises**: `ValueError` naming a source that reaches beyond the plate, where the numbers are not traced.

    `terms` modes are summed along each direction: 1,000 are within about 1e-6 of the sum for sources of a tenth of
    the plate.
    """
    sources.refuse_outside(stack.width, stack.depth)
    along_x = _box_means(sources.x, sources.width, stack.width, terms)
    along_y = _box_means(sources.y, sources.depth, stack.depth, terms)
    twice = jnp.where(jnp.arange(terms) == 0, 1.0, 2.0).astype(stack.thickness.dtype)
    norm = twice[:, None] * twice[None, :] / (stack.width * stack.depth)
    heated = jnp.einsum("b,bn,bm->nm", sources.power, along_y, along_x)
    return jnp.einsum("bn,nm,bm->b", along_y, norm * mode_impedance(stack, terms) * heated, along_x)


def spreading_resistance(stack: LayeredStack, source: FloorPlan, terms: int = 1000) -> Float[Array, ""]:
    """Resistance [K/W] of one source beyond one-dimensional flow through the plate: for `Package.from_layers`."""
    assert stack.top is not None, "a stack that spreads convects at its top face"
    through = jnp.sum(stack.thickness / stack.conductivity_z) + jnp.sum(stack.contact_resistance)
    one_dimensional = (through + 1.0 / stack.top.heat_transfer_coefficient) / (stack.width * stack.depth)
    return source_mean_rises(stack, source, terms)[0] / source.power[0] - one_dimensional


def _box_means(
    start: Float[Array, " block"], size: Float[Array, " block"], length: Float[Array, ""] | float, terms: int
) -> Float[Array, "block mode"]:
    """Mean of cos(pi m x / length) over start <= x <= start + size."""
    wave = jnp.asarray(np.pi * np.arange(terms), start.dtype) / length
    middle = (start + 0.5 * size)[:, None] * wave[None, :]
    half = 0.5 * size[:, None] * wave[None, :]
    return jnp.cos(middle) * jnp.sinc(half / np.pi)
