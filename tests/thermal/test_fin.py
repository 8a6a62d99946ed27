import jax
import jax.numpy as jnp
import pytest

from tests.thermal.checks import check_gradient
from voltherm.thermal.fin import annular_fin_efficiency, fin_parameter, straight_fin_efficiency


def test_short_fins_are_ideal():
    assert straight_fin_efficiency(jnp.asarray(0.0)) == 1.0
    assert jax.grad(straight_fin_efficiency)(jnp.asarray(0.0)) == 0.0
    assert annular_fin_efficiency(jnp.asarray(0.05), jnp.asarray(1.1)) == pytest.approx(1.0, abs=1e-4)


def test_series_meets_closed_form():
    below, above = straight_fin_efficiency(jnp.asarray(0.999999e-3)), straight_fin_efficiency(jnp.asarray(1.000001e-3))
    assert below == pytest.approx(float(above), abs=1e-11)


def test_annular_fin_of_large_radius_is_straight():
    # m (r2 - r1) = 1 at r1 a thousand times the height
    inner = jnp.asarray(1000.0)
    assert annular_fin_efficiency(inner, jnp.asarray(1.001)) == pytest.approx(float(jnp.tanh(1.0)), rel=2e-3)


def test_parameter():
    assert fin_parameter(jnp.asarray(50.0), jnp.asarray(200.0), jnp.asarray(1.0e-3)) == pytest.approx(500.0**0.5)


def test_gradients():
    check_gradient(lambda height: jnp.sum(straight_fin_efficiency(height)), jnp.asarray([0.0005, 0.5, 3.0]))
    check_gradient(
        lambda inner: jnp.sum(annular_fin_efficiency(inner, jnp.asarray([1.5, 2.0]))), jnp.asarray([0.5, 3.0])
    )
