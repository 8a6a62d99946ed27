import jax
import jax.numpy as jnp
import numpy as np

from voltherm.numerics import implicit_root, newton
from voltherm.numerics.implicit import masked

LOADS = jnp.array([1.0, 2.0, 3.0])


def _square_root(load: jax.Array, add: jax.Array, linear: jax.Array) -> jax.Array:
    """Root of y² = load + add (y = load + add where `linear`), everything caught in closures."""

    def residual(y: jax.Array, _: object) -> jax.Array:
        right = load + add.astype(y.dtype)
        return jnp.where(linear, y - right, y**2 - right)

    def linear_solve(y: jax.Array, args: object, right_hand_side: jax.Array) -> jax.Array:
        return right_hand_side / jax.jvp(lambda y: residual(y, args), (y,), (jnp.ones_like(y),))[1]

    return newton(residual, jnp.ones(1), (), linear_solve=linear_solve, tolerance=1e-13).value[0]


def test_closures_over_batched_numbers_flags_and_counts():
    add, linear = jnp.array([0, 2, 1]), jnp.array([False, False, True])
    value = jnp.array([1.0, 2.0, 4.0])
    slope = jnp.array([0.5, 0.25, 1.0])
    np.testing.assert_allclose(jax.vmap(_square_root)(LOADS, add, linear), value, rtol=1e-12)
    inside = jax.jit(jax.vmap(jax.grad(_square_root)))(LOADS, add, linear)
    outside = jax.grad(lambda load: jnp.sum(jax.vmap(_square_root)(load, add, linear)))(LOADS)
    np.testing.assert_allclose(inside, slope, rtol=1e-12)
    np.testing.assert_allclose(outside, slope, rtol=1e-12)


def test_differentiates_after_the_trace_that_made_the_closure_has_ended():
    def step(carry: jax.Array, load: jax.Array) -> tuple[jax.Array, None]:
        return _square_root(carry * load, jnp.asarray(0), jnp.asarray(False)), None

    def last(loads: jax.Array) -> jax.Array:
        return jax.lax.scan(step, jnp.asarray(2.0), loads)[0]

    expected = jax.grad(lambda loads: jnp.sqrt(jnp.sqrt(jnp.sqrt(2.0 * loads[0]) * loads[1]) * loads[2]))(LOADS)
    np.testing.assert_allclose(jax.jacfwd(last)(LOADS), expected, rtol=1e-12)
    np.testing.assert_allclose(jax.jit(jax.grad(last))(LOADS), expected, rtol=1e-12)


def test_attaches_derivatives_to_a_root_found_elsewhere():
    def root(load: jax.Array, succeeded: bool = True) -> jax.Array:
        return implicit_root(
            lambda y, load: y**2 - load,
            lambda y, load, right_hand_side: right_hand_side / (2.0 * y),
            jnp.sqrt(load),
            jnp.asarray(succeeded),
            load,
        )

    four = jnp.asarray(4.0)
    np.testing.assert_allclose(root(four), 2.0)
    np.testing.assert_allclose(jax.grad(root)(four), 0.25)
    np.testing.assert_allclose(jax.grad(jax.grad(root))(four), -1.0 / 32.0)
    np.testing.assert_allclose(jax.grad(jax.grad(jax.grad(root)))(four), 3.0 / 256.0)
    assert jax.grad(root)(four, False) == 0.0
    assert jnp.isnan(masked(root(four, False), jnp.asarray(False)))


def test_what_is_not_an_array_rides_along():
    def root(args: dict) -> jax.Array:
        return implicit_root(
            lambda y, args: y - args["gain"] * args["load"],
            lambda y, args, right_hand_side: right_hand_side,
            2.0 * args["load"],
            jnp.asarray(True),
            args,
        )

    args = {"gain": 2.0, "load": jnp.asarray(3.0), "name": "CDU-03", "count": jnp.arange(2)}
    np.testing.assert_allclose(jax.grad(lambda load: root({**args, "load": load}))(jnp.asarray(3.0)), 2.0)
