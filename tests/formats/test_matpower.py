"""MATPOWER cases from files: network, start, what is left out, and what is refused by name."""

import equinox as eqx
import jax
import numpy as np
import pytest

from tests.formats.test_matpower_text import PLAIN
from voltherm.formats.errors import FileFormatError
from voltherm.formats.matpower import read_arrays, read_case, read_file
from voltherm.numerics import ResultCode
from voltherm.power import steady


@pytest.fixture
def case_file(tmp_path):
    def write(text):
        path = tmp_path / "two.m"
        path.write_text(text)
        return path

    return write


def test_plain_file_becomes_a_network(case_file):
    path = case_file(PLAIN)
    arrays = read_file(path)
    assert arrays.base_mva == 100.0
    assert arrays.bus.shape == (2, 13)
    case = read_case(path)
    assert case.network.buses == ("1", "2")
    assert case.isolated == ()
    assert float(case.parameters.voltage_set_point[0]) == 1.02


WITH_STATE = PLAIN.replace("2 1 50 10 0 0 1 1 0 345", "2 1 50 10 0 0 1 0.98 -2.5 345").replace("0.1 0.02", "0.1 0")


def test_file_keeps_its_own_state_as_a_start(case_file):
    case = read_case(case_file(WITH_STATE))
    np.testing.assert_allclose(case.initial.voltage_magnitude, [1.0, 0.98])
    np.testing.assert_allclose(case.initial.voltage_angle, np.deg2rad([0.0, -2.5]))
    solution = eqx.filter_jit(steady)(case.network, case.parameters, initial=case.initial)
    assert int(solution.status.result) == ResultCode.CONVERGED
    # the magnitude at the load from v^4 + (2 (r p + x q) - e^2) v^2 + |z|^2 |s|^2 = 0
    z, s, e = 0.01 + 0.1j, 0.5 + 0.1j, 1.02
    roots = np.roots([1.0, 2.0 * (z.real * s.real + z.imag * s.imag) - e**2, abs(z) ** 2 * abs(s) ** 2])
    assert float(solution.value.voltage_magnitude[1]) == pytest.approx(np.sqrt(roots.max()), rel=1e-9)


ISOLATED = (
    PLAIN.replace("];\nmpc.gen", "    3 4 9 9 0 0 1 0 0 345 1 1.1 0.9;\n];\nmpc.gen")
    .replace("0 0; ];", "0 0; 3 7 0 300 -300 1.0 100 1 250 10 0 0 0 0 0 0 0 0 0 0 0];")
    .replace("];\nmpc.bus_name", "    2 3 0 0.2 0 250 250 250 0 0 1 -360 360;\n];\nmpc.bus_name")
)


def test_isolated_bus_is_solved_around_and_named(case_file):
    case, without = read_case(case_file(ISOLATED)), read_case(case_file(PLAIN))
    assert case.isolated == ("3",)
    assert case.network.buses == without.network.buses
    assert case.network.branches == without.network.branches
    assert case.initial.voltage_magnitude.shape == (2,)
    for found, expected in zip(jax.tree.leaves(case.parameters), jax.tree.leaves(without.parameters), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ("'2'", "'1'", r"two\.m:3: is a case of format version 1: load it in MATPOWER"),
        ("'2'", "'3'", r"two\.m:3: is a case of format version 3"),
        ("    2 1 50", "    3.5 1 50", r"two\.m: bus 3\.5: a bus is named by a whole number"),
        ("    2 1 50", "    1 1 50", r"two\.m: bus 1 is defined twice"),
        ("    2 1 50", "    2 7 50", r"two\.m: bus 2: there is no type 7"),
        ("    2 1 50", "    2 1 NaN", r"two\.m: row 2 of bus holds a number that is not finite"),
        ("1 2 0.01", "1 8 0.01", r"two\.m: row 1 of branch: there is no bus 8"),
        ("[ 1 0 0 300", "[ 9 0 0 300", r"two\.m: row 1 of gen: there is no bus 9"),
        ("1.02 100 1", "1.02 100 0", r"two\.m: bus 1 is the slack and no generator in service fixes its voltage"),
        ("1 2 0.01", "1 1 0.01", r"two\.m: branch '1-1' connects bus '1' to itself"),
        ("= 100;", "= -100;", r"two\.m: base power -100000000\.0 VA must be positive"),
        ("1 1.1 0.9;  % slack", ";", r"two\.m:10: row 2 of bus has 13 columns, those above have 10"),
        ("mpc.branch", "mpc.lines", r"two\.m: has no branch; is this a MATPOWER case"),
    ],
)
def test_what_cannot_be_solved_is_refused_by_name(case_file, before, after, sentence):
    assert before in PLAIN
    with pytest.raises(FileFormatError, match=sentence):
        read_case(case_file(PLAIN.replace(before, after)))


def test_mistakes_of_a_large_case_are_counted_and_not_all_listed(case_file):
    rows = "".join(f"{number}.5 1 0 0 0 0 1 1 0 345 1 1.1 0.9;\n" for number in range(100, 400))
    with pytest.raises(FileFormatError, match=r"bus 100\.5.*; and 295 more$") as caught:
        read_case(case_file(PLAIN.replace("];\nmpc.gen", f"{rows}];\nmpc.gen")))
    assert len(str(caught.value)) < 500


def test_direct_current_lines_are_told(case_file):
    line = "mpc.dcline = [1 2 {} 10 8.9 0 0 1.01 1 1 10 -10 10 -10 10 1 0 0.01];\n"
    with pytest.raises(FileFormatError, match=r"two\.m:20: 1 direct-current line is in service and not modelled"):
        read_case(case_file(PLAIN + line.format(1)))
    assert read_case(case_file(PLAIN + line.format(1)), leave_out_dc_lines=True).network.buses == ("1", "2")
    assert read_case(case_file(PLAIN + line.format(0))).network.buses == ("1", "2")


def test_without_a_version_the_columns_of_the_generators_decide(case_file):
    assert read_case(case_file(PLAIN.replace("mpc.version = '2';", ""))).network.buses == ("1", "2")
    short = PLAIN.replace("mpc.version = '2';", "").replace(" 250 10 0 0 0 0 0 0 0 0 0 0 0; ];", " 250 10];")
    with pytest.raises(FileFormatError, match="format version 1"):
        read_case(case_file(short))


def test_arrays_file_and_its_mistakes(tmp_path):
    np.savez(tmp_path / "foreign.npz", something=np.zeros(3))
    with pytest.raises(FileFormatError, match="no array baseMVA, bus, gen, branch"):
        read_file(tmp_path / "foreign.npz")
    with pytest.raises(ValueError, match="table bus: 13 columns needed"):
        read_arrays(100.0, np.zeros((2, 5)), np.zeros((1, 21)), np.zeros((1, 13)))


def test_arrays_file_cut_at_any_byte_is_refused_by_name(tmp_path, project_root):
    whole = (project_root / "validation" / "power" / "case9" / "case9.npz").read_bytes()
    path = tmp_path / "case9.npz"
    for length in (*range(0, len(whole), 97), len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(FileFormatError, match=r"case9\.npz: "):
            read_file(path)
    path.write_bytes(whole)
    assert len(read_case(path).network.buses) == 9


def test_shipped_case_reads(project_root):
    arrays = read_file(project_root / "validation" / "power" / "case9" / "case9.npz")
    network, _ = read_arrays(*arrays)
    assert len(network.buses) == 9
