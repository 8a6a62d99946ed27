r"""Layered stack in time: backward Euler steps, or exact propagation under constant power.

    (C / dt + K) T_(n+1) = C / dt T_n + q                             backward Euler, first order in dt
    T(t) = T_inf + C^(-1/2) V exp(-Lambda t) V^T C^(1/2) (T_0 - T_inf)   exact, V Lambda V^T = C^(-1/2) K C^(-1/2)

| symbol    | meaning                                                                            | unit        |
|-----------|------------------------------------------------------------------------------------|-------------|
| K         | tridiagonal conductance matrix of one mode, per area                               | W/(m2K)     |
| C         | heat capacity of the layers, per area: c_v t                                       | J/(m2K)     |
| T_inf     | steady state under the power of the interval                                       | K           |

Both stay in mode space between steps. Source: backward Euler as compact thermal models use it (see `stack`); exact
propagation from the eigenvectors of a symmetric matrix, C. Moler and C. Van Loan, SIAM Review 45(1), 2003, method 14.
A tridiagonal matrix with couplings above zero has distinct eigenvalues, so the exact form differentiates too. Range:
that of `stack`.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from voltherm.thermal.cosine_transform import from_modes, to_modes
from voltherm.thermal.stack import LayeredStack, mode_source, mode_system
from voltherm.thermal.tridiagonal import solve_tridiagonal


def areal_heat_capacity(stack: LayeredStack) -> Float[Array, "layer 1 1"]:
    """Heat capacity per area of each layer [J/(m2K)], shaped to stand beside modes."""
    return (stack.thickness * stack.volumetric_heat_capacity)[:, None, None]


def backward_euler(
    stack: LayeredStack,
    initial: Float[Array, "layer row column"],
    power: Float[Array, "step layer row column"],
    step: Float[Array, ""],
) -> Float[Array, "step layer row column"]:
    """Temperatures [K] at the end of every step of `step` [s], from the power [W] held during each."""
    diagonal, coupling = mode_system(stack)
    inertia = jnp.broadcast_to(areal_heat_capacity(stack) / step, diagonal.shape)

    def advance(modes: Array, held: Array) -> tuple[Array, Array]:
        after = solve_tridiagonal(diagonal + inertia, coupling, inertia * modes + mode_source(stack, held))
        return after, from_modes(after)

    start = to_modes(initial - stack.reference_temperature)
    _, rise = jax.lax.scan(advance, start, power)
    return stack.reference_temperature + rise


def propagate(
    stack: LayeredStack,
    initial: Float[Array, "layer row column"],
    power: Float[Array, "layer row column"],
    times: Float[Array, " time"],
) -> Float[Array, "time layer row column"]:
    """Temperatures [K] at `times` [s] after the start under constant power [W]; no error in time.

    Takes one symmetric eigenproblem of the size of the layers per mode: for few modes, or layers up to some tens.
    """
    diagonal, coupling = mode_system(stack)
    layers = diagonal.shape[0]
    root = jnp.sqrt(areal_heat_capacity(stack)[:, 0, 0])
    scaled = diagonal / jnp.broadcast_to((root**2)[:, None, None], diagonal.shape)
    links = coupling / (root[:-1] * root[1:])
    matrices = jax.vmap(jax.vmap(lambda column: jnp.diag(column)))(jnp.moveaxis(scaled, 0, -1))
    off_diagonal = jnp.diag(links, 1) + jnp.diag(links, -1) if layers > 1 else jnp.zeros((1, 1), root.dtype)
    rates, vectors = jnp.linalg.eigh(matrices - jnp.broadcast_to(off_diagonal, matrices.shape))
    settled = solve_tridiagonal(diagonal, coupling, mode_source(stack, power))
    departure = to_modes(initial - stack.reference_temperature) - settled
    amplitudes = jnp.einsum("rczi,z,zrc->rci", vectors, root, departure)

    def at(time: Float[Array, ""]) -> Float[Array, "layer row column"]:
        decayed = jnp.einsum("rczi,rci->zrc", vectors, amplitudes * jnp.exp(-rates * time))
        modes = settled + decayed / jnp.broadcast_to(root[:, None, None], settled.shape)
        return stack.reference_temperature + from_modes(modes)

    return jax.vmap(at)(times)
