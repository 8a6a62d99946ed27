"""Newton's method on z = C(z) with a Jacobian from differences along a few directions, evaluated beside the iterate.

    f = C(z) - z,    D_k = [C(z + ε p_k) - C(z)] / ε,    z ← z + s(f, D)

C is evaluated at z and at every probe z + ε p_k as one batch, so it stands in the program once. The caller
knows the structure of the Jacobian and builds the step from the probes (`step`): weakly coupled unknowns share one
probe. ε is the fourth root of the machine's: beside it neither the error of a difference nor that of inner
solves counts.

A step that brings no gain is halved from the best point, at most three times; then the full step is taken all the same:
across a kink the residual may have to rise. Where the matrix is so near to singular that the step is four times the
residual, C(z) itself follows, gain or not: a map that moves on by much the same amount from everywhere leads to where
it stops. As long as that goes on the residual is taken twice, four times and so on to 64. That is the way past a fold:
a valve opens, though opening it helps no more, until it is fully open.
"""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Bool, Float, Int, PyTree

from voltherm.numerics.nan_max import nan_max

Step = Callable[[Float[Array, " unknown"], Float[Array, "probe unknown"]], Float[Array, " unknown"]]
"""step(f, D): what to add to z."""

_SHORTEST = 0.125
_LONGEST = 4.0  # times the residual
_LONGEST_STRIDE = 64.0  # residuals


class Point(eqx.Module):
    """Where the iteration stands: z, C(z), what else was found there, and max |C(z) - z|."""

    z: Float[Array, " unknown"]
    image: Float[Array, " unknown"]
    auxiliary: PyTree
    norm: Float[Array, ""]


class _State(eqx.Module):
    """Carry: the last point, the best so far with its step, how much of that is tried next, whether it must gain
    (`plain`: it need not), and how many residuals such a step takes."""

    point: Point
    hint: PyTree
    best: Float[Array, " unknown"]
    best_step: Float[Array, " unknown"]
    best_norm: Float[Array, ""]
    fraction: Float[Array, ""]
    plain: Bool[Array, ""]
    stride: Float[Array, ""]
    evaluations: Int[Array, ""]
    running: Bool[Array, ""]


def probed_newton(
    function: Callable[[Float[Array, " unknown"], PyTree], tuple[Float[Array, " unknown"], PyTree]],
    initial: Float[Array, " unknown"],
    hint: Callable[[PyTree], PyTree],
    first_hint: PyTree,
    *,
    probes: Float[Array, "probe unknown"],
    step: Step,
    tolerance: Float[Array, ""],
    maximum_evaluations: int = 20,
) -> Point:
    """Iterate until max |C(z) - z| ≤ `tolerance`, or as long as is allowed; not differentiated.

    **Arguments**

    - `function(z, hint)`: C(z) and an auxiliary.
    - `hint(auxiliary)`: what the next evaluation may start its inner solves from, `first_hint` in the first one.
    - `probes`: the directions p_k, with entries of size 1.
    - `step(f, D)`: the step for a residual (unknown,) and differences (probe, unknown).

    **Returns** the last point, which is a root only if its `norm` says so.
    """
    size = float(jnp.finfo(initial.dtype).eps) ** 0.25
    # traced once, for the shapes of the auxiliary and for the loop
    traced = eqx.filter_closure_convert(function, initial, first_hint)

    def evaluated(z: Array, hint: PyTree) -> tuple[Array, PyTree]:
        # a constant comes out of it as a bare number
        return jax.tree.map(jnp.asarray, traced(z, hint))

    shapes = eqx.filter_eval_shape(evaluated, initial, first_hint)[1]
    places = jnp.concatenate([jnp.zeros_like(initial)[None], size * probes])

    def evaluate(z: Array, hint: PyTree) -> tuple[Array, PyTree]:
        return jax.vmap(lambda place: evaluated(z + place, hint))(places)

    def advance(state: _State) -> _State:
        z = state.best + state.fraction * state.best_step
        images, auxiliaries = evaluate(z, state.hint)
        image, auxiliary = jax.tree.map(lambda leaf: leaf[0], (images, auxiliaries))
        residual = image - z
        norm = nan_max(jnp.abs(residual), 0.0)
        norm = jnp.where(jnp.isfinite(norm), norm, jnp.inf)
        proposed = step(residual, (images[1:] - image[None]) / size)
        plain = ~(nan_max(jnp.abs(proposed), 0.0) <= _LONGEST * norm)
        stride = jnp.where(plain & state.plain, jnp.minimum(2.0 * state.stride, _LONGEST_STRIDE), 1.0)
        proposed = jnp.where(plain, stride * residual, proposed)
        gained = (norm < state.best_norm) | (jnp.isfinite(norm) & (state.plain | (state.fraction <= _SHORTEST)))
        best_norm = jnp.where(gained, norm, state.best_norm)
        evaluations = state.evaluations + 1
        return _State(
            point=Point(z, image, auxiliary, norm),
            hint=hint(auxiliary),
            best=jnp.where(gained, z, state.best),
            best_step=jnp.where(gained, proposed, state.best_step),
            best_norm=best_norm,
            fraction=jnp.where(gained, 1.0, 0.5 * state.fraction),
            plain=jnp.where(gained, plain, state.plain),
            stride=jnp.where(gained, stride, state.stride),
            evaluations=evaluations,
            running=(norm > tolerance) & jnp.isfinite(best_norm) & (evaluations < maximum_evaluations),
        )

    unknown = jax.tree.map(lambda shape: jnp.zeros(shape.shape, shape.dtype), shapes)
    infinite = jnp.full((), jnp.inf, initial.dtype)
    return lax.while_loop(
        lambda state: state.running,
        advance,
        _State(
            point=Point(initial, initial, unknown, infinite),
            hint=first_hint,
            best=initial,
            best_step=jnp.zeros_like(initial),
            best_norm=infinite,
            fraction=jnp.ones((), initial.dtype),
            plain=jnp.zeros((), bool),
            stride=jnp.ones((), initial.dtype),
            evaluations=jnp.zeros((), jnp.int32),
            running=jnp.ones((), bool),
        ),
    ).point
