import jax
import jax.numpy as jnp
import numpy as np
import pytest

from voltherm.numerics import (
    signed_power,
    smooth_absolute,
    smooth_clip,
    smooth_maximum,
    smooth_minimum,
    smooth_step,
)

X = jnp.linspace(-3.0, 3.0, 601)
WIDTH = 0.05


def _steepest_change(function) -> float:
    """Largest second difference over the spacing: stays bounded where the first derivative is continuous."""
    slope = jax.vmap(jax.grad(function))(X)
    return float(jnp.max(jnp.abs(jnp.diff(slope))))


def test_absolute_stays_above_and_within_its_width():
    error = smooth_absolute(X, WIDTH) - jnp.abs(X)
    assert jnp.all(error > 0)
    np.testing.assert_allclose(jnp.max(error), WIDTH, rtol=1e-6)
    assert jax.grad(smooth_absolute)(0.0, WIDTH) == 0.0


def test_maximum_and_minimum_bound_and_sum():
    other = jnp.full_like(X, 0.7)
    upper, lower = smooth_maximum(X, other, WIDTH), smooth_minimum(X, other, WIDTH)
    assert jnp.all(upper >= jnp.maximum(X, other))
    assert jnp.all(lower <= jnp.minimum(X, other))
    assert jnp.max(upper - jnp.maximum(X, other)) <= 0.5 * WIDTH + 1e-15
    np.testing.assert_allclose(upper + lower, X + other, rtol=0, atol=1e-15)


def test_clip_is_monotone_and_never_leaves_its_ends():
    clipped = smooth_clip(X, -1.0, 2.0, WIDTH)
    assert jnp.all(jnp.diff(clipped) > 0)
    assert jnp.min(clipped) > -1.0
    assert jnp.max(clipped) < 2.0
    assert jnp.max(jnp.abs(clipped - jnp.clip(X, -1.0, 2.0))) <= 0.5 * WIDTH + 1e-3


def test_step_is_exact_outside_its_width():
    step = smooth_step(X, 0.5)
    np.testing.assert_array_equal(step[X <= -0.5], 0.0)
    np.testing.assert_array_equal(step[X >= 0.5], 1.0)
    np.testing.assert_allclose(step + step[::-1], 1.0, atol=1e-14)
    curvature = jax.grad(jax.grad(lambda x: smooth_step(x, 0.5)))
    assert abs(float(curvature(0.4999))) < 0.2


def test_signed_power_is_odd_with_finite_slope_at_zero():
    value = signed_power(X, 1.85, 1e-3)
    np.testing.assert_allclose(value, -value[::-1], atol=1e-15)
    far = jnp.abs(X) > 0.5
    np.testing.assert_allclose(value[far], (jnp.sign(X) * jnp.abs(X) ** 1.85)[far], rtol=1e-5)
    np.testing.assert_allclose(jax.grad(signed_power)(0.0, 1.85, 1e-3), 1e-3**0.85, rtol=1e-12)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: smooth_absolute(x, 0.5),
        lambda x: smooth_maximum(x, 0.3, 0.5),
        lambda x: smooth_clip(x, -1.0, 1.0, 0.5),
        lambda x: smooth_step(x, 0.5),
        lambda x: signed_power(x, 2.0, 0.5),
    ],
)
def test_first_derivative_has_no_jump(function):
    assert _steepest_change(function) < 0.07


def test_single_precision_is_kept():
    x = jnp.ones(2, jnp.float32)
    for value in (smooth_clip(x, 0.0, 2.0, 0.1), smooth_step(x, 0.1), signed_power(x, 1.5, 0.1)):
        assert value.dtype == jnp.float32
