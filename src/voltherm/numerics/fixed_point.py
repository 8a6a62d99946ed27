"""Fixed points y = F(y, a) by Anderson acceleration, with implicit derivatives.

With f = F(y) - y, and ΔF, ΔG the differences of the last `depth` residuals f and images F(y),

    γ = argmin |f_k - ΔF γ|,    y_{k+1} = F(y_k) - ΔG γ

(Anderson 1965; Walker and Ni 2011, SIAM J. Numer. Anal. 49, 1715-1735, eq. 2.1). The small least-squares problem is
solved from its normal equations with a relative shift, which leaves unused columns out of play. Where F is not finite
the history is emptied, and a shorter step is tried from the best point so far; where F has kinks and the history
brings no gain, it is emptied too, and a shorter plain step follows.

Derivative: (I - ∂F/∂y) dy = (∂F/∂a) da, by GMRES without forming the matrix, in scaled unknowns; reverse mode runs
GMRES on the transpose.
"""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Bool, Float, Int, PyTree

from voltherm.numerics.implicit import held, is_symbolic_zero, open_closures
from voltherm.numerics.krylov import gmres
from voltherm.numerics.newton import ROUND_OFF_FLOOR
from voltherm.numerics.results import ResultCode, Solution, Status, worst_index

_KRYLOV_DIMENSION = 60
_SMOOTH = 1e4
"""Times the tolerance: below it the map is taken as smooth."""
_SHORTER = 0.7
"""Share of a plain step that is taken where past steps misled."""


class _State(eqx.Module):
    """Carry of the iteration; `change` is F(y) - y. `images` and `residuals` are rings of differences of F(y) and of
    F(y) - y, one row per past step."""

    y: Float[Array, " unknown"]
    change: Float[Array, " unknown"]
    images: Float[Array, "depth unknown"]
    residuals: Float[Array, "depth unknown"]
    best_y: Float[Array, " unknown"]
    best_change: Float[Array, " unknown"]
    best_auxiliary: PyTree
    hint: PyTree
    best_norm: Float[Array, ""]
    damping: Float[Array, ""]
    without_gain: Int[Array, ""]
    iterations: Int[Array, ""]
    result: Int[Array, ""]
    running: Bool[Array, ""]


def fixed_point(
    function: Callable[..., Any],
    initial: Float[Array, " unknown"],
    args: PyTree,
    *,
    tolerance: float,
    maximum_iterations: int = 50,
    depth: int = 5,
    scale: Float[Array, " unknown"] | float | None = None,
    has_aux: bool = False,
    hint: Callable[[PyTree], PyTree] | None = None,
    first_hint: PyTree = None,
) -> Solution:
    """Solve y = function(y, args).

    **Arguments**

    - `function(y, args)`: 1-D array to 1-D array of the same length.
    - `initial`: first guess; not differentiated.
    - `args`: any pytree; derivatives pass through its floating-point arrays.
    - `tolerance`: on max |function(y) - y| / scale.
    - `depth`: past steps that the acceleration uses.
    - `scale`: size of a change of y that counts as 1. Default 1.
    - `has_aux`: `function` returns (F(y), auxiliary), and `value` is (y, auxiliary at y). The auxiliary is what the
      last evaluation found on its way, so that nothing is computed, or compiled, twice; it is differentiated like y.
    - `hint(auxiliary)`: what the next evaluation may start its inner solves from; `function(y, args, hint)` then takes
      it as third argument, `first_hint` in the first evaluation. It must not change F(y), and is not differentiated.

    **Returns** a `Solution` with `value` (unknown,). Result codes: `CONVERGED`, `MAXIMUM_ITERATIONS`, `NOT_FINITE`.
    """
    initial = lax.stop_gradient(jnp.asarray(initial))
    scales = jnp.ones_like(initial) if scale is None else lax.stop_gradient(scale * jnp.ones_like(initial))
    given = _normalised(function, has_aux, hint is not None)
    (opened,), args = open_closures(initial, args, (given, (first_hint,)))
    hint_of = hint or (lambda auxiliary: None)
    held_args = held(args)
    epsilon = float(jnp.finfo(initial.dtype).eps)

    def evaluate(y: Array, args: PyTree, hint: PyTree) -> tuple[Array, PyTree]:
        # a constant comes out of an opened closure as a bare number
        return jax.tree.map(jnp.asarray, opened(y, args, hint))

    def norm_of(change: Array) -> Array:
        norm = jnp.max(jnp.abs(change / scales), initial=0.0)
        return jnp.where(jnp.isfinite(norm), norm, jnp.inf)

    def iterate(state: _State) -> _State:
        y = jnp.where(state.damping < 1.0, state.y + state.damping * state.change, _accelerated(state, scales))
        image, auxiliary = evaluate(y, held_args, state.hint)
        change = image - y
        norm = norm_of(change)
        lost, better = ~jnp.isfinite(norm), norm < state.best_norm
        without_gain = jnp.where(better, 0, state.without_gain + 1)
        best_norm = jnp.minimum(norm, state.best_norm)
        best_y, best_change = jnp.where(better, y, state.best_y), jnp.where(better, change, state.best_change)
        floor = (without_gain >= depth) & (best_norm <= ROUND_OFF_FLOOR * epsilon)
        converged = (best_norm <= tolerance) | floor
        # The first evaluation has no difference to the one before. The image is y + change: its difference is the sum.
        lonely = lost | ~jnp.isfinite(state.best_norm)
        # Steps from the other side of a kink mislead: a history of two or more without gain is dropped, for a shorter
        # step; one alone has only begun to explain the map.
        # Near the end the gain of a step is rounding, and says nothing.
        several = jnp.any(state.residuals[min(1, depth - 1)] != 0.0)
        misled = ~better & several & (best_norm > _SMOOTH * tolerance)
        stale = lonely | misled
        step, step_of_change = y - state.y, change - state.change
        result = jnp.where(lost, ResultCode.NOT_FINITE, ResultCode.MAXIMUM_ITERATIONS)
        return _State(
            y=jnp.where(lost, best_y, y),
            change=jnp.where(lost, best_change, change),
            images=jnp.where(stale, 0.0, jnp.roll(state.images, 1, axis=0).at[0].set(step + step_of_change)),
            residuals=jnp.where(stale, 0.0, jnp.roll(state.residuals, 1, axis=0).at[0].set(step_of_change)),
            best_y=best_y,
            best_change=best_change,
            best_auxiliary=jax.tree.map(lambda new, old: jnp.where(better, new, old), auxiliary, state.best_auxiliary),
            hint=held(hint_of(auxiliary)),
            best_norm=best_norm,
            damping=jnp.where(lost, 0.5 * state.damping, jnp.where(misled, _SHORTER, 1.0)),
            without_gain=without_gain,
            iterations=state.iterations + 1,
            result=jnp.where(converged, ResultCode.CONVERGED, result).astype(jnp.int32),
            running=~converged & jnp.isfinite(best_norm),
        )

    nothing = jnp.zeros_like(initial)
    shapes = eqx.filter_eval_shape(evaluate, initial, held_args, first_hint)[1]
    state = lax.while_loop(
        lambda state: state.running & (state.iterations < maximum_iterations),
        iterate,
        _State(
            y=initial,
            change=nothing,
            images=jnp.zeros((depth, initial.size), initial.dtype),
            residuals=jnp.zeros((depth, initial.size), initial.dtype),
            best_y=initial,
            best_change=nothing,
            best_auxiliary=jax.tree.map(lambda shape: jnp.zeros(shape.shape, shape.dtype), shapes),
            hint=first_hint,
            best_norm=jnp.full((), jnp.inf, initial.dtype),
            damping=jnp.ones((), initial.dtype),
            without_gain=jnp.zeros((), jnp.int32),
            iterations=jnp.full((), -1, jnp.int32),  # the evaluation of the first guess is none
            result=jnp.full((), ResultCode.MAXIMUM_ITERATIONS, jnp.int32),
            running=jnp.ones((), bool),
        ),
    )
    magnitude = jnp.abs(state.best_change / scales)
    status = Status(
        result=state.result,
        residual=state.best_norm,
        iterations=state.iterations,
        worst=worst_index(magnitude),
    )
    value, auxiliary = _with_derivatives(
        lambda y, known: evaluate(y, *known),
        state.best_y,
        state.best_auxiliary,
        initial,
        status.converged,
        scales,
        (args, state.hint),
    )
    return Solution(value=(value, auxiliary) if has_aux else value, status=status)


def _normalised(
    function: Callable[..., Any], has_aux: bool, hinted: bool
) -> Callable[[Any, Any, Any], tuple[Array, PyTree]]:
    """`function` as (y, args, hint) -> (F(y), auxiliary)."""

    def normal(y: Array, args: PyTree, hint: PyTree) -> tuple[Array, PyTree]:
        found = function(y, args, hint) if hinted else function(y, args)
        return found if has_aux else (found, None)

    return normal


def known_fixed_point(
    function: Callable[..., tuple[Float[Array, " unknown"], PyTree]],
    value: Float[Array, " unknown"],
    auxiliary: PyTree,
    args: PyTree,
    *,
    hint: Callable[[PyTree], PyTree] | None = None,
) -> tuple[Float[Array, " unknown"], PyTree]:
    """A fixed point and its auxiliary that were found before, with their derivatives and without iterating again.

    **Arguments**: `function`, `hint` as for `fixed_point` with `has_aux`; `value` and `auxiliary` are what that
    returned for the same `args`.

    **Returns** both, differentiable with respect to `args`. Nothing is evaluated unless a derivative is taken.
    """
    value = lax.stop_gradient(value)
    last = () if hint is None else (held(hint(auxiliary)),)
    (evaluate,), args = open_closures(value, args, (function, last))
    return _with_derivatives(
        lambda y, known: evaluate(y, *known),
        value,
        auxiliary,
        value,
        jnp.ones((), bool),
        jnp.ones_like(value),
        (args, *last),
    )


def _with_derivatives(
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
        return jax.tree.map(lambda leaf: jnp.where(succeeded, leaf, jnp.nan), (value, floating))

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
        still = [jnp.zeros_like(leaf) for leaf in moved]
        _, derivative = jax.linearize(at, y, moved)

        def matrix(direction: Array) -> Array:
            return direction - derivative(scales * direction, still)[0] / scales

        right_hand_side = mask(derivative(jnp.zeros_like(y), directions)[0]) / scales
        # GMRES scales its tolerance with the right-hand side: it must stand in a solve that is linear by declaration.
        change = mask(scales * lax.custom_linear_solve(matrix, right_hand_side, _solve, transpose_solve=_solve))
        return found, (change, jax.tree.map(mask, derivative(change, directions)[1]))

    known.defjvp(rule, symbolic_zeros=True)
    stopped = lax.stop_gradient((value, floating, fallback))
    value, floating = known(*stopped, succeeded, scales, other_arrays, leaves)
    return value, eqx.combine(floating, other_auxiliary)


def _solve(matrix: Callable[[Array], Array], right_hand_side: Array) -> Array:
    tolerance = 50.0 * float(jnp.finfo(right_hand_side.dtype).eps)
    return gmres(matrix, right_hand_side, tolerance=tolerance, maximum_steps=_KRYLOV_DIMENSION)


def _accelerated(state: _State, scales: Array) -> Array:
    """The next point: the image, less the part that past differences explain."""
    differences = state.residuals / scales[None, :]
    gram = differences @ differences.T
    diagonal = jnp.diagonal(gram)
    # Equilibrated, the shift is relative; a column of the ring that is still empty gets the pivot 1 and the weight 0.
    weight = jnp.where(diagonal > 0.0, 1.0 / jnp.sqrt(jnp.where(diagonal > 0.0, diagonal, 1.0)), 0.0)
    shift = 10.0 * jnp.finfo(gram.dtype).eps
    matrix = weight[:, None] * gram * weight[None, :]
    matrix = matrix + jnp.diag(jnp.where(diagonal > 0.0, shift, 1.0).astype(gram.dtype))
    mixing = weight * jnp.linalg.solve(matrix, weight * (differences @ (state.change / scales)))
    image = state.y + state.change
    accelerated = image - mixing @ state.images
    return jnp.where(jnp.all(jnp.isfinite(accelerated)), accelerated, image)
