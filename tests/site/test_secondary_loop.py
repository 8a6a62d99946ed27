"""Flow of one row: topology, continuity, differential pressure, maldistribution."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from voltherm.site.fluids import liquid_named
from voltherm.site.secondary_loop import row_network, solve_row


def test_topology_of_a_row():
    network = row_network(2, 3)
    assert len(network.branches) == 1 + 3 * 2 + 2 * 3
    assert len(network.nodes) == 2 * 3 + 2
    assert network.branches[:5] == (
        "pump",
        "supply header S1",
        "supply header S2",
        "return header R1",
        "return header R2",
    )
    assert network.branches[-1] == "rack 2 tray 3"
    assert row_network(2, 3) is network
    assert len(row_network(1, 1).branches) == 5


@pytest.fixture(scope="module")
def row(site):
    liquid = liquid_named(site.secondary.fluid)
    flow, solution = jax.jit(lambda: solve_row(site, liquid, jnp.asarray(313.15), jnp.asarray(323.15)))()
    return jax.tree.map(np.asarray, flow), solution


def test_flow_is_kept(row):
    flow, solution = row
    assert solution.status.converged
    assert flow.residual < 1e-9
    assert flow.tray_mass_flow.shape == (2, 27)
    assert flow.tray_mass_flow.sum(axis=1) == pytest.approx(flow.rack_mass_flow, rel=1e-9)
    assert flow.rack_mass_flow.sum() == pytest.approx(float(flow.mass_flow), rel=1e-9)


def test_pump_holds_the_pressure_below_full_speed(row):
    flow, _ = row
    assert flow.differential_pressure == pytest.approx(175e3, rel=1e-6)
    assert 0.3 < flow.pump_speed < 1.0
    assert flow.pump_power == pytest.approx(float(flow.pump_shaft_power) / 0.92, rel=1e-9)


def test_farther_trays_and_racks_get_less(row):
    flow, _ = row
    assert flow.rack_mass_flow[0] > flow.rack_mass_flow[1]
    compute = flow.tray_mass_flow[:, :18]
    assert np.all(np.diff(compute, axis=1) < 0.0)
    # 6 % more drop at a fixed pressure is about 3 % less flow
    assert 0.96 < compute[0, -1] / compute[0, 0] < 0.99
