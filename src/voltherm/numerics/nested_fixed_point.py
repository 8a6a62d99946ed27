"""Fixed points of a map with an expensive part that depends on few unknowns, and a cheap part that returns all of them.

    s = heavy(x),    (x, z) = light(x, z, s)

For every x the z of `light` is found by `voltherm.numerics.probed_newton`, x by `voltherm.numerics.anderson`: the
expensive part is evaluated once per step of x only. The derivative is that of both as one map F of (x, z), whatever
found its fixed point. The inner solve is as exact as the outer step deserves: a share of the last change of x.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float, PyTree

from voltherm.numerics.anderson import anderson
from voltherm.numerics.fixed_point_derivative import with_derivatives
from voltherm.numerics.implicit import without_gradient
from voltherm.numerics.probed_newton import Step, probed_newton
from voltherm.numerics.results import Solution, Status, worst_index

_SHARE = 1e-7
"""Of the last change of x: how exact the next z has to be."""


class NestedMap(NamedTuple):
    """F in its two parts. None of the functions may close over an array: derivatives pass through `args` alone.

    - `heavy(x, args, hint)`: the part that depends on x alone.
    - `light(x, z, found, args, hint)`: the images of x and of z, and an auxiliary; `found` is what `heavy` returned.
    - `gather(x, z, found, auxiliary, args)`: the results at the solution.
    - `hints(results)`: what the two may start their inner solves from next time; `light_hint(auxiliary)`: the second of
      them between steps of z. Hints must not change F, and are not differentiated.
    """

    heavy: Callable[[Array, Any, Any], PyTree]
    light: Callable[[Array, Array, PyTree, Any, Any], tuple[Array, Array, PyTree]]
    gather: Callable[[Array, Array, PyTree, PyTree, Any], PyTree]
    hints: Callable[[PyTree], tuple[PyTree, PyTree]]
    light_hint: Callable[[PyTree], PyTree]

    def evaluate(
        self, y: Float[Array, " unknown"], outer: int, args: PyTree, hints: tuple[PyTree, PyTree]
    ) -> tuple[Float[Array, " unknown"], PyTree]:
        """F at once: the image, and the results; the first `outer` unknowns are x."""
        x, z = y[:outer], y[outer:]
        found = self.heavy(x, args, hints[0])
        image_x, image_z, auxiliary = self.light(x, z, found, args, hints[1])
        return jnp.concatenate([image_x, image_z]), self.gather(x, z, found, auxiliary, args)


class _Inner(NamedTuple):
    """What one step of x leaves: what is wanted, z and how far it is from its own image, and how exact the next is."""

    wanted: PyTree
    z: Array
    change: Array
    accuracy: Array


def nested_fixed_point(
    function: NestedMap,
    initial: Float[Array, " unknown"],
    outer: int,
    args: PyTree,
    first_hints: tuple[PyTree, PyTree],
    *,
    probes: Float[Array, "probe inner"],
    step: Step,
    tolerance: float,
    maximum_iterations: int = 50,
    depth: int = 3,
) -> Solution:
    """Solve y = F(y, args).

    **Arguments**

    - `initial`: first guess of (x, z), not differentiated; the first `outer` unknowns are x.
    - `args`: any pytree; derivatives pass through its floating-point arrays.
    - `first_hints`: of both parts, for their first evaluations.
    - `probes`, `step`: as for `probed_newton`.
    - `tolerance`: on max |F(y) - y|.
    - `depth`: past steps that the acceleration of x uses.

    **Returns** a `Solution` whose `value` is (y, what is wanted), both differentiable; `status.iterations` counts
    steps of x. Result codes: `CONVERGED`, `MAXIMUM_ITERATIONS`, `NOT_FINITE`.
    """
    initial = lax.stop_gradient(initial)
    fixed_args, first_hints = without_gradient(args), without_gradient(first_hints)
    first_z = initial[outer:]

    def evaluate(x: Array, hint: tuple[tuple[PyTree, PyTree], Array, Array]) -> tuple[Array, _Inner]:
        (heavy_hint, light_hint), z, accuracy = hint
        found = function.heavy(x, fixed_args, heavy_hint)

        def response(z: Array, hint: PyTree) -> tuple[Array, tuple[Array, PyTree]]:
            image_x, image_z, auxiliary = function.light(x, z, found, fixed_args, hint)
            return image_z, (image_x, auxiliary)

        point = probed_newton(
            response,
            jnp.where(jnp.all(jnp.isfinite(z)), z, first_z),
            lambda auxiliary: without_gradient(function.light_hint(auxiliary[1])),
            light_hint,
            probes=probes,
            step=step,
            tolerance=accuracy,
        )
        image, auxiliary = point.auxiliary
        wanted = function.gather(x, point.z, found, auxiliary, fixed_args)
        accuracy = jnp.clip(_SHARE * jnp.max(jnp.abs(image - x), initial=0.0), tolerance, _SHARE)
        return image, _Inner(wanted, point.z, point.image - point.z, accuracy)

    state = anderson(
        evaluate,
        initial[:outer],
        (first_hints, first_z, jnp.full((), _SHARE, initial.dtype)),
        hint=lambda inner: (function.hints(inner.wanted), inner.z, inner.accuracy),
        also=lambda inner: inner.change,
        tolerance=tolerance,
        maximum_iterations=maximum_iterations,
        depth=depth,
        scales=jnp.ones_like(initial[:outer]),
    )
    last = state.auxiliary
    magnitude = jnp.abs(jnp.concatenate([state.best_change, state.best_also]))
    status = Status(state.result, state.best_norm, state.iterations, worst_index(magnitude))
    value = with_derivatives(
        lambda y, known: function.evaluate(y, outer, *known),
        jnp.concatenate([state.best_y, last.z]),
        last.wanted,
        initial,
        status.converged,
        jnp.ones_like(initial),
        (args, state.hint[0]),
    )
    return Solution(value=value, status=status)
