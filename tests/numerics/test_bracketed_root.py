import jax
import jax.numpy as jnp
import numpy as np

from voltherm.numerics import bracketed_root

LOWER, UPPER = jnp.zeros(5), jnp.full(5, 4.0)
SLOPE = jnp.array([1.0, 2.0, 7.0, 1000.0, 0.0])


def _cubic(x: jax.Array, slope: jax.Array) -> jax.Array:
    return x**3 + slope * x - 5.0


def _root(slope: jax.Array, lower: jax.Array = LOWER, upper: jax.Array = UPPER) -> jax.Array:
    return bracketed_root(_cubic, lower, upper, slope, tolerance=1e-14)


def test_roots_of_rising_and_falling_functions():
    x = jax.jit(_root)(SLOPE)
    np.testing.assert_allclose(_cubic(x, SLOPE), 0.0, atol=1e-12)
    falling = bracketed_root(lambda x, a: -_cubic(x, a), LOWER, UPPER, SLOPE, tolerance=1e-14)
    np.testing.assert_allclose(falling, x, rtol=1e-14)


def test_steep_function_falls_back_on_bisection():
    power = jnp.array([0.05, 9.0, 31.0])
    x = bracketed_root(
        lambda x, p: jnp.sign(x - 1.0) * jnp.abs(x - 1.0) ** p - 1e-3,
        jnp.zeros(3),
        jnp.full(3, 50.0),
        power,
        tolerance=1e-13,
        maximum_iterations=120,
    )
    np.testing.assert_allclose(x, 1.0 + 1e-3 ** (1.0 / power), rtol=1e-9)


def test_first_and_second_derivatives():
    x = _root(SLOPE)
    slope_of_root = -x / (3.0 * x**2 + SLOPE)
    np.testing.assert_allclose(jax.grad(lambda a: jnp.sum(_root(a)))(SLOPE), slope_of_root, rtol=1e-12)
    _, forward = jax.jvp(_root, (SLOPE,), (jnp.ones(5),))
    np.testing.assert_allclose(forward, slope_of_root, rtol=1e-12)
    second = jnp.diagonal(jax.hessian(lambda a: jnp.sum(_root(a)))(SLOPE))
    analytic = jax.grad(lambda a, x: jnp.sum(-x / (3.0 * x**2 + a)), (0, 1))(SLOPE, x)
    np.testing.assert_allclose(second, analytic[0] + analytic[1] * slope_of_root, rtol=1e-10, atol=1e-15)


def test_ends_clip_and_carry_the_derivative_of_the_end():
    lower = LOWER.at[0].set(3.0)
    upper = UPPER.at[1].set(0.5)
    x = _root(SLOPE, lower, upper)
    assert x[0] == 3.0
    assert x[1] == 0.5
    by_slope, by_lower, by_upper = jax.grad(lambda *at: jnp.sum(_root(*at)), (0, 1, 2))(SLOPE, lower, upper)
    np.testing.assert_array_equal(by_slope[:2], 0.0)
    np.testing.assert_array_equal(by_lower, [1.0, 0.0, 0.0, 0.0, 0.0])
    np.testing.assert_array_equal(by_upper, [0.0, 1.0, 0.0, 0.0, 0.0])


def test_failed_element_is_nan_with_zero_gradient_and_leaves_the_rest_alone():
    broken = SLOPE.at[2].set(jnp.nan)
    value, gradient = _root(broken), jax.grad(lambda a: jnp.nansum(_root(a)))(broken)
    good = jnp.array([0, 1, 3, 4])
    assert jnp.isnan(value[2])
    assert gradient[2] == 0.0
    np.testing.assert_array_equal(value[good], _root(SLOPE)[good])
    np.testing.assert_array_equal(gradient[good], jax.grad(lambda a: jnp.sum(_root(a)))(SLOPE)[good])


def test_closure_is_differentiated_too():
    def through_closure(slope: jax.Array) -> jax.Array:
        return jnp.sum(bracketed_root(lambda x, _: _cubic(x, slope), LOWER, UPPER, (), tolerance=1e-14))

    expected = jax.grad(lambda a: jnp.sum(_root(a)))(SLOPE)
    np.testing.assert_allclose(jax.grad(through_closure)(SLOPE), expected, rtol=1e-14)


def test_vmap_scalars_and_single_precision():
    batched = jax.vmap(lambda a: bracketed_root(_cubic, jnp.zeros(()), jnp.asarray(4.0), a, tolerance=1e-14))(SLOPE)
    np.testing.assert_allclose(batched, _root(SLOPE), rtol=1e-14)
    single = bracketed_root(
        _cubic, LOWER.astype(jnp.float32), UPPER.astype(jnp.float32), SLOPE.astype(jnp.float32), tolerance=1e-12
    )
    assert single.dtype == jnp.float32
    np.testing.assert_allclose(single, _root(SLOPE), rtol=1e-6)
