import jax.numpy as jnp
import numpy as np
import pytest

from voltherm.coolant import AbstractBranchLaw, ControlValve, QuadraticLoss, Series
from voltherm.coolant.law import pressure_drop_and_slope

ONE = jnp.ones(2)
FIRST, SECOND = QuadraticLoss(ONE, 1e4 * ONE), ControlValve(36.0 * ONE, ONE)


def test_series_adds_up():
    series = Series((FIRST, SECOND))
    flow = jnp.asarray([0.5, -2.0])
    total = sum(law.pressure_drop(flow, 1e3 * ONE, 1e-3 * ONE) for law in (FIRST, SECOND))
    np.testing.assert_allclose(series.pressure_drop(flow, 1e3 * ONE, 1e-3 * ONE), total)
    np.testing.assert_allclose(series.starting_mass_flow(1e3 * ONE, 1e-3 * ONE), 1.0)


def test_slope_is_elementwise():
    flow = jnp.asarray([0.5, -2.0])
    _, slope = pressure_drop_and_slope(FIRST, flow, 1e3 * ONE, 1e-3 * ONE)
    np.testing.assert_allclose(slope, 2e4 * jnp.abs(flow), rtol=1e-7)


def test_law_is_abstract():
    with pytest.raises(TypeError):
        AbstractBranchLaw()
