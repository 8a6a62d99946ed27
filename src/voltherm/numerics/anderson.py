"""Anderson's acceleration of y = F(y).

With f = F(y) - y, and ΔF, ΔG the differences of the last `depth` residuals f and images F(y),

    γ = argmin |f_k - ΔF γ|,    y_{k+1} = F(y_k) - ΔG γ

(Anderson 1965; Walker and Ni 2011, SIAM J. Numer. Anal. 49, 1715-1735, eq. 2.1). The small least-squares problem is
solved from its normal equations with a relative shift, which leaves unused columns out of play. Where F is not finite
the history is emptied, and a shorter step is tried from the best point so far; where F has kinks and the history
brings no gain, it is emptied too, and a shorter plain step follows.
"""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Bool, Float, Int, PyTree

from voltherm.numerics.implicit import without_gradient
from voltherm.numerics.nan_max import nan_max
from voltherm.numerics.newton import ROUND_OFF_FLOOR
from voltherm.numerics.results import ResultCode, Status, worst_index

_SMOOTH = 1e4
"""Times the tolerance: below it the map is taken as smooth."""
_SHORTER = 0.7
"""Share of a plain step that is taken where a past secant was bad."""


class Iteration(eqx.Module):
    """Carry of the iteration; `change` is F(y) - y. `images` and `residuals` are rings of differences of F(y) and of
    F(y) - y, one row per past step. `auxiliary` is that of the last evaluation, which is the best one where it ends
    well: keeping that of the best one at every step would cost a large part of an evaluation."""

    y: Float[Array, " unknown"]
    change: Float[Array, " unknown"]
    images: Float[Array, "depth unknown"]
    residuals: Float[Array, "depth unknown"]
    best_y: Float[Array, " unknown"]
    best_change: Float[Array, " unknown"]
    best_also: Float[Array, " other"]
    auxiliary: PyTree
    hint: PyTree
    best_norm: Float[Array, ""]
    damping: Float[Array, ""]
    without_gain: Int[Array, ""]
    iterations: Int[Array, ""]
    result: Int[Array, ""]
    running: Bool[Array, ""]

    def status(self, scales: Float[Array, " unknown"]) -> Status:
        """What became of it; `scales`: size of a change that counts as 1."""
        magnitude = jnp.abs(self.best_change / scales)
        return Status(self.result, self.best_norm, self.iterations, worst_index(magnitude))


def anderson(
    evaluate: Callable[[Float[Array, " unknown"], PyTree], tuple[Float[Array, " unknown"], PyTree]],
    initial: Float[Array, " unknown"],
    first_hint: PyTree,
    *,
    hint: Callable[[PyTree], PyTree],
    also: Callable[[PyTree], Float[Array, " other"]] | None = None,
    tolerance: float,
    maximum_iterations: int,
    depth: int,
    scales: Float[Array, " unknown"],
) -> Iteration:
    """The iteration by itself, without derivatives.

    **Arguments**: as for `fixed_point`, and `evaluate(y, hint)`: F(y) and an auxiliary; `also(auxiliary)`: what else
    has to vanish with F(y) - y, in the same units.
    """
    epsilon = float(jnp.finfo(initial.dtype).eps)
    # traced once, for the shapes of the auxiliary and for the loop
    traced = eqx.filter_closure_convert(evaluate, initial, first_hint)

    def evaluated(y: Array, hint: PyTree) -> tuple[Array, PyTree]:
        # a constant comes out of it as a bare number
        return jax.tree.map(jnp.asarray, traced(y, hint))

    shapes = eqx.filter_eval_shape(evaluated, initial, first_hint)[1]

    def others(auxiliary: PyTree) -> Array:
        return jnp.zeros((0,), initial.dtype) if also is None else also(auxiliary)

    def iterate(state: Iteration) -> Iteration:
        y = jnp.where(state.damping < 1.0, state.y + state.damping * state.change, _accelerated(state, scales))
        image, auxiliary = evaluated(y, state.hint)
        change = image - y
        other = others(auxiliary)
        norm = nan_max(jnp.abs(jnp.concatenate([change / scales, other])), 0.0)
        norm = jnp.where(jnp.isfinite(norm), norm, jnp.inf)
        lost, better = ~jnp.isfinite(norm), norm < state.best_norm
        without_gain = jnp.where(better, 0, state.without_gain + 1)
        floor = (without_gain >= depth) & (norm <= ROUND_OFF_FLOOR * epsilon)
        converged = (norm <= tolerance) | floor
        kept = better | converged
        best_norm = jnp.where(kept, norm, state.best_norm)
        best_y, best_change = jnp.where(kept, y, state.best_y), jnp.where(kept, change, state.best_change)
        # The first evaluation has no difference to the one before. The image is y + change: its difference is the sum.
        no_history = lost | ~jnp.isfinite(state.best_norm)
        # Steps from the other side of a kink mislead: a history of two or more without gain is dropped, for a shorter
        # step; one alone has only begun to explain the map.
        # Near the end the gain of a step is rounding, and says nothing.
        several = jnp.any(state.residuals[min(1, depth - 1)] != 0.0)
        bad_secant = ~better & several & (best_norm > _SMOOTH * tolerance)
        reset = no_history | bad_secant
        step, step_of_change = y - state.y, change - state.change
        result = jnp.where(lost, ResultCode.NOT_FINITE, ResultCode.MAXIMUM_ITERATIONS)
        return Iteration(
            y=jnp.where(lost, best_y, y),
            change=jnp.where(lost, best_change, change),
            images=jnp.where(reset, 0.0, jnp.roll(state.images, 1, axis=0).at[0].set(step + step_of_change)),
            residuals=jnp.where(reset, 0.0, jnp.roll(state.residuals, 1, axis=0).at[0].set(step_of_change)),
            best_y=best_y,
            best_change=best_change,
            best_also=jnp.where(kept, other, state.best_also),
            auxiliary=auxiliary,
            hint=without_gradient(hint(auxiliary)),
            best_norm=best_norm,
            damping=jnp.where(lost, 0.5 * state.damping, jnp.where(bad_secant, _SHORTER, 1.0)),
            without_gain=without_gain,
            iterations=state.iterations + 1,
            result=jnp.where(converged, ResultCode.CONVERGED, result).astype(jnp.int32),
            running=~converged & jnp.isfinite(best_norm),
        )

    nothing, empty = jnp.zeros_like(initial), jax.tree.map(lambda shape: jnp.zeros(shape.shape, shape.dtype), shapes)
    return lax.while_loop(
        lambda state: state.running & (state.iterations < maximum_iterations),
        iterate,
        Iteration(
            y=initial,
            change=nothing,
            images=jnp.zeros((depth, initial.size), initial.dtype),
            residuals=jnp.zeros((depth, initial.size), initial.dtype),
            best_y=initial,
            best_change=nothing,
            best_also=jnp.zeros_like(others(empty)),
            auxiliary=empty,
            hint=first_hint,
            best_norm=jnp.full((), jnp.inf, initial.dtype),
            damping=jnp.ones((), initial.dtype),
            without_gain=jnp.zeros((), jnp.int32),
            iterations=jnp.full((), -1, jnp.int32),  # the evaluation of the first guess is none
            result=jnp.full((), ResultCode.MAXIMUM_ITERATIONS, jnp.int32),
            running=jnp.ones((), bool),
        ),
    )


def _accelerated(state: Iteration, scales: Array) -> Array:
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
