import jax
import jax.numpy as jnp

from tests.coolant.cases import NETWORK, loop_laws, solve_loop
from voltherm.coolant import HeatState, NetworkState, check_pressures, check_temperatures
from voltherm.media import HFE7100, Water, liquid

STATE = jax.jit(solve_loop)(loop_laws()).value
LOW = NetworkState(STATE.mass_flow, STATE.pressure - 3.5e5)


def test_a_pressure_below_nothing_is_told_by_node():
    assert check_pressures(NETWORK, STATE) == []
    found = check_pressures(NETWORK, LOW)
    assert found[0] == "node 'R0': -50.0 kPa absolute, which no liquid can have"
    assert len(found) <= 6


def test_boiling_is_told_with_the_pressure_of_saturation():
    """Water boils at 90 C below 70.18 kPa (IAPWS saturation line)."""
    near = NetworkState(STATE.mass_flow, jnp.full_like(STATE.pressure, 70.5e3).at[3].set(69.9e3))
    (found,) = check_pressures(NETWORK, near, Water(), 363.15)
    assert found == "node 'S3': 69.9 kPa absolute, below 70.2 kPa, at which it boils"
    assert check_pressures(NETWORK, near, Water(), 350.0) == []
    assert check_pressures(NETWORK, near, liquid("propylene_glycol", 0.25, "volume"), 363.15) == [found]
    # 239.5 kPa by the maker's law (3M, Novec 7100, 2014); 61 C is where it boils under one atmosphere
    assert check_pressures(NETWORK, near, HFE7100(), 363.15)[0].endswith("below 239.5 kPa, at which it boils")
    assert check_pressures(NETWORK, near, HFE7100(), 320.0) == []


def test_lanes_are_looked_at_together_and_failed_ones_left_out():
    lanes = NetworkState(
        jnp.stack([STATE.mass_flow] * 3), jnp.stack([STATE.pressure, STATE.pressure * jnp.nan, LOW.pressure])
    )
    assert check_pressures(NETWORK, lanes, Water(), jnp.asarray(300.0))[0].startswith("node 'R0': -50.0 kPa")


def test_temperatures_outside_the_liquid_are_told_by_element():
    warm = jnp.full(len(NETWORK.nodes), 310.0)
    along = jnp.full(len(NETWORK.branches), 310.0)
    good = HeatState(warm, along, along, along)
    assert check_temperatures(NETWORK, good, Water()) == []
    hot = HeatState(warm.at[5].set(1e9), along, along.at[8].set(260.1), along)
    found = check_temperatures(NETWORK, hot, Water())
    assert len(found) == 2
    assert found[0].startswith(f"node '{NETWORK.nodes[5]}': ")
    assert "is above" in found[0]
    assert found[1].startswith("outlet of 'valve 0': -13.0 C is below its freezing point")
    (glycol,) = check_temperatures(NETWORK, hot, liquid("ethylene_glycol", 0.4, "mass"))
    assert glycol.startswith(f"node '{NETWORK.nodes[5]}': ")
