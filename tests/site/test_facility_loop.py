"""Flow of the facility loop: topology, continuity, and openings as the inverse of the valve law."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from voltherm.site import with_parameters
from voltherm.site.facility_loop import LEAST_OPENING, facility_network, solve_facility
from voltherm.site.fluids import liquid_named


def test_topology_of_a_building():
    network = facility_network(2, 3)
    assert len(network.branches) == 2 + 2 * 2 + 2 * 4 + 6
    assert len(network.nodes) == 2 + 2 * 6
    assert network.branches[-1] == "H2-R03-CDU"
    assert {"plant", "condensers", "H1 supply main", "H2-R02 supply header"} <= set(network.branches)
    assert facility_network(2, 3) is network
    # one row a hall has no headers
    assert len(facility_network(1, 1).branches) == 5


@pytest.fixture(scope="module")
def loop(site):
    water = liquid_named(site.facility.fluid)

    @jax.jit
    def solved(opening, needed, condenser, pressure=310e3, reset=0.1):
        there = with_parameters(site, {"facility.reset_opening": reset})
        state, solution = solve_facility(
            there, water, jnp.asarray(309.15), jnp.asarray(319.15), opening, needed, condenser, jnp.asarray(pressure)
        )
        return state, solution.status.result

    return solved


OPENINGS = np.array([0.5, 0.6, 0.7, 0.55])


def test_flow_is_kept_and_pressure_held(loop):
    state, result = loop(jnp.asarray(OPENINGS), jnp.ones(4), jnp.asarray(3.0))
    assert result == 0
    assert state.residual < 1e-9
    total = float(jnp.sum(state.row_mass_flow) + state.condenser_mass_flow)
    assert state.mass_flow == pytest.approx(total, rel=1e-9)
    assert state.differential_pressure == pytest.approx(310e3, rel=1e-6)
    # the condensers' branch is made for the flow they ask for at that pressure
    assert state.condenser_mass_flow == pytest.approx(3.0, rel=1e-6)
    assert 0.3 < state.pump_speed < 1.0
    assert np.argsort(np.asarray(state.row_mass_flow)).tolist() == np.argsort(OPENINGS).tolist()


def test_needed_opening_is_the_inverse_of_the_valve(loop):
    opening = jnp.asarray(OPENINGS)
    found, _ = loop(opening, jnp.ones(4), jnp.asarray(3.0))
    again, _ = loop(opening, found.row_mass_flow, jnp.asarray(3.0))
    assert np.asarray(again.needed_opening) == pytest.approx(OPENINGS, abs=1e-7)


def test_openings_end_at_their_stops(loop):
    state, _ = loop(jnp.asarray(OPENINGS), jnp.array([0.01, 100.0, 2.0, 3.0]), jnp.asarray(0.0))
    assert state.needed_opening[0] == LEAST_OPENING
    assert state.needed_opening[1] == 1.0
    assert LEAST_OPENING < state.needed_opening[2] < state.needed_opening[3] < 1.0
    assert state.condenser_mass_flow == pytest.approx(1e-3, rel=1e-6)


def test_equal_halls_get_equal_flow(loop):
    state, _ = loop(jnp.full(4, 0.6), jnp.ones(4), jnp.asarray(3.0))
    flow = np.asarray(state.row_mass_flow).reshape(2, 2)
    assert flow[0] == pytest.approx(flow[1], rel=1e-10)
    assert flow[0, 0] > flow[0, 1]


def test_pumps_at_full_speed_lose_pressure_and_show_it(loop):
    state, _ = loop(jnp.ones(4), jnp.ones(4), jnp.asarray(30.0))
    assert state.pump_speed == pytest.approx(1.0, abs=1e-4)
    assert state.differential_pressure < 0.97 * 310e3


def test_reset_rests_where_the_most_open_valve_is_at_its_opening(loop):
    needed = jnp.array([2.0, 4.0, 3.0, 2.5])
    full, _ = loop(jnp.asarray(OPENINGS), needed, jnp.asarray(3.0))
    assert full.needed_pressure == 310e3
    opening, pressure = jnp.asarray(OPENINGS), jnp.asarray(310e3)
    for _ in range(40):
        state, result = loop(opening, needed, jnp.asarray(3.0), pressure, 0.9)
        opening, pressure = state.needed_opening, state.needed_pressure
    assert result == 0
    assert jnp.max(opening) == pytest.approx(0.9, abs=1e-6)
    assert np.asarray(state.row_mass_flow) == pytest.approx(np.asarray(needed), rel=1e-6)
    # condensers have a valve of their own
    assert state.condenser_mass_flow == pytest.approx(3.0, rel=1e-6)
    assert 50e3 < pressure < 310e3
    assert state.pump_power < full.pump_power


@pytest.mark.parametrize(("needed", "expected"), [(0.01, 50e3), (100.0, 310e3)])
def test_reset_ends_at_its_bounds(loop, needed, expected):
    state, _ = loop(jnp.asarray(OPENINGS), jnp.full(4, needed), jnp.asarray(3.0), jnp.asarray(200e3), 0.9)
    assert state.needed_pressure == pytest.approx(expected)
