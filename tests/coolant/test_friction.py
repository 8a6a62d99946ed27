import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.coolant.cases import check_gradient
from voltherm.coolant.friction import colebrook, epanet_friction_times_reynolds, friction_times_reynolds

REYNOLDS = jnp.asarray([0.0, 1.0, 1999.0, 2001.0, 3000.0, 3999.0, 4001.0, 1.0e5, 1.0e8])


def test_colebrook_satisfies_its_equation():
    reynolds, roughness = jnp.asarray([2300.0, 1e4, 1e6, 1e8]), jnp.asarray([0.0, 1e-5, 1e-3, 0.05])
    friction = colebrook(reynolds, roughness)
    residual = friction**-0.5 + 2.0 * jnp.log10(roughness / 3.7 + 2.51 / (reynolds * jnp.sqrt(friction)))
    assert jnp.max(jnp.abs(residual)) < 1e-13


def test_laminar_flow_is_poiseuille_down_to_rest():
    roughness = jnp.full(3, 1e-3)
    np.testing.assert_array_equal(friction_times_reynolds(jnp.asarray([0.0, 10.0, 2000.0]), roughness), 64.0)


@pytest.mark.parametrize("law", [friction_times_reynolds, epanet_friction_times_reynolds])
def test_rises_and_stays_smooth_through_transition(law):
    reynolds = jnp.linspace(100.0, 8000.0, 4001)
    roughness = jnp.full_like(reynolds, 1e-3)
    slope = jax.jvp(lambda x: law(x, roughness), (reynolds,), (jnp.ones_like(reynolds),))[1]
    assert jnp.all(jnp.diff(law(reynolds, roughness) * reynolds) > 0.0)
    assert jnp.all(slope >= 0.0)
    assert jnp.max(jnp.abs(jnp.diff(slope))) < 4e-3  # no jump of the slope at 2000 and 4000


@pytest.mark.parametrize("law", [friction_times_reynolds, epanet_friction_times_reynolds])
def test_derivatives_are_finite_everywhere(law):
    roughness = jnp.full_like(REYNOLDS, 1e-4)
    first = jax.vmap(jax.grad(law, argnums=(0, 1)))(REYNOLDS, roughness)
    second = jax.vmap(jax.grad(jax.grad(law)))(REYNOLDS, roughness)
    assert all(bool(jnp.all(jnp.isfinite(part))) for part in (*first, second))


def test_gradient_of_colebrook():
    check_gradient(lambda x: jnp.sum(colebrook(1e5 * x[:2], 1e-3 * x[2:])), jnp.asarray([1.0, 2.0, 0.5, 3.0]))


def test_single_precision():
    friction = friction_times_reynolds(jnp.asarray([1e3, 1e5], jnp.float32), jnp.asarray([1e-3, 1e-3], jnp.float32))
    assert friction.dtype == jnp.float32
    np.testing.assert_allclose(friction[1], friction_times_reynolds(jnp.asarray(1e5), jnp.asarray(1e-3)), rtol=1e-5)
