"""Networks and scenarios of the kernel benchmarks: the same numbers for both sides."""

import re

import numpy as np
import pytest

from benchmarks.kernels import power_networks, water_networks
from benchmarks.kernels.cases import CASES, named
from benchmarks.kernels.epanet_peer import input_file
from benchmarks.kernels.jacobian import jacobians, voltages
from benchmarks.kernels.power_workload import workload as power_workload
from benchmarks.kernels.water_networks import LITRE_PER_SECOND


def test_the_cases_have_the_names_that_the_record_promises():
    promised = "case118 case1354pegase case2869pegase case9241pegase radial100 radial1000 radial10000"
    assert [case.name for case in CASES if case.suite == "power"] == promised.split()
    assert [case.name for case in CASES if case.suite == "coolant"] == ["loop10", "loop100", "loop1000", "net3"]
    assert named("loop10").quick_batch() == 1024
    assert named("case9241pegase").quick_batch() == 32


@pytest.mark.parametrize(("name", "buses", "branches"), [("case118", 118, 186), ("case9241pegase", 9241, 16049)])
def test_stored_cases(name, buses, branches):
    case = power_networks.arrays(name)
    assert (case.base_mva, case.bus.shape, case.branch.shape) == (100.0, (buses, 13), (branches, 13))
    assert np.count_nonzero(case.bus[:, 1] == 3) == 1


@pytest.mark.parametrize("size", [100, 1200])
def test_radial_feeders_are_trees_with_the_promised_lowest_voltage(size):
    case = power_networks.radial(size)
    parent, child = case.branch[:, 0].astype(int), case.branch[:, 1].astype(int)
    assert np.array_equal(child, np.arange(2, size + 1))  # every bus but the busbar hangs on exactly one branch
    assert np.all(parent < child)  # towards the busbar, so no loop
    assert np.count_nonzero(parent == 1) >= max(1, size // 500)
    assert np.all(case.bus[1:, 2] > 0.0)
    assert case.bus[1:, 3] / case.bus[1:, 2] == pytest.approx(np.tan(np.arccos(0.95)))
    again = power_networks.radial(size)
    assert all(np.array_equal(ours, theirs) for ours, theirs in zip(case, again, strict=True))


def test_a_radial_feeder_solves_to_about_its_lowest_voltage():
    case = power_networks.radial(100)
    work = power_workload(case, power_networks.scenarios(case, 2), "auto")
    result, status = work.forward(work.base, work.shared)
    assert np.all(np.asarray(status.result) == 0)
    # the linearised drop leaves out the losses
    assert float(result.voltage_magnitude.min()) == pytest.approx(0.95, abs=0.005)
    assert np.abs(work.as_peer(result)) == pytest.approx(np.asarray(result.voltage_magnitude))


def test_every_load_has_a_factor_of_its_own():
    case = power_networks.arrays("case118")
    found = power_networks.scenarios(case, 50)
    factor = found.active[:, found.loaded] / case.bus[found.loaded, 2]
    reactive = case.bus[found.loaded, 3]
    given = reactive != 0.0
    assert found.reactive[:, found.loaded][:, given] / reactive[given] == pytest.approx(factor[:, given])
    assert 0.8 <= factor.min() < 0.81 < 1.19 < factor.max() <= 1.2
    assert len(np.unique(factor)) == factor.size
    rest = np.setdiff1d(np.arange(118), found.loaded)
    assert not found.active[:, rest].any()


def test_a_closed_loop_feeds_every_rack_and_its_headers_taper():
    water = water_networks.closed_loop(10)
    assert len(water.junctions) == 22
    assert len(water.pipes.names) == 31
    header = water.pipes.diameter[1::3]
    assert np.all(np.diff(header) < 0.0)
    carried = np.pi / 4.0 * header**2 * 2.0  # m3/s at 2 m/s
    assert carried == pytest.approx(2e-3 * np.arange(10, 0, -1))
    top, slope, exponent = water.pumps.power_law()
    assert exponent == pytest.approx(2.0, abs=1e-12)
    assert top - slope * water.pumps.flow[:, 1] ** exponent == pytest.approx(water.pumps.head[:, 1])


def test_net3_is_complete():
    water = water_networks.net3()
    assert (len(water.junctions), len(water.reservoirs), len(water.pumps.names)) == (92, 5, 1)
    found = water_networks.scenarios(water, 20)
    assert len(found.demanded) == np.count_nonzero(water.demand)
    assert 0.8 <= found.speed.min() < found.speed.max() <= 1.05
    assert np.array_equal(found.demand, water_networks.scenarios(water, 20).demand)


def test_the_input_file_says_what_the_arrays_say():
    water = water_networks.net3()
    sections = dict(re.findall(r"^\[(\w+)\]\n(.*?)(?=^\[|\Z)", input_file(water), re.MULTILINE | re.DOTALL))
    junctions = [line.split() for line in sections["JUNCTIONS"].splitlines()]
    assert [name for name, *_ in junctions] == water.junctions
    demand = LITRE_PER_SECOND * np.array([float(line[2]) for line in junctions])
    assert demand == pytest.approx(water.demand, rel=1e-14)
    pipes = [line.split() for line in sections["PIPES"].splitlines()]
    assert [line[:3] for line in pipes] == [list(ends) for ends in zip(*water.pipes[:3], strict=True)]
    assert np.array([float(line[4]) for line in pipes]) == pytest.approx(1e3 * water.pipes.diameter, rel=1e-14)
    assert len(sections["CURVES"].splitlines()) == 3
    assert "HEADLOSS D-W" in sections["OPTIONS"]


def _admittance(case):
    """Dense nodal admittance matrix, one branch after the other."""
    number = {int(name): index for index, name in enumerate(case.bus[:, 0])}
    matrix = np.diag((case.bus[:, 4] + 1j * case.bus[:, 5]) / case.base_mva)
    for row in case.branch[case.branch[:, 10] > 0]:
        start, end = number[int(row[0])], number[int(row[1])]
        series, charging = 1.0 / (row[2] + 1j * row[3]), 0.5j * row[4]
        tap = (row[8] or 1.0) * np.exp(1j * np.deg2rad(row[9]))
        matrix[start, start] += (series + charging) / abs(tap) ** 2
        matrix[start, end] -= series / np.conj(tap)
        matrix[end, start] -= series / tap
        matrix[end, end] += series + charging
    return matrix


def test_jacobian_blocks_are_the_slopes_of_the_injected_power():
    case = power_networks.arrays("case118")
    size, admittance = len(case.bus), _admittance(case)
    voltage = voltages(case, 1)
    blocks = jacobians(case, voltage)
    found = np.zeros((size, size, 2, 2))
    np.add.at(found, (blocks.rows, blocks.columns), blocks.values[0])

    def powers(angle, logarithm):
        volts = voltage[0] * np.exp(logarithm + 1j * angle)
        power = volts * np.conj(admittance @ volts)
        return np.stack([power.real, power.imag], axis=-1)

    expected, step, none = np.zeros_like(found), 1e-6, np.zeros(size)
    for bus in range(size):
        off = np.where(np.arange(size) == bus, step, 0.0)
        expected[:, bus, :, 0] = (powers(off, none) - powers(-off, none)) / (2.0 * step)
        expected[:, bus, :, 1] = (powers(none, off) - powers(none, -off)) / (2.0 * step)
    given = np.stack([case.bus[:, 1] == 3, case.bus[:, 1] >= 2], axis=-1)
    expected[np.broadcast_to(given[:, None, :], found.shape[:3])] = 0.0
    bus = np.arange(size)
    for unknown in (0, 1):
        chosen = bus[given[:, unknown]]
        expected[chosen, chosen, unknown, unknown] = 1.0
    assert np.abs(found - expected).max() < 1e-7 * np.abs(expected).max()
