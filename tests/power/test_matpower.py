"""Case arrays: roles, names, units, refusals, and the published solutions."""

import equinox as eqx
import jax
import numpy as np
import pytest

from voltherm.numerics import ResultCode
from voltherm.power import steady
from voltherm.power.matpower import from_arrays, initial_voltages, isolated_buses


def _load(path):
    with np.load(path) as stored:
        return {name: stored[name] for name in stored}


@pytest.fixture
def nine(project_root):
    return _load(project_root / "validation" / "power" / "case9" / "case9.npz")


def _arrays(case):
    return float(case["baseMVA"]), case["bus"], case["gen"], case["branch"]


def test_roles_names_and_units(nine):
    network, parameters = from_arrays(*_arrays(nine))
    assert network.buses[:2] == ("1", "2")
    assert network.branches[0] == f"{int(nine['branch'][0, 0])}-{int(nine['branch'][0, 1])}"
    assert network.base_power == 100e6
    np.testing.assert_array_equal(np.flatnonzero(network.slack), nine["ref"])
    np.testing.assert_array_equal(np.flatnonzero(network.voltage_controlled), nine["pv"])
    np.testing.assert_allclose(parameters.load.active_constant_power, 1e6 * nine["bus"][:, 2])


def test_parallel_branches_get_distinct_names(nine):
    base, bus, gen, branch = _arrays(nine)
    network, _ = from_arrays(base, bus, gen, np.vstack([branch, branch[:1], branch[:1]]))
    assert network.branches[-2:] == (f"{network.branches[0]}#2", f"{network.branches[0]}#3")


def test_generator_out_of_service_makes_a_load_bus(nine):
    base, bus, gen, branch = _arrays(nine)
    gen = gen.copy()
    gen[gen[:, 0] == 2, 7] = 0
    network, parameters = from_arrays(base, bus, gen, branch)
    assert not network.voltage_controlled[network.bus_index("2")]
    assert float(parameters.active_generation[network.bus_index("2")]) == 0.0


def test_isolated_bus_is_left_out_with_what_stands_there(nine):
    base, bus, gen, branch = _arrays(nine)
    bus = bus.copy()
    bus[4, 1] = 4
    network, parameters = from_arrays(base, bus, gen, branch)
    assert isolated_buses(bus) == ("5",)
    assert "5" not in network.buses
    assert len(network.buses) == 8
    assert not any("5" in name.split("-") for name in network.branches)
    assert initial_voltages(bus).voltage_magnitude.shape == (8,)
    # the ring is open at bus 5: what flows in at its neighbours is their generation and nothing else
    solution = eqx.filter_jit(steady)(network, parameters)
    assert int(solution.status.result) == ResultCode.CONVERGED
    np.testing.assert_allclose(solution.value.active_load.sum(), 1e6 * (bus[:, 2].sum() - bus[4, 2]))


def test_initial_voltages_are_those_of_the_arrays(nine):
    base, bus, gen, branch = _arrays(nine)
    bus = bus.copy()
    bus[:, 7], bus[:, 8] = nine["Vm"], nine["Va_deg"]
    start = initial_voltages(bus)
    np.testing.assert_allclose(start.voltage_angle, np.deg2rad(nine["Va_deg"]))
    solution = eqx.filter_jit(steady)(*from_arrays(base, bus, gen, branch), initial=start)
    assert int(solution.status.result) == ResultCode.CONVERGED
    assert int(solution.status.iterations) <= 1
    bus[3, 7] = 0.0
    assert float(initial_voltages(bus, np.float32).voltage_magnitude[3]) == 1.0


@pytest.mark.parametrize(
    ("table", "row", "column", "value", "sentence"),
    [
        ("bus", 4, 0, 3.5, "bus 3.5: a bus is named by a whole number"),
        ("bus", 4, 0, 4.0, "bus 4 is defined twice"),
        ("bus", 4, 1, 0.0, "bus 5: there is no type 0"),
        ("bus", 4, 2, np.inf, "row 5 of bus holds a number that is not finite"),
        ("gen", 0, 7, 0.0, "bus 1 is the slack and no generator in service fixes its voltage"),
        ("gen", 1, 0, 77.0, "row 2 of gen: there is no bus 77"),
        ("branch", 2, 1, 77.0, "row 3 of branch: there is no bus 77"),
    ],
)
def test_arrays_that_make_no_sense_are_refused_by_name(nine, table, row, column, value, sentence):
    arrays = {name: nine[name].copy() for name in ("bus", "gen", "branch")}
    arrays[table][row, column] = value
    with pytest.raises(ValueError, match=sentence):
        from_arrays(float(nine["baseMVA"]), **arrays)


def test_tables_without_their_columns_are_refused(nine):
    base, bus, gen, branch = _arrays(nine)
    with pytest.raises(ValueError, match=r"table gen: 8 columns needed, its shape is \(3, 7\)"):
        from_arrays(base, bus, gen[:, :7], branch)


@pytest.mark.parametrize("name", ["case_ieee30", "case57", "case1354pegase"])
def test_further_published_cases(name, shared_reference):
    case = _load(shared_reference / "power" / f"{name}.npz")
    network, parameters = from_arrays(*_arrays(case))
    solution = eqx.filter_jit(steady)(network, parameters)
    assert int(solution.status.result) == ResultCode.CONVERGED
    state = jax.device_get(solution.value)
    np.testing.assert_allclose(state.voltage_magnitude, case["Vm"], atol=1e-9)
    np.testing.assert_allclose(np.rad2deg(state.voltage_angle), case["Va_deg"], atol=1e-7)
    largest = np.abs(case["Pf"]).max()
    np.testing.assert_allclose(state.active_power_from / 1e6, case["Pf"], atol=1e-8 * largest)
    np.testing.assert_allclose(state.reactive_power_to / 1e6, case["Qt"], atol=1e-8 * largest)
    np.testing.assert_allclose(state.active_loss.sum() / 1e6, case["total_loss_P"], rtol=1e-8)
