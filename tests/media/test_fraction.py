import jax
import jax.numpy as jnp
import numpy as np
import pytest

from voltherm.media import (
    PropyleneGlycolWater,
    liquid,
    mass_fraction_from_volume_fraction,
    volume_fraction_from_mass_fraction,
)
from voltherm.media.fraction import ETHYLENE_GLYCOL_DENSITY, PROPYLENE_GLYCOL_DENSITY, as_fraction


def test_ends_and_inverse():
    volume = jnp.linspace(0.0, 1.0, 11)
    for density in (PROPYLENE_GLYCOL_DENSITY, ETHYLENE_GLYCOL_DENSITY):
        mass = mass_fraction_from_volume_fraction(volume, density)
        np.testing.assert_allclose(mass[jnp.asarray([0, -1])], [0.0, 1.0])
        np.testing.assert_allclose(volume_fraction_from_mass_fraction(mass, density), volume, atol=1e-15)
        assert jnp.all(mass[1:-1] > volume[1:-1]), "a glycol is denser than water"


def test_a_quarter_by_volume():
    np.testing.assert_allclose(mass_fraction_from_volume_fraction(0.25, PROPYLENE_GLYCOL_DENSITY), 0.2570, atol=1e-4)
    np.testing.assert_allclose(mass_fraction_from_volume_fraction(0.25, ETHYLENE_GLYCOL_DENSITY), 0.2710, atol=1e-4)


def test_a_number_follows_the_precision_of_the_temperature():
    liquid = PropyleneGlycolWater(0.25)
    assert liquid.density(jnp.asarray(300.0, jnp.float32)).dtype == jnp.float32
    assert liquid.density(jnp.asarray(300.0, jnp.float64)).dtype == jnp.float64
    single = PropyleneGlycolWater(jnp.asarray(0.25, jnp.float32))
    assert single.density(300.0).dtype == jnp.float32


def test_an_array_is_kept():
    fraction = jnp.asarray([0.1, 0.2], jnp.float32)
    assert as_fraction(fraction) is fraction


@pytest.mark.parametrize("name", ["propylene_glycol", "ethylene_glycol"])
@pytest.mark.parametrize("basis", ["mass", "volume"])
def test_a_percentage_is_no_fraction(name: str, basis: str):
    for wrong in (25.0, -0.1, np.asarray([0.2, 1.5]), jnp.asarray(25.0)):
        with pytest.raises(ValueError, match=r"is no share: give one between 0 and 1, 0\.25 for 25 %"):
            liquid(name, wrong, basis)
    assert (
        jax.jit(lambda fraction: liquid(name, fraction, basis).density(jnp.asarray(300.0)))(jnp.asarray(0.3)) > 1000.0
    )
