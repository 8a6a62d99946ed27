import jax.numpy as jnp
import pytest

from tests.thermal.checks import check_gradient
from voltherm.thermal import InterfaceMaterial


def test_area_form_over_area():
    # 10 mm2K/W on 8 cm2
    assert InterfaceMaterial(jnp.asarray(1.0e-5), jnp.asarray(8.0e-4)).resistance() == pytest.approx(0.0125, rel=1e-14)


def test_bond_line():
    material = InterfaceMaterial.from_bond_line(*(jnp.asarray(value) for value in (50.0e-6, 5.0, 2.0e-6, 1.0e-3)))
    assert material.resistance() == pytest.approx(0.012, rel=1e-14)


def test_absolute_form():
    assert InterfaceMaterial.from_resistance(jnp.asarray(0.01), jnp.asarray(7.0e-4)).resistance() == pytest.approx(0.01)


def test_materials_that_there_are_not_are_refused():
    with pytest.raises(ValueError, match="bond line: conductivity is -5 and has to be above 0"):
        InterfaceMaterial.from_bond_line(50.0e-6, -5.0, 2.0e-6, 1.0e-3)
    with pytest.raises(ValueError, match="InterfaceMaterial: area is 0 m2 and has to be above 0 m2"):
        InterfaceMaterial(1.0e-5, 0.0)
    assert InterfaceMaterial.from_bond_line(50.0e-6, 5.0, 2.0e-6, 1.0e-3).resistance() == pytest.approx(0.012)


def test_gradient():
    check_gradient(lambda area: InterfaceMaterial(jnp.asarray(1.0e-5), area).resistance(), jnp.asarray(8.0e-4))
