import jax.numpy as jnp
import pytest

from tests.thermal.rack_case import rack
from voltherm.thermal import ASHRAE_INLET_LIMIT


def test_heat_at_full_and_no_load():
    air = rack().air_side
    assert air.heat() == pytest.approx(17.0e3)
    assert air.heat(0.0) == pytest.approx(8.0e3)


def test_rise_of_the_air():
    # 118 CFM per kW at 15 K
    air, heat = rack().air_side, jnp.asarray(1.0e3)
    flow = jnp.asarray(118.0 * 0.3048**3 / 60.0)
    outlet = air.outlet_temperature(jnp.asarray(298.15), heat, flow, jnp.asarray(1.19), jnp.asarray(1006.0))
    assert outlet - 298.15 == pytest.approx(15.0, abs=0.1)


def test_margins():
    air = rack().air_side
    assert air.inlet_limit == ASHRAE_INLET_LIMIT["A2"]
    inlet, component = air.margin(jnp.asarray(298.15))
    assert inlet == pytest.approx(10.0)
    assert component == pytest.approx(368.15 - 298.15 - 27.0)
