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

import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float, PyTree

from voltherm.numerics.anderson import anderson
from voltherm.numerics.fixed_point_derivative import with_derivatives
from voltherm.numerics.implicit import open_closures, without_gradient
from voltherm.numerics.results import Solution


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
    fixed_args = without_gradient(args)

    def evaluate(y: Array, args: PyTree, hint: PyTree) -> tuple[Array, PyTree]:
        # a constant comes out of an opened closure as a bare number
        return jax.tree.map(jnp.asarray, opened(y, args, hint))

    state = anderson(
        lambda y, hint: evaluate(y, fixed_args, hint),
        initial,
        first_hint,
        hint=hint_of,
        tolerance=tolerance,
        maximum_iterations=maximum_iterations,
        depth=depth,
        scales=scales,
    )
    status = state.status(scales)
    value, auxiliary = with_derivatives(
        lambda y, known: evaluate(y, *known),
        state.best_y,
        state.auxiliary,
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
    last = () if hint is None else (without_gradient(hint(auxiliary)),)
    (evaluate,), args = open_closures(value, args, (function, last))
    return with_derivatives(
        lambda y, known: evaluate(y, *known),
        value,
        auxiliary,
        value,
        jnp.ones((), bool),
        jnp.ones_like(value),
        (args, *last),
    )
