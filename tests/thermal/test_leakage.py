import jax.numpy as jnp
import pytest

from tests.thermal.checks import check_gradient
from voltherm.thermal import LeakagePower


def chips() -> LeakagePower:
    return LeakagePower.from_fraction(jnp.asarray(1000.0), jnp.asarray(0.1), jnp.asarray(350.0), jnp.asarray(40.0))


def test_nameplate_power_at_reference_temperature():
    assert chips().power(jnp.asarray(350.0)) == pytest.approx(1000.0, rel=1e-15)


def test_leakage_multiplies_by_e_over_one_scale():
    law = chips()
    assert law.leakage(jnp.asarray(390.0)) / law.leakage(jnp.asarray(350.0)) == pytest.approx(jnp.e, rel=1e-14)


def test_load_scales_dynamic_power_only():
    assert chips().power(jnp.asarray(350.0), 0.0) == pytest.approx(100.0, rel=1e-15)


def test_broadcast_keeps_values():
    law = chips().broadcast((2, 3))
    assert law.dynamic_power.shape == (2, 3)
    assert jnp.all(law.power(jnp.full((2, 3), 350.0)) == chips().power(jnp.asarray(350.0)))


def test_gradient():
    check_gradient(lambda temperature: chips().power(temperature), jnp.asarray(360.0))
