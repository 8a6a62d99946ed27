import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.coolant.cases import check_gradient
from voltherm.coolant import ARRANGEMENTS, ConductanceLaw, effectiveness, exchange_conductance, ntu_for_effectiveness

NTU = jnp.asarray([0.0, 1e-6, 0.3, 1.0, 5.0, 40.0])


@pytest.mark.parametrize("arrangement", ARRANGEMENTS)
def test_bounds_and_limits(arrangement):
    for ratio in (0.0, 1e-9, 0.5, 1.0 - 1e-12, 1.0):
        found = effectiveness(NTU, jnp.full_like(NTU, ratio), arrangement)
        best = effectiveness(NTU, jnp.full_like(NTU, ratio), "counterflow")
        assert found[0] == 0.0
        assert jnp.all(jnp.diff(found) >= -1e-6)
        assert jnp.all((found >= 0.0) & (found <= best + 1e-2 * (arrangement == "crossflow_unmixed_approx") + 1e-12))
    condenser = effectiveness(NTU, jnp.zeros_like(NTU), arrangement)
    np.testing.assert_allclose(condenser, -np.expm1(-np.asarray(NTU)), rtol=2e-12, atol=1e-15)


@pytest.mark.parametrize("arrangement", ARRANGEMENTS)
def test_derivatives_are_finite_in_every_corner(arrangement):
    ntu, ratio = jnp.meshgrid(NTU, jnp.asarray([0.0, 0.5, 1.0]))
    slopes = jax.vmap(jax.grad(lambda n, c: effectiveness(n, c, arrangement), argnums=(0, 1)))(
        ntu.ravel(), ratio.ravel()
    )
    assert all(bool(jnp.all(jnp.isfinite(slope))) for slope in slopes)
    check_gradient(lambda x: effectiveness(2.0 * x[0], 0.7 * x[1], arrangement), jnp.asarray([1.0, 0.9]))


@pytest.mark.parametrize("arrangement", ["counterflow", "crossflow_unmixed_approx"])
def test_inverse(arrangement):
    ntu = jnp.asarray([0.2, 1.7, 4.0])
    reached = effectiveness(ntu, jnp.full(3, 0.8), arrangement)
    np.testing.assert_allclose(ntu_for_effectiveness(reached, jnp.full(3, 0.8), arrangement), ntu, rtol=1e-10)


def test_unknown_arrangement_is_named():
    with pytest.raises(Exception, match=r"crossflow_mixed|arrangement"):
        effectiveness(NTU, NTU, "crossflow_mixed")


def test_exchange_is_symmetric_and_zero_without_flow():
    first, second = jnp.asarray([4e3, 0.0, 5e3]), jnp.asarray([5e3, 4e3, 0.0])
    there = exchange_conductance(jnp.full(3, 6e3), first, second, "counterflow")
    back = exchange_conductance(jnp.full(3, 6e3), second, first, "counterflow")
    np.testing.assert_allclose(there, back)
    np.testing.assert_allclose(there[1:], 0.0, atol=1e-6)


def test_conductance_follows_flows():
    law = ConductanceLaw(jnp.asarray(1e5), jnp.asarray(10.0), jnp.asarray(20.0), first_share=0.6, second_share=0.3)
    np.testing.assert_allclose(law.conductance(jnp.asarray(10.0), jnp.asarray(20.0)), 1e5, rtol=1e-12)
    np.testing.assert_allclose(
        law.conductance(jnp.asarray(5.0), jnp.asarray(20.0)), 1e5 / (0.6 * 2.0**0.8 + 0.3 + 0.1), rtol=1e-12
    )
    assert jnp.isfinite(law.conductance(jnp.asarray(0.0), jnp.asarray(0.0)))
    check_gradient(lambda x: law.conductance(10.0 * x[0], 20.0 * x[1]) / 1e5, jnp.asarray([0.8, 1.2]))


def test_single_precision():
    one = jnp.ones(2, jnp.float32)
    assert all(effectiveness(one, 0.5 * one, name).dtype == jnp.float32 for name in ARRANGEMENTS)
