import jax.numpy as jnp
import numpy as np

from tests.coolant.cases import check_gradient
from voltherm.coolant import QuadraticLoss
from voltherm.coolant.law import pressure_drop_and_slope

ONE = jnp.ones(2)


def test_passes_through_the_nominal_point_with_its_exponent():
    law = QuadraticLoss(2.0 * ONE, 5e4 * ONE, exponent=1.85)
    np.testing.assert_allclose(law.pressure_drop(2.0 * ONE, 1e3 * ONE, 1e-3 * ONE), 5e4, rtol=1e-7)
    np.testing.assert_allclose(law.pressure_drop(-1.0 * ONE, 1e3 * ONE, 1e-3 * ONE), -5e4 * 0.5**1.85, rtol=1e-7)


def test_scales_with_density_and_viscosity_by_the_exponent():
    exponent = jnp.asarray([1.0, 2.0])
    law = QuadraticLoss(2.0 * ONE, 5e4 * ONE, exponent=exponent, nominal_density=1000.0, nominal_viscosity=1e-3)
    dense = law.pressure_drop(2.0 * ONE, 1100.0 * ONE, 1e-3 * ONE)
    thick = law.pressure_drop(2.0 * ONE, 1000.0 * ONE, 2e-3 * ONE)
    np.testing.assert_allclose(dense, 5e4 * np.asarray([1.0, 1000.0 / 1100.0]), rtol=1e-7)
    np.testing.assert_allclose(thick, 5e4 * np.asarray([2.0, 1.0]), rtol=1e-7)


def test_slope_is_positive_at_rest():
    drop, slope = pressure_drop_and_slope(QuadraticLoss(2.0 * ONE, 5e4 * ONE), 0.0 * ONE, 1e3 * ONE, 1e-3 * ONE)
    np.testing.assert_array_equal(drop, 0.0)
    assert jnp.all(slope > 0.0)


def test_gradient():
    def drop(x):
        law = QuadraticLoss(x[:2], 5e4 * x[2:4], exponent=1.85 * x[4:6], nominal_density=1000.0, nominal_viscosity=1e-3)
        return jnp.sum(law.pressure_drop(jnp.asarray([0.3, -2.0]), 990.0 * ONE, 8e-4 * ONE))

    check_gradient(drop, jnp.ones(6))


def test_single_precision():
    one = jnp.ones(2, jnp.float32)
    assert QuadraticLoss(one, one, exponent=1.85).pressure_drop(one, one, one).dtype == jnp.float32
