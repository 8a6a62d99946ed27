import jax
import jax.numpy as jnp
import numpy as np
import pytest

from voltherm.coolant.decay import mean_decay, mean_rise

POINTS = np.asarray([-3.0, -0.021, -0.019, -1e-6, 0.0, 1e-9, 0.0199, 0.0201, 1.0, 20.0])


def _exact(x: float) -> tuple[float, float]:
    """Gauss quadrature of both averages."""
    nodes, weights = np.polynomial.legendre.leggauss(60)
    place, weights = 0.5 * (nodes + 1.0), 0.5 * weights
    return float(np.sum(weights * np.exp(-x * place))), float(np.sum(weights * place * np.exp(-x * (1.0 - place))))


@pytest.mark.parametrize("x", POINTS)
def test_averages(x):
    first, second = _exact(x)
    np.testing.assert_allclose(mean_decay(jnp.asarray(x)), first, rtol=5e-13)
    np.testing.assert_allclose(mean_rise(jnp.asarray(x)), second, rtol=2e-12)


def test_derivatives_are_finite_and_smooth_at_zero():
    slope = jax.vmap(jax.grad(mean_decay))(jnp.asarray(POINTS))
    assert jnp.all(jnp.isfinite(slope))
    np.testing.assert_allclose(slope[4], -0.5)
    np.testing.assert_allclose(jax.grad(mean_rise)(jnp.asarray(0.0)), -1.0 / 6.0)
