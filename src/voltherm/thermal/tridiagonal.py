r"""Symmetric tridiagonal systems through the layers, one for every mode in the plane.

    d_i x_i - o_(i-1) x_(i-1) - o_i x_(i+1) = b_i

| symbol | meaning                                                        |
|--------|----------------------------------------------------------------|
| d_i    | diagonal of layer i, one value per mode                        |
| o_i    | coupling of layers i and i + 1, the same for all modes, >= 0   |

Source: Thomas algorithm (L. H. Thomas, 1949), stable without pivoting because the systems are diagonally dominant.
Derivatives are implicit: the matrix is its own transpose, so forward and reverse mode cost one more solve each.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def solve_tridiagonal(
    diagonal: Float[Array, "layer row column"],
    coupling: Float[Array, " link"],
    right_hand_side: Float[Array, "layer row column"],
) -> Float[Array, "layer row column"]:
    """Solution (layer, row, column), differentiable in all arguments; not finite where singular."""

    def multiply(x: Float[Array, "layer row column"]) -> Float[Array, "layer row column"]:
        weight = coupling[:, None, None]
        above = jnp.concatenate([_scale(weight, x[1:]), jnp.zeros_like(x[:1])])
        below = jnp.concatenate([jnp.zeros_like(x[:1]), _scale(weight, x[:-1])])
        return diagonal * x - above - below

    def solve(_: object, b: Float[Array, "layer row column"]) -> Float[Array, "layer row column"]:
        return _thomas(diagonal, coupling, b)

    return jax.lax.custom_linear_solve(multiply, right_hand_side, solve, symmetric=True)


def _scale(weight: Float[Array, "link 1 1"], x: Float[Array, "link row column"]) -> Float[Array, "link row column"]:
    return jnp.broadcast_to(weight, x.shape) * x


def _thomas(
    diagonal: Float[Array, "layer row column"],
    coupling: Float[Array, " link"],
    right_hand_side: Float[Array, "layer row column"],
) -> Float[Array, "layer row column"]:
    def eliminate(
        carry: tuple[Array, Array], layer: tuple[Array, Array, Array]
    ) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
        pivot, reduced = carry
        d, o, b = layer
        factor = o / pivot
        carry = (d - o * factor, b + factor * reduced)
        return carry, carry

    first = (diagonal[0], right_hand_side[0])
    _, (pivots, reduced) = jax.lax.scan(eliminate, first, (diagonal[1:], coupling, right_hand_side[1:]))
    pivots = jnp.concatenate([first[0][None], pivots])
    reduced = jnp.concatenate([first[1][None], reduced])

    def substitute(x: Array, layer: tuple[Array, Array, Array]) -> tuple[Array, Array]:
        pivot, o, b = layer
        x = (b + o * x) / pivot
        return x, x

    last = reduced[-1] / pivots[-1]
    _, others = jax.lax.scan(substitute, last, (pivots[:-1], coupling, reduced[:-1]), reverse=True)
    return jnp.concatenate([others, last[None]])
