"""What a file of HDF5 may hold before any of it is read."""

import h5py
import numpy as np
import pytest

from tests.formats.hostile_results import HOSTILE, hostile_file
from voltherm.formats import FileFormatError
from voltherm.formats.hdf5 import Contents, ForeignDataError
from voltherm.formats.results import read_results


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_results_are_refused_by_name(tmp_path, name):
    path = hostile_file(tmp_path, name)
    with pytest.raises(FileFormatError, match=f"^{path}: holds what no results of this program hold: .*") as caught:
        read_results(path)
    assert HOSTILE[name][1] in str(caught.value)


def test_plain_contents_are_read(tmp_path):
    path = tmp_path / "plain.h5"
    with h5py.File(path, "w") as file:
        file.attrs["title"], file.attrs["many"] = "x", np.arange(3)
        file["group/numbers"] = np.arange(3)
        file.create_dataset("group/packed", data=np.zeros(1_000_000), compression="gzip")
        file.create_dataset("texts", data=[f"row {row}" for row in range(1_000)], dtype=h5py.string_dtype())
        file.create_dataset("one", data="text", dtype=h5py.string_dtype())
        file.create_dataset("none", data=np.zeros(0))
    with h5py.File(path) as file:
        contents = Contents(file)
        assert contents.attributes(file) == {"title": "x"}
        read = {name: contents.array(name, item) for name, item in contents.datasets()}
    assert set(read) == {"group/numbers", "group/packed", "texts", "one", "none"}
    assert read["texts"][999] == "row 999"
    assert read["one"][()] == "text"
    assert read["group/packed"].shape == (1_000_000,)


def test_an_attribute_larger_than_its_file_is_not_read(tmp_path):
    path = tmp_path / "attribute.h5"
    with h5py.File(path, "w", track_order=True) as file:
        file.attrs["large"] = np.zeros(6_000)
    with h5py.File(path) as file:
        contents = Contents(file)
        contents._size = 1_000
        with pytest.raises(ForeignDataError, match="attribute 'large' claims more than the file holds"):
            contents.attributes(file)
