from pathlib import Path

import h5py
import numpy as np
import pytest

from voltherm.formats import FileFormatError
from voltherm.formats.results import Results, Variable, read_results, write_results


@pytest.fixture
def file(tmp_path: Path) -> Path:
    variables = {
        "rack_power": Variable(np.arange(6.0).reshape(2, 3), ("row", "rack"), "W", "power of a rack"),
        "names/row": Variable(np.array(["H1-R01", "H1-R02"]), ("row",), "1", "name of the row"),
        "large": Variable(np.zeros((100, 100)), ("a", "b"), "K", "many"),
        "mask": Variable(np.array([True, False]), ("row",), "1", "which"),
    }
    return write_results(
        tmp_path / "out" / "results.h5", Results({"title": "x", "seed": 3, "case": {"a": "1 K"}}, variables)
    )


def test_there_and_back(file: Path):
    read = read_results(file)
    assert read.attributes == {"title": "x", "seed": 3, "case": {"a": "1 K"}}
    power = read.variables["rack_power"]
    np.testing.assert_array_equal(power.values, np.arange(6.0).reshape(2, 3))
    assert (power.dimensions, power.units, power.long_name) == (("row", "rack"), "W", "power of a rack")
    assert read.variables["names/row"].values.tolist() == ["H1-R01", "H1-R02"]
    assert [each.name for each in file.parent.iterdir()] == ["results.h5"]


def test_every_variable_says_its_unit(file: Path):
    with h5py.File(file) as opened:
        seen = []
        opened.visititems(lambda name, item: seen.append((name, item)) if isinstance(item, h5py.Dataset) else None)
        assert all({"units", "long_name"} <= set(item.attrs) for _, item in seen)
        assert len(seen) == 8


def test_same_results_same_bytes(file: Path):
    again = write_results(file.parent / "again.h5", read_results(file))
    assert read_results(again).variables.keys() == read_results(file).variables.keys()


@pytest.mark.parametrize("kept", [0, 100, 2000])
def test_truncated_files_are_refused(file: Path, kept: int):
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(FileFormatError, match=rf"^{file}: is truncated, or is not HDF5"):
        read_results(file)


def test_foreign_files_are_refused(tmp_path: Path):
    foreign = tmp_path / "foreign.h5"
    with h5py.File(foreign, "w") as opened:
        opened["x"] = 1
    with pytest.raises(FileFormatError, match=f"^{foreign}: is HDF5, but not results of this program"):
        read_results(foreign)
    with pytest.raises(FileFormatError, match="there is no such file"):
        read_results(tmp_path / "absent.h5")
    text = tmp_path / "text.h5"
    text.write_text("hello")
    with pytest.raises(FileFormatError, match="is not HDF5"):
        read_results(text)


def test_links_to_other_files_are_not_followed(tmp_path: Path, file: Path):
    linked = tmp_path / "linked.h5"
    with h5py.File(linked, "w") as opened:
        opened.attrs["format"] = "voltherm results 1"
        opened["x"] = h5py.ExternalLink(str(file), "rack_power")
    assert read_results(linked).variables == {}


def test_disagreeing_dimensions_are_refused(tmp_path: Path):
    variables = {
        "a": Variable(np.zeros(2), ("row",), "1", "a"),
        "b": Variable(np.zeros(3), ("row",), "1", "b"),
    }
    with pytest.raises(ValueError, match="dimension row has 3 entries here and 2 elsewhere"):
        write_results(tmp_path / "x.h5", Results({}, variables))
    assert not list(tmp_path.iterdir())
