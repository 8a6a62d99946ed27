"""Newton's method with a safeguard and implicit derivatives.

    J(y_k) s = R(y_k),    y_{k+1} = y_k - t s,    t = 1, 1/2, 1/4, ... until |R| falls

Convergence: the largest scaled residual max |R / scale| is at most the tolerance. Round-off sets a floor below which no
tolerance can be met. A solve that stands still at that floor has converged too, which is what a single-precision solve
asked for 1e-8 does. It stands still when

- the step is at most `ROUND_OFF_STEP` machine epsilons of every unknown, or
- no step lowers |R|, while the scaled residual or the step relative to the largest unknown is at most
  `ROUND_OFF_FLOOR` machine epsilons.

Line search: Dennis and Schnabel (1983), Numerical Methods for Unconstrained Optimization, section 6.3, with halving.
"""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.flatten_util import ravel_pytree
from jaxtyping import Bool, Float, Int, PyTree

from voltherm.numerics.implicit import LinearSolve, Residual, implicit_root, masked, open_closures, without_gradient
from voltherm.numerics.nan_max import nan_max
from voltherm.numerics.results import ResultCode, Solution, Status, worst_index

ROUND_OFF_FLOOR = 1000.0
ROUND_OFF_STEP = 4.0
_SUFFICIENT_DECREASE = 1e-4
_HALVINGS = 10


class _State(eqx.Module):
    """Carry of the iteration; `y`, `scaled` flat."""

    y: Float[Array, " unknown"]
    scaled: Float[Array, " unknown"]
    norm: Float[Array, ""]
    iterations: Int[Array, ""]
    result: Int[Array, ""]
    running: Bool[Array, ""]


def newton(
    residual: Residual,
    initial: PyTree,
    args: PyTree,
    *,
    linear_solve: LinearSolve,
    tolerance: float,
    maximum_iterations: int = 30,
    scale: PyTree | float | None = None,
    step_limit: PyTree | float | None = None,
    round_off: PyTree | float | None = None,
) -> Solution:
    """Solve residual(y, args) = 0.

    **Arguments**

    - `residual(y, args)`: the structure and shapes of y.
    - `initial`: first guess, floating-point arrays; not differentiated.
    - `args`: any pytree; derivatives pass through its floating-point arrays.
    - `linear_solve(y, args, right_hand_side)`: J(y, args)⁻¹ times the right-hand side, transposable with respect to it.
    - `tolerance`: on max |residual / scale|.
    - `scale`: size of a residual that counts as 1: a number or the structure of y. Default 1.
    - `step_limit`: largest allowed change of an unknown in one iteration: a number or the structure of y. The whole
      step is shortened.
    - `round_off`: residual (not scaled) below which an equation counts as met: a number or the structure of y, 0 by
      default.

    **Returns** a `Solution` whose value has the structure of y. Result codes: `CONVERGED`, `MAXIMUM_ITERATIONS`,
    `NOT_FINITE` (residual), `SINGULAR` (step not finite), `NO_DESCENT` (line search failed).
    """
    initial = lax.stop_gradient(jax.tree.map(jnp.asarray, initial))
    (residual, linear_solve), args = open_closures(initial, args, (residual, 0), (linear_solve, 1))
    fixed_args = without_gradient(args)
    start, unravel = ravel_pytree(initial)
    scales = _flat(scale, initial, start)
    limits = None if step_limit is None else _flat(step_limit, initial, start)
    noise = None if round_off is None else _flat(round_off, initial, start) / scales
    epsilon = float(jnp.finfo(start.dtype).eps)

    def scaled_residual(y: Array) -> Array:
        return ravel_pytree(residual(unravel(y), fixed_args))[0] / scales

    def counted(scaled: Array) -> Array:
        size = jnp.abs(scaled)
        return size if noise is None else jnp.where(size < noise, 0.0, size)

    def iterate(state: _State) -> _State:
        step = ravel_pytree(linear_solve(unravel(state.y), fixed_args, unravel(state.scaled * scales)))[0]
        finite_step = jnp.all(jnp.isfinite(step))
        step = jnp.where(finite_step, step, 0.0)
        if limits is not None:
            step = step / jnp.maximum(1.0, nan_max(jnp.abs(step) / limits, 0.0))
        fraction, y, scaled, norm = _line_search(scaled_residual, state, step)
        descended = norm <= (1.0 - _SUFFICIENT_DECREASE * fraction) * state.norm

        met = nan_max(counted(scaled), 0.0) <= tolerance
        longest, farthest = nan_max(jnp.abs(step), 0.0), nan_max(jnp.abs(state.y), 0.0)
        still = jnp.all(jnp.abs(step) <= ROUND_OFF_STEP * epsilon * jnp.abs(state.y))
        floor = nan_max(counted(state.scaled), 0.0) <= ROUND_OFF_FLOOR * epsilon
        floor = floor | (longest <= ROUND_OFF_FLOOR * epsilon * farthest)
        converged = met | (finite_step & (still | (floor & ~descended)))
        result = jnp.where(finite_step, jnp.where(descended, state.result, ResultCode.NO_DESCENT), ResultCode.SINGULAR)
        better = met | (norm < state.norm)
        return _State(
            y=jnp.where(better, y, state.y),
            scaled=jnp.where(better, scaled, state.scaled),
            norm=jnp.where(better, norm, state.norm),
            iterations=state.iterations + 1,
            result=jnp.where(converged, ResultCode.CONVERGED, result).astype(state.result.dtype),
            running=finite_step & descended & ~converged,
        )

    scaled = scaled_residual(start)
    finite = jnp.all(jnp.isfinite(scaled))
    met = finite & (nan_max(counted(scaled), 0.0) <= tolerance)
    first = jnp.where(finite, ResultCode.MAXIMUM_ITERATIONS, ResultCode.NOT_FINITE)
    state = lax.while_loop(
        lambda state: state.running & (state.iterations < maximum_iterations),
        iterate,
        _State(
            y=start,
            scaled=scaled,
            norm=_norm(scaled),
            iterations=jnp.zeros((), jnp.int32),
            result=jnp.where(met, ResultCode.CONVERGED, first).astype(jnp.int32),
            running=finite & ~met,
        ),
    )
    magnitude = counted(state.scaled)
    status = Status(
        result=state.result,
        residual=nan_max(magnitude, 0.0),
        iterations=state.iterations,
        worst=worst_index(magnitude),
    )
    value = unravel(jnp.where(status.converged, state.y, start))
    root = implicit_root(residual, linear_solve, value, status.converged, args)
    return Solution(value=masked(root, status.converged), status=status)


def _line_search(
    scaled_residual: Callable[[Array], Array], state: _State, step: Array
) -> tuple[Array, Array, Array, Array]:
    """Halve the step until the residual falls enough, at most `_HALVINGS` times."""

    def trial(fraction: Array) -> tuple[Array, Array, Array, Array]:
        y = state.y - fraction * step
        scaled = scaled_residual(y)
        return fraction, y, scaled, _norm(scaled)

    def too_long(carry: tuple[Array, Array, Array, Array]) -> Array:
        fraction, _, _, norm = carry
        falls = norm <= (1.0 - _SUFFICIENT_DECREASE * fraction) * state.norm
        return ~falls & (fraction > 0.5**_HALVINGS)

    # the whole step is the first pass of the loop, not one before it: the residual is compiled once
    before = (2.0 * jnp.ones_like(state.norm), state.y, state.scaled, jnp.full_like(state.norm, jnp.inf))
    return lax.while_loop(too_long, lambda carry: trial(0.5 * carry[0]), before)


def _norm(scaled: Array) -> Array:
    """Root sum of squares; infinite where anything is not finite, so that the line search turns back."""
    norm = jnp.sqrt(jnp.sum(scaled * scaled))
    return jnp.where(jnp.isfinite(norm), norm, jnp.inf)


def _flat(spread: PyTree | float | None, like: PyTree, flat_like: Array) -> Array:
    """A number or a structure like y, as one flat array of positive constants."""
    if spread is None:
        return jnp.ones_like(flat_like)
    if isinstance(spread, (int, float)) or (eqx.is_array_like(spread) and jnp.ndim(spread) == 0):
        return jnp.full_like(flat_like, lax.stop_gradient(spread))
    full = jax.tree.map(lambda part, leaf: jnp.broadcast_to(jnp.asarray(part, leaf.dtype), leaf.shape), spread, like)
    return lax.stop_gradient(ravel_pytree(full)[0])
