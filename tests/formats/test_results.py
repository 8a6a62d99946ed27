from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray

from voltherm.formats import FileFormatError
from voltherm.formats.results import Results, Variable, read_results, write_results
from voltherm.formats.seal import seal


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
        # a dimension is no variable
        assert all({"units", "long_name"} <= set(item.attrs) for _, item in seen if not item.is_scale)
        assert len(seen) == 8


def test_same_results_same_bytes(file: Path):
    again = write_results(file.parent / "again.h5", read_results(file))
    assert read_results(again).variables.keys() == read_results(file).variables.keys()


def test_files_cut_at_any_byte_are_refused(file: Path):
    whole = file.read_bytes()
    for kept in (*range(0, len(whole), 61), *range(len(whole) - 100, len(whole))):
        file.write_bytes(whole[:kept])
        with pytest.raises(FileFormatError, match=rf"^{file}: is truncated or was changed"):
            read_results(file)


def test_files_with_one_wrong_bit_are_refused(file: Path):
    whole = file.read_bytes()
    for place in range(0, len(whole), 61):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
        with pytest.raises(FileFormatError, match=rf"^{file}: is truncated or was changed"):
            read_results(file)


def test_other_readers_do_not_see_the_digest(file: Path):
    import h5netcdf

    assert file.read_bytes()[-82:].startswith(b"\nvoltherm sha256 ")
    with h5netcdf.File(file) as opened:
        assert opened.variables["rack_power"].dimensions == ("row", "rack")


def test_a_file_with_groups_opens_as_a_tree(tmp_path: Path):
    """Names of rows in a group of their own, and a group that is measured along them."""
    file = write_results(
        tmp_path / "tree.h5",
        Results(
            {"title": "tree"},
            {
                "highest_supply": Variable(np.asarray(318.15), (), "K", "highest supply"),
                "names/row": Variable(np.array(["R1", "R2"]), ("row",), "1", "rows"),
                "point/supply": Variable(np.array([313.0, 314.0]), ("row",), "K", "supply of the row"),
            },
        ),
    )
    assert float(xarray.open_dataset(file, engine="h5netcdf")["highest_supply"]) == 318.15
    tree = xarray.open_datatree(file, engine="h5netcdf")
    assert tree["point/supply"].dims == ("row",)
    assert tree["point/supply"].attrs["units"] == "K"
    assert tree["names/row"].values.tolist() == ["R1", "R2"]
    assert read_results(file).variables["point/supply"].dimensions == ("row",)


def test_foreign_files_are_refused(tmp_path: Path):
    foreign = tmp_path / "foreign.h5"
    with h5py.File(foreign, "w") as opened:
        opened["x"] = 1
    with pytest.raises(FileFormatError, match=f"^{foreign}: is truncated or was changed, or is no file of results"):
        read_results(foreign)
    seal(foreign)
    with pytest.raises(FileFormatError, match=f"^{foreign}: holds no results that this version reads"):
        read_results(foreign)
    with pytest.raises(FileFormatError, match="there is no such file"):
        read_results(tmp_path / "absent.h5")
    text = tmp_path / "text.h5"
    text.write_text("hello")
    with pytest.raises(FileFormatError, match="is no file of results"):
        read_results(text)
    seal(text)
    with pytest.raises(FileFormatError, match="is not the HDF5 of a file of results"):
        read_results(text)


def test_disagreeing_dimensions_are_refused(tmp_path: Path):
    variables = {
        "a": Variable(np.zeros(2), ("row",), "1", "a"),
        "b": Variable(np.zeros(3), ("row",), "1", "b"),
    }
    with pytest.raises(ValueError, match="dimension row has 3 entries here and 2 elsewhere"):
        write_results(tmp_path / "x.h5", Results({}, variables))
    assert not list(tmp_path.iterdir())
