import jax
import jax.numpy as jnp
import numpy as np

from voltherm.media import dry_air


def test_values_at_25_celsius():
    # Lemmon et al. at 1 atm
    np.testing.assert_allclose(dry_air.density(298.15, 101325.0), 1.18431848719, rtol=1e-3)
    np.testing.assert_allclose(dry_air.heat_capacity(298.15), 1006.30814251, rtol=1e-4)
    np.testing.assert_allclose(dry_air.viscosity(298.15), 1.8448082162e-05, rtol=1e-3)
    np.testing.assert_allclose(dry_air.conductivity(298.15), 0.0262469313189, rtol=1e-3)
    np.testing.assert_allclose(dry_air.prandtl(298.15), 0.7073, rtol=1e-3)


def test_enthalpy_is_the_integral_of_heat_capacity():
    temperature = jnp.linspace(240.0, 360.0, 7)
    slope = jax.vmap(jax.grad(dry_air.specific_enthalpy))(temperature)
    np.testing.assert_allclose(slope, dry_air.heat_capacity(temperature), rtol=1e-14)
    assert float(dry_air.specific_enthalpy(273.15)) == 0.0


def test_single_precision_and_shape():
    temperature = jnp.full((2, 3), 300.0, jnp.float32)
    for value in (dry_air.density(temperature, 101325.0), dry_air.viscosity(temperature)):
        assert value.dtype == jnp.float32
        assert value.shape == (2, 3)


def test_standard_atmosphere():
    assert float(dry_air.standard_pressure(0.0)) == 101325.0
    np.testing.assert_allclose(dry_air.standard_pressure(1000.0), 89874.6, rtol=1e-4)
