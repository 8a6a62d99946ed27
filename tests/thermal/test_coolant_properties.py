import jax.numpy as jnp
import pytest

from tests.thermal.rack_case import liquid
from voltherm.thermal import CoolantProperties


def test_properties_of_a_liquid():
    coolant, temperature = liquid(), jnp.asarray(313.15)
    properties = CoolantProperties.of(coolant, temperature)
    assert properties.viscosity == coolant.viscosity(temperature)
    assert properties.conductivity == coolant.conductivity(temperature)
    assert properties.volumetric_heat_capacity() == pytest.approx(
        float(coolant.density(temperature) * coolant.heat_capacity(temperature))
    )
