"""The site's network: names, counts, conservation, and the supply of a rack."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from voltherm.power import steady as power_flow
from voltherm.site.electrical import nameplate_liquid_power, one_line, power_parameters, rack_supply


def test_counts_and_names(site):
    topology = one_line(site)
    assert dict(topology.groups) == {
        "intake": 1,
        "main": 2,
        "row cable": 4,
        "row substation": 4,
        "mechanical cable": 2,
        "mechanical substation": 2,
    }
    assert len(topology.network.branches) == 15
    assert len(topology.network.buses) == 2 + 2 + 2 * (4 + 2)
    assert topology.group("row substation") == slice(7, 11)
    with pytest.raises(KeyError, match="transformers"):
        topology.group("transformers")
    buses = topology.network.buses
    assert [buses[bus] for bus in topology.row_bus[0]] == [
        "H1-R01 480 V",
        "H1-R02 480 V",
        "H2-R01 480 V",
        "H2-R02 480 V",
    ]
    assert [buses[bus] for bus in topology.mechanical_bus[0]] == ["M01 480 V", "M02 480 V"]
    names = topology.network.branches
    assert {
        "utility source",
        "main transformer 2",
        "feeder F2 to H2-R01",
        "substation H1-R02",
        "substation M02",
    } <= set(names)


def test_feeders_are_chains_from_the_switchgear(site):
    topology = one_line(site)
    assert topology.first_row_cable.tolist() == [True, False, True, False]
    assert topology.first_mechanical_cable.tolist() == [True, True]
    network = topology.network
    cable = network.branch_index("feeder F1 to H1-R02")
    assert network.buses[network.from_bus[cable]] == "H1-R01 34.5 kV"


def test_topology_is_made_once_and_compared_by_its_counts(site):
    assert one_line(site) is one_line(site)
    campus = dataclasses.replace(site, building=dataclasses.replace(site.building, count=2))
    assert one_line(campus) != one_line(site)
    assert one_line(campus).row_bus.shape == (2, 4)
    assert "B2-substation H2-R02" in one_line(campus).network.branches


@pytest.fixture(scope="module")
def solved(site):
    @jax.jit
    def flow(rows, reactive, mechanical):
        return power_flow(one_line(site).network, power_parameters(site, rows, reactive, mechanical))

    return flow


def test_power_is_conserved(solved, site):
    rows, mechanical = jnp.asarray([[250e3, 260e3, 270e3, 280e3]]), jnp.asarray([3e5])
    solution = solved(rows, 0.1 * rows, mechanical)
    state, topology = solution.value, one_line(site)
    assert solution.status.result == 0
    intake = -state.active_power_to[0]
    # rows draw constant power; the drives' ZIP shares follow a voltage close to nominal
    assert state.active_load[topology.row_bus[0]] == pytest.approx(np.asarray(rows[0]), rel=1e-12)
    drawn = float(jnp.sum(state.active_load[topology.mechanical_bus[0]]))
    assert drawn == pytest.approx(3e5, rel=0.02)
    losses = float(jnp.sum(state.active_loss[1:]))
    assert intake == pytest.approx(float(rows.sum()) + drawn + losses, rel=1e-9)
    assert abs(state.active_balance) < 1e-8 * intake
    assert 0.005 < losses / intake < 0.03
    assert jnp.all((state.voltage_magnitude > 0.95) & (state.voltage_magnitude < 1.05))


def test_an_idle_site_draws_what_its_transformers_lose(solved):
    nothing = jnp.zeros((1, 4))
    state = solved(nothing, nothing, jnp.zeros(1)).value
    # no-load losses of 2 main, 4 unit and 2 mechanical transformers, and what the charging of the cables adds
    assert -state.active_power_to[0] == pytest.approx(2 * 700.0 + 4 * 700.0 + 2 * 400.0, rel=0.1)


def test_a_load_beyond_the_network_has_a_code(solved):
    rows = jnp.full((1, 4), 9e6)
    solution = solved(rows, rows, jnp.asarray([3e5]))
    assert int(solution.status.result) != 0
    assert jnp.isnan(solution.value.voltage_magnitude).all()


def test_a_rack_at_nameplate_gives_its_published_heat_to_air(site):
    liquid = nameplate_liquid_power(site.rack)
    assert liquid == pytest.approx(18 * (4 * 1200.0 + 2 * 300.0) + 9 * 2 * 989.0)
    supply = rack_supply(site)
    output = liquid + supply.air_electronics
    loss = supply.shelf.loss(output)
    assert supply.air_electronics + loss == pytest.approx(float(site.rack.air_heat), rel=1e-9)
    assert supply.shelf.input_power(output) == pytest.approx(float(liquid + site.rack.air_heat), rel=1e-9)
