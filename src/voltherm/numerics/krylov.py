"""GMRES with the matrix applied in one place, so that what stands behind it is compiled once.

    minimise |b - A x| over x in span(b, A b, A² b, ...)

by Arnoldi's process with Gram-Schmidt twice; the small least-squares problem is solved by QR in every step (Saad and
Schultz 1986, SIAM J. Sci. Stat. Comput. 7, 856-869). No restarts: the derivatives of contracting fixed points need a
dozen directions.
"""

from collections.abc import Callable

import equinox as eqx
import jax.numpy as jnp
from jax import Array, lax
from jax.scipy.linalg import solve_triangular
from jaxtyping import Float, Int


class _State(eqx.Module):
    """Carry: orthonormal `basis`, Hessenberg matrix, weights of the basis in the solution, |b - A x|, steps."""

    basis: Float[Array, "direction unknown"]
    hessenberg: Float[Array, "direction step"]
    weights: Float[Array, " step"]
    residual: Float[Array, ""]
    steps: Int[Array, ""]


def gmres(
    matrix: Callable[[Float[Array, " unknown"]], Float[Array, " unknown"]],
    right_hand_side: Float[Array, " unknown"],
    *,
    tolerance: float,
    maximum_steps: int,
) -> Float[Array, " unknown"]:
    """Solve matrix(x) = right_hand_side to `tolerance` relative to the right-hand side, in `maximum_steps` or fewer."""
    size = right_hand_side.size
    steps = max(1, min(size, maximum_steps))
    dtype = right_hand_side.dtype
    length = jnp.sqrt(jnp.sum(right_hand_side**2))
    target = jnp.zeros(steps + 1, dtype).at[0].set(length)
    # a column that is not filled yet must not take part: its one entry stands where the filled ones have none
    empty = jnp.eye(steps + 1, steps, -1, dtype=dtype)

    def extend(state: _State) -> _State:
        vector = matrix(state.basis[state.steps])
        first = state.basis @ vector
        vector = vector - first @ state.basis
        second = state.basis @ vector
        vector = vector - second @ state.basis
        left = jnp.sqrt(jnp.sum(vector**2))
        column = (first + second).at[state.steps + 1].set(left)
        hessenberg = state.hessenberg.at[:, state.steps].set(column)
        basis = state.basis.at[state.steps + 1].set(vector / jnp.where(left > 0.0, left, 1.0))
        unitary, triangle = jnp.linalg.qr(hessenberg)
        weights = solve_triangular(triangle, unitary.T @ target)
        missing = target - hessenberg @ weights
        return _State(basis, hessenberg, weights, jnp.sqrt(jnp.sum(missing**2)), state.steps + 1)

    start = jnp.zeros((steps + 1, size), dtype).at[0].set(right_hand_side / jnp.where(length > 0.0, length, 1.0))
    state = lax.while_loop(
        lambda state: (state.residual > tolerance * length) & (state.steps < steps),
        extend,
        _State(start, empty, jnp.zeros(steps, dtype), length, jnp.zeros((), jnp.int32)),
    )
    return state.weights @ state.basis[:-1]
