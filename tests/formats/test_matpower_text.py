"""The plain part of `.m` files: what is read as MATLAB reads it, and what is refused with its line."""

import numpy as np
import pytest

from voltherm.formats.errors import FileFormatError
from voltherm.formats.matpower_text import CaseText

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
    'two % not a comment; nor an } end';
};
"""


@pytest.fixture
def read(tmp_path):
    def read(text, encoding="utf-8"):
        path = tmp_path / "two.m"
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return CaseText(path)

    return read


def test_tables_and_scalars(read):
    case = read(PLAIN)
    assert case.number("baseMVA") == 100.0
    np.testing.assert_array_equal(case.table("bus")[:, 2], [0.0, 50.0])
    assert set(case.fields) == {"version", "baseMVA", "bus", "gen", "branch", "bus_name"}


def tables(read, text):
    case = read(text)
    return [case.table(name) for name in ("bus", "gen", "branch")]


BUS = PLAIN[PLAIN.index("mpc.bus = [") : PLAIN.index("mpc.gen")]
"""The table of buses as it is written above."""


@pytest.mark.parametrize(
    "written",
    [
        # rows on one line, commas, a comma at the end of a row, no semicolon behind the table
        "mpc.bus = [1, 3, 0,0,0,0 1 1 0 345 1 1.1 0.9,; 2 1 50 10 0 0 1 1 0 345 1 1.1 0.9]\n",
        # a continued row, with a comment behind the dots
        "mpc.bus = [\n1 3 0 0 0 0 1 1 0 ... zone and limits\n 345 1 1.1 0.9\n2 1 50 10 0 0 1 1 0 345 1 1.1 0.9];\n",
        # two statements on a line; numbers as MATLAB writes them
        "mpc.areas = []; mpc.bus = [1 3 0. .0 0 0 +1 1e0 -0 345 1 1.1 9E-1\n2 1 50 10 0 0 1 1 0 345 1 1.1 0.9];\n",
        # a comment and an empty line inside
        "mpc.bus = [ % buses\n1 3 0 0 0 0 1 1 0 345 1 1.1 0.9\n\n%2 1 9\n2 1 50 10 0 0 1 1 0 345 1 1.1 0.9\n];\n",
        # what stands in a block comment is not the case
        "%{\nmpc.bus = [9 9 9];\n%}\n" + BUS,
    ],
)
def test_other_ways_to_write_the_same_table(read, written):
    np.testing.assert_array_equal(read(PLAIN.replace(BUS, written)).table("bus"), read(PLAIN).table("bus"))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_byte_order_mark_and_line_ends(read, encoding, ending):
    case = read(PLAIN.replace("\n", ending), encoding)
    assert case.table("bus").shape == (2, 13)


@pytest.mark.parametrize(
    "statement",
    [
        "Vbase = mpc.bus(1, 10) * 1e3;",
        "mpc.branch(:, [3 4]) = mpc.branch(:, [3 4]) / 1.2;",
        "define_constants",
        "mpc.gencost = zeros(3, 7);",
    ],
)
def test_code_is_refused_with_its_line(read, statement):
    line = PLAIN.count("\n") + 1
    with pytest.raises(FileFormatError, match=rf"two\.m:{line}: '.*' is code, not data"):
        read(PLAIN + statement + "\n")


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ("0 0; ];", "0 0; ] / 2;", r":12: '/ 2' behind gen is code"),
        ("= 100;", "= 50/3;", r":4: '50/3' is arithmetic, which is not worked out here: write the value of baseMVA"),
        ("0.01 0.1 0.02", "0.01 1/10 0.02", r":14: '1/10' in branch is not a number: arithmetic and names"),
        ("0.01 0.1 0.02", "0.01 1_0 0.02", r":14: '1_0' in branch is not a number"),
        ("1 2 0.01", "1 2,,0.01", r":14: a column of branch is empty between its commas"),
        ("2 1 50 10", "2 1 50", r":10: row 2 of bus has 12 columns, those above have 13"),
        ("mpc.bus_name", "mpc.bus = [];\nmpc.bus_name", r":16: bus is assigned twice, first on line 8: keep one"),
        ("];\nmpc.bus_name", "\nmpc.bus_name", r":13: branch is not closed|:15: a bracket opens in branch"),
        ("];\nmpc.bus_name = {", "mpc.bus_name = ", r":13: branch is not closed with '\]'; is the file cut off"),
        ("mpc.gen =", "other.gen =", r":12: 'other' is not the case, which is 'mpc'"),
        ("'2'", "'2", r":3: a quote is not closed"),
        ("function mpc = two", "function [baseMVA, bus, gen, branch] = two", r":1: is a case of format version 1"),
    ],
)
def test_mistakes_are_told_with_their_line(read, before, after, sentence):
    assert before in PLAIN
    with pytest.raises(FileFormatError, match=r"two\.m" + f"(?:{sentence})"):
        tables(read, PLAIN.replace(before, after))


def test_first_version_is_named_before_its_tables(read):
    with pytest.raises(FileFormatError, match="save it with savecase"):
        read("function [baseMVA, bus, gen, branch, areas, gencost] = old\nbaseMVA = 100;\n")


@pytest.mark.parametrize(
    ("contents", "sentence"),
    [
        (b"", "the file is empty"),
        (b"\xef\xbb\xbf \n", "the file is empty"),
        ("function mpc = two".encode("utf-16"), "is not plain text"),
        (b"\x00\x01\x02", "is not plain text"),
    ],
)
def test_what_is_no_text_is_refused(read, contents, sentence):
    with pytest.raises(FileFormatError, match=rf"two\.m: {sentence}"):
        read(contents)


def test_missing_file_and_missing_field(tmp_path, read):
    with pytest.raises(FileFormatError, match=r"none\.m: cannot be read: No such file"):
        CaseText(tmp_path / "none.m")
    with pytest.raises(FileFormatError, match="has no gen; is this a MATPOWER case"):
        read("function mpc = two\nmpc.version = '2';\n").table("gen")
    with pytest.raises(FileFormatError, match=r"two\.m:2: version has to be one number"):
        read("function mpc = two\nmpc.version = '2';\n").number("version")


def test_hostile_texts_end_in_a_short_sentence(read):
    for text in (
        "function mpc = x" + " " * 200_000 + "y\n",
        "mpc.bus = [" * 50_000,
        "'" * 200_001,
        "mpc." + "a." * 100_000 + "= 1;",
        "mpc.x = [" + "1 " * 200_000,
        "%{\n" * 100_000 + "mpc.x = 1;",
        "1 ...\n" * 50_000,
        "\x1b]0;owned\x07[link](x) = 1;",
    ):
        with pytest.raises(FileFormatError) as caught:
            read(text).table("bus")
        assert len(str(caught.value)) < 500
        assert str(caught.value).isprintable()
