import jax.numpy as jnp
import pytest

from tests.thermal.checks import check_gradient
from voltherm.thermal import Package


def test_layers_in_series():
    thickness, conductivity, area = jnp.asarray([1e-3, 2e-3]), jnp.asarray([100.0, 400.0]), jnp.asarray([1e-3, 2e-3])
    assert Package.from_layers(thickness, conductivity, area).resistance == pytest.approx(0.0125, rel=1e-14)
    assert Package.from_layers(thickness, conductivity, area, 0.001).resistance == pytest.approx(0.0135, rel=1e-14)


def test_gradient():
    area = jnp.asarray([1e-3, 2e-3])
    check_gradient(
        lambda thickness: Package.from_layers(thickness, jnp.asarray([100.0, 400.0]), area).resistance,
        jnp.asarray([1e-3, 2e-3]),
    )
