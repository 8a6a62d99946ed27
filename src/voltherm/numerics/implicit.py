"""Derivatives of the root of an equation, from the implicit function theorem.

For R(y(a), a) = 0 with J = ∂R/∂y

    dy = -J⁻¹ (∂R/∂a) da

whatever iteration found y. The rule calls itself on y, so that second and higher derivatives follow from the same line,
and is linear in da and transposable wherever the linear solve is, so that reverse mode is one transposed solve.

A lane that failed has the gradient zero. Three masks do that: on da, on the right-hand side and on dy. In reverse mode
each stops NaN on its way back: 0 · NaN never reaches the caller. Its value is the caller's, finite, so that what is
computed from it can be masked where it ends: in between, NaN would spoil the gradient of what is thrown away.
"""

from collections.abc import Callable
from types import FunctionType
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Bool, PyTree

Residual = Callable[[Any, Any], PyTree]
"""residual(y, args), of the structure of y."""

LinearSolve = Callable[[Any, Any, Any], PyTree]
"""linear_solve(y, args, right_hand_side): J(y, args)⁻¹ times the right-hand side, transposable with respect to it."""


def open_closures(
    like: PyTree, args: PyTree, *functions: tuple[Callable[..., PyTree], int | tuple[PyTree, ...]]
) -> tuple[tuple[Callable[..., PyTree], ...], PyTree]:
    """The same functions with every array that they close over moved into `args`.

    A derivative rule sees its arguments only, and may run when the trace in which a closure was made has ended. Without
    this an array caught in a closure would have a derivative of zero, and nobody would be told.

    Each function comes with the number of its arguments after (y, args) that are like y, or with examples of those
    arguments; `like` is such a y. It is traced once here, so that using it several times afterwards costs little.
    """
    if all(isinstance(function, FunctionType) and function.__closure__ is None for function, _ in functions):
        return tuple(function for function, _ in functions), args
    arrays, static = eqx.partition(args, eqx.is_array)

    def opened(
        number: int, function: Callable[..., PyTree], more: int | tuple[PyTree, ...]
    ) -> tuple[PyTree, Callable[..., PyTree]]:
        examples = more if isinstance(more, tuple) else (like,) * more
        converted = eqx.filter_closure_convert(
            lambda y, arrays, *rest: function(y, eqx.combine(arrays, static), *rest), like, arrays, *examples
        )
        return converted, lambda y, args, *rest: args[1][number](y, args[0], *rest)

    # A converted function is a pytree whose leaves are what was caught, so it can travel as an argument itself.
    pairs = [opened(number, function, more) for number, (function, more) in enumerate(functions)]
    return tuple(caller for _, caller in pairs), (arrays, tuple(converted for converted, _ in pairs))


def without_gradient(tree: PyTree) -> PyTree:
    """The tree with its arrays cut off from differentiation: what an iteration works on."""
    return jax.tree.map(lambda leaf: jax.lax.stop_gradient(leaf) if eqx.is_array(leaf) else leaf, tree)


def implicit_root(
    residual: Residual,
    linear_solve: LinearSolve,
    value: PyTree,
    succeeded: Bool[Array, ""],
    args: PyTree,
) -> PyTree:
    """`value`, with the derivatives with respect to `args` that R(value, args) = 0 implies.

    **Arguments**

    - `residual(y, args)`: R, of the structure of y.
    - `linear_solve(y, args, right_hand_side)`: J⁻¹ times the right-hand side; transposable with respect to it.
    - `value`: the root, found by any iteration, or any finite state where the solve failed; derivatives are evaluated
      there, too, and thrown away. Not differentiated itself.
    - `succeeded`: False gives zero gradient.
    - `args`: any pytree. What is to be differentiated must come through it, not through a closure: `open_closures`.
    """
    differentiable, other = eqx.partition(args, eqx.is_inexact_array)
    leaves, structure = jax.tree.flatten(differentiable)
    other_arrays, static = eqx.partition(other, eqx.is_array)

    @jax.custom_jvp
    def root(value: PyTree, succeeded: Array, other_arrays: PyTree, leaves: list[Array]) -> PyTree:
        return value

    def rule(primals: Any, tangents: Any) -> tuple[PyTree, PyTree]:
        value, succeeded, other_arrays, leaves = primals
        y = root(value, succeeded, other_arrays, leaves)
        moving = [number for number, tangent in enumerate(tangents[3]) if not is_symbolic_zero(tangent)]
        if not moving:
            return y, jax.tree.map(jnp.zeros_like, y)

        def joined(moved: list[Array]) -> PyTree:
            parts = list(leaves)
            for number, leaf in zip(moving, moved, strict=True):
                parts[number] = leaf
            return eqx.combine(jax.tree.unflatten(structure, parts), other_arrays, static)

        def mask(leaf: Array) -> Array:
            return jnp.where(succeeded, leaf, jnp.zeros_like(leaf))

        _, change = jax.jvp(
            lambda moved: residual(y, joined(moved)),
            ([leaves[number] for number in moving],),
            ([mask(tangents[3][number]) for number in moving],),
        )
        right_hand_side = jax.tree.map(lambda leaf: mask(-leaf), change)
        step = linear_solve(y, joined([leaves[number] for number in moving]), right_hand_side)
        return y, jax.tree.map(mask, step)

    root.defjvp(rule, symbolic_zeros=True)
    return root(jax.lax.stop_gradient(value), succeeded, other_arrays, leaves)


def masked(tree: PyTree, succeeded: Bool[Array, ""]) -> PyTree:
    """The tree, NaN where the solve failed."""
    return jax.tree.map(lambda leaf: jnp.where(succeeded, leaf, jnp.nan), tree)


def is_symbolic_zero(tangent: Any) -> bool:
    """Whether a tangent handed to a rule with `symbolic_zeros` is known to vanish."""
    return isinstance(tangent, jax.custom_derivatives.SymbolicZero)
