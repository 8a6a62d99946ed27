import jax.numpy as jnp
import pytest

from tests.thermal.checks import check_gradient
from voltherm.thermal import Package


def test_layers_in_series():
    thickness, conductivity, area = jnp.asarray([1e-3, 2e-3]), jnp.asarray([100.0, 400.0]), jnp.asarray([1e-3, 2e-3])
    assert Package.from_layers(thickness, conductivity, area).resistance == pytest.approx(0.0125, rel=1e-14)
    assert Package.from_layers(thickness, conductivity, area, 0.001).resistance == pytest.approx(0.0135, rel=1e-14)


def test_layers_no_package_has_are_refused():
    two = jnp.asarray([1e-3, 2e-3])
    with pytest.raises(ValueError, match="layers of a package: conductivity is -4 and has to be above 0"):
        Package.from_layers(two, jnp.asarray([100.0, -4.0]), two)
    with pytest.raises(ValueError, match="thickness is 0"):
        Package.from_layers(jnp.asarray([0.0, 1e-3]), two, two)
    with pytest.raises(ValueError, match=r"Package: resistance is -0.1 K/W and has to be at least 0 K/W"):
        Package(-0.1)


def test_gradient():
    area = jnp.asarray([1e-3, 2e-3])
    check_gradient(
        lambda thickness: Package.from_layers(thickness, jnp.asarray([100.0, 400.0]), area).resistance,
        jnp.asarray([1e-3, 2e-3]),
    )
