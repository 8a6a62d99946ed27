"""Roots of monotone scalar functions in a bracket, element by element.

Newton's step is taken while it stays in the bracket and at least halves the last step but one, bisection otherwise
(the safeguard of Press et al. 2007, Numerical Recipes, section 9.4). A function that does not change sign in the
bracket has its root beyond an end, and that end is returned.

Derivative at a root inside: dx = -(∂f/∂x)⁻¹ (∂f/∂a) da. Where an end is returned, the derivative is that of the end.
"""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float, PyTree

from voltherm.numerics.implicit import implicit_root, open_closures, without_gradient


class _State(eqx.Module):
    """Carry of the iteration, all of one shape but the count; f changes sign between `low` and `high`."""

    low: Array
    high: Array
    x: Array
    step: Array
    previous_step: Array
    iterations: Array


def bracketed_root(
    function: Callable[[Float[Array, "..."], Any], Float[Array, "..."]],
    lower: Float[Array, "..."],
    upper: Float[Array, "..."],
    args: PyTree,
    *,
    tolerance: float,
    maximum_iterations: int = 60,
) -> Float[Array, "..."]:
    """Solve function(x, args) = 0 for every element.

    **Arguments**

    - `function(x, args)`: acts element by element, rising or falling all the way from `lower` to `upper`.
    - `lower`, `upper`: ends of the bracket, any one shape; differentiable.
    - `args`: any pytree; derivatives pass through its floating-point arrays.
    - `tolerance`: on the last step, relative to upper - lower.

    **Returns** x of the shape of `lower`; an end where there is no change of sign; NaN with zero gradient where the
    function is NaN at an end or the iterations ran out.
    """
    lower, upper = jnp.asarray(lower), jnp.asarray(upper)
    held_lower, held_upper = lax.stop_gradient((lower, upper))
    (function,), args = open_closures(lower, args, (function, 0))
    fixed_args = without_gradient(args)
    epsilon = float(jnp.finfo(lower.dtype).eps)
    width = jnp.abs(held_upper - held_lower)
    smallest = jnp.maximum(tolerance * width, 2.0 * epsilon * jnp.maximum(jnp.abs(held_lower), jnp.abs(held_upper)))

    def value_and_slope(x: Array) -> tuple[Array, Array]:
        return jax.jvp(lambda x: function(x, fixed_args), (x,), (jnp.ones_like(x),))

    # both ends at once: the function is traced and compiled once for them
    at_lower, at_upper = jax.vmap(lambda end: function(end, fixed_args))(jnp.stack([held_lower, held_upper]))
    inside = (at_lower < 0.0) != (at_upper < 0.0)
    rising = at_lower < 0.0

    def iterate(state: _State) -> _State:
        value, slope = value_and_slope(state.x)
        below = (value < 0.0) == rising
        low, high = jnp.where(below, state.x, state.low), jnp.where(below, state.high, state.x)
        step = value / jnp.where(slope == 0.0, 1.0, slope)
        proposed = state.x - step
        usable = (slope != 0.0) & (proposed >= low) & (proposed <= high)
        usable = usable & (2.0 * jnp.abs(step) <= jnp.abs(state.previous_step))
        bisected = 0.5 * (low + high)
        x = jnp.where(value == 0.0, state.x, jnp.where(usable, proposed, bisected))
        done = jnp.abs(state.step) <= smallest
        x = jnp.where(done, state.x, x)
        return _State(
            low=low,
            high=high,
            x=x,
            step=jnp.where(done, state.step, x - state.x),
            previous_step=jnp.where(done, state.previous_step, state.step),
            iterations=state.iterations + 1,
        )

    middle = 0.5 * (held_lower + held_upper)
    state = lax.while_loop(
        lambda state: jnp.any(inside & (jnp.abs(state.step) > smallest)) & (state.iterations < maximum_iterations),
        iterate,
        _State(held_lower, held_upper, middle, 2.0 * width, 2.0 * width, jnp.zeros((), jnp.int32)),
    )
    defined = ~jnp.isnan(at_lower) & ~jnp.isnan(at_upper)
    solved = defined & inside & (jnp.abs(state.step) <= smallest)

    def linear_solve(x: Array, args: PyTree, right_hand_side: Array) -> Array:
        _, slope = jax.jvp(lambda x: function(x, args[0]), (x,), (jnp.ones_like(x),))
        # Elements without a root of their own must not send NaN back: their divisor is 1 and their right-hand side 0.
        return right_hand_side / jnp.where(args[1], slope, 1.0)

    root = implicit_root(
        lambda x, args: function(x, args[0]),
        linear_solve,
        jnp.where(solved, state.x, middle),
        jnp.asarray(True),
        (args, solved),
    )
    end = jnp.where(jnp.abs(at_lower) <= jnp.abs(at_upper), lower, upper)
    return jnp.where(solved, root, jnp.where(defined & ~inside, end, jnp.nan))
