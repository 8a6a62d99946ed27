"""Reading MATPOWER files: arrays, plain tables, and refusal of files that compute."""

import numpy as np
import pytest

from voltherm.formats.matpower import read_arrays, read_file, refuse_code

PLAIN = """function mpc = two
%TWO  a case % with comments
mpc.version = '2';
mpc.baseMVA = 100;  % [MVA]
%{
mpc.bus = mpc.bus * 2;
%}
mpc.bus = [
    1 3 0 0 0 0 1 1 0 345 1 1.1 0.9;  % slack
    2 1 50 10 0 0 1 1 0 345 1 1.1 0.9;
];
mpc.gen = [ 1 0 0 300 -300 1.02 100 1 250 10 0 0 0 0 0 0 0 0 0 0 0; ];
mpc.branch = [
    1 2 0.01 0.1 0.02 250 250 250 0 0 1 -360 360;
];
mpc.bus_name = {
    'one';
    'two % not a comment';
};
"""


@pytest.fixture
def case_file(tmp_path):
    def write(text):
        path = tmp_path / "two.m"
        path.write_text(text)
        return path

    return write


def test_plain_file_becomes_a_network(case_file):
    arrays = read_file(case_file(PLAIN))
    assert arrays.base_mva == 100.0
    assert arrays.bus.shape == (2, 13)
    network, parameters = read_arrays(*arrays)
    assert network.buses == ("1", "2")
    assert float(parameters.voltage_set_point[0]) == 1.02


@pytest.mark.parametrize(
    "statement",
    [
        "Vbase = mpc.bus(1, 10) * 1e3;",
        "mpc.branch(:, [3 4]) = mpc.branch(:, [3 4]) / 1.2;",
        "mpc.baseMVA = 100 * 2;",
        "define_constants",
    ],
)
def test_code_after_the_tables_is_refused_with_its_line(case_file, statement):
    line = PLAIN.count("\n") + 1
    with pytest.raises(ValueError, match=rf"two\.m:{line}: .* is code, not data"):
        refuse_code(case_file(PLAIN + statement + "\n"))


def test_code_behind_a_closing_bracket_is_refused(case_file):
    with pytest.raises(ValueError, match=r"two\.m:12: '/ 2;?' after a table"):
        refuse_code(case_file(PLAIN.replace("0 0; ];", "0 0; ] / 2;")))


def test_arrays_file_and_its_mistakes(tmp_path):
    np.savez(tmp_path / "foreign.npz", something=np.zeros(3))
    with pytest.raises(ValueError, match="no array baseMVA, bus, gen, branch"):
        read_file(tmp_path / "foreign.npz")
    with pytest.raises(ValueError, match="table bus: 13 columns needed"):
        read_arrays(100.0, np.zeros((2, 5)), np.zeros((1, 21)), np.zeros((1, 13)))


def test_shipped_case_reads(project_root):
    arrays = read_file(project_root / "validation" / "power" / "case9" / "case9.npz")
    network, _ = read_arrays(*arrays)
    assert len(network.buses) == 9


def test_missing_table_is_named(case_file):
    with pytest.raises(ValueError, match="no table branch"):
        read_file(case_file(PLAIN.replace("mpc.branch", "mpc.lines")))
