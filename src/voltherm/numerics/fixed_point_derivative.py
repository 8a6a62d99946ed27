"""Derivatives of a fixed point y = F(y, a), and of what F finds on its way, from the implicit function theorem.

    (1 - ∂F/∂y) dy = (∂F/∂a) da,    dx = (∂x/∂y) dy + (∂x/∂a) da

F is linearised once, and the linear map stands in the compiled program once: (da, dy, dx) is the solution of a system
whose matrix is 1 - N, N = the linearised F, and `voltherm.numerics.krylov.gmres` walks it from da to dx. Its transpose
is walked from dx to da by the same loop.
"""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Bool, PyTree

from voltherm.numerics.implicit import is_symbolic_zero, masked
from voltherm.numerics.krylov import gmres

_KRYLOV_DIMENSION = 60


def with_derivatives(
    evaluate: Callable[[Any, Any], tuple[Array, PyTree]],
    value: Array,
    auxiliary: PyTree,
    fallback: Array,
    succeeded: Bool[Array, ""],
    scales: Array,
    args: PyTree,
) -> tuple[Array, PyTree]:
    """A fixed point and the auxiliary found there, with the derivatives by `args` that the equation implies.

    The rule is that of `implicit_root`, written out so that F is linearised once for the right-hand side, for every
    direction of the Krylov solve and for the auxiliary. Arguments as there; `scales` measures y.
    """
    floating, other_auxiliary = eqx.partition(auxiliary, eqx.is_inexact_array)
    differentiable, other = eqx.partition(args, eqx.is_inexact_array)
    leaves, structure = jax.tree.flatten(differentiable)
    other_arrays, static = eqx.partition(other, eqx.is_array)

    @jax.custom_jvp
    def known(
        value: Array,
        floating: PyTree,
        fallback: Array,
        succeeded: Array,
        scales: Array,
        other_arrays: PyTree,
        leaves: list[Array],
    ) -> tuple[Array, PyTree]:
        return masked((value, floating), succeeded)

    def rule(primals: Any, tangents: Any) -> tuple[PyTree, PyTree]:
        _, _, fallback, succeeded, scales, other_arrays, leaves = primals
        found = known(*primals)
        moving = [number for number, tangent in enumerate(tangents[-1]) if not is_symbolic_zero(tangent)]
        if not moving:
            return found, jax.tree.map(jnp.zeros_like, found)

        def at(y: Array, moved: list[Array]) -> tuple[Array, PyTree]:
            parts = list(leaves)
            for number, leaf in zip(moving, moved, strict=True):
                parts[number] = leaf
            image, auxiliary = evaluate(y, eqx.combine(jax.tree.unflatten(structure, parts), other_arrays, static))
            return image, eqx.filter(auxiliary, eqx.is_inexact_array)

        def mask(leaf: Array) -> Array:
            return jnp.where(succeeded, leaf, jnp.zeros_like(leaf))

        y = jnp.where(succeeded, found[0], fallback)
        moved = [leaves[number] for number in moving]
        directions = [mask(tangents[-1][number]) for number in moving]
        (_, there), derivative = jax.linearize(at, y, moved)

        def matrix(vector: tuple[list[Array], Array, PyTree]) -> tuple[list[Array], Array, PyTree]:
            parameters, unknowns, others = vector
            image, response = derivative(scales * unknowns, parameters)
            return parameters, unknowns - image / scales, jax.tree.map(jnp.subtract, others, response)

        # zeros, but linear in the directions: a transposed solve wants the whole right-hand side to be
        nothing = 0.0 * jnp.sum(directions[0])

        def zeros_like(leaf: Array) -> Array:
            return jnp.broadcast_to(nothing.astype(leaf.dtype), leaf.shape)

        right_hand_side = (directions, zeros_like(y), jax.tree.map(zeros_like, there))
        # GMRES scales its tolerance with the right-hand side: it must stand in a solve that is linear by declaration.
        solution = lax.custom_linear_solve(matrix, right_hand_side, _solve, transpose_solve=_solve)
        _, change, others = jax.tree.map(mask, solution)
        return found, (scales * change, others)

    known.defjvp(rule, symbolic_zeros=True)
    stopped = lax.stop_gradient((value, floating, fallback))
    value, floating = known(*stopped, succeeded, scales, other_arrays, leaves)
    return value, eqx.combine(floating, other_auxiliary)


def _solve(matrix: Callable[[Any], Any], right_hand_side: tuple[list[Array], Array, PyTree]) -> Any:
    def product(*vector: Any) -> Any:
        return jax.tree.map(jnp.subtract, vector, tuple(matrix(vector)))

    tolerance = 50.0 * float(jnp.finfo(right_hand_side[1].dtype).eps)
    return gmres(product, right_hand_side, tolerance=tolerance, maximum_steps=_KRYLOV_DIMENSION)
