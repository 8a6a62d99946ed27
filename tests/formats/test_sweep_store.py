import errno
import os

import h5py
import numpy as np
import pytest

from voltherm.formats.seal import seal, unsealed
from voltherm.formats.sweep_store import ForeignSweepError, SweepFolder, SweepStorageError

MANIFEST = {
    "format": "voltherm sweep 1",
    "case": "abc",
    "designs": 5,
    "chunk": 2,
    "columns": {"loop.power": {"units": "W", "long_name": "power of the loop"}},
    "lanes": 2,
}


def chunk(number, length=2):
    design = np.arange(2 * number, 2 * number + length)
    return {"design": design, "loop.power": 1.5 * design, "result": np.zeros(length, np.int32)}


def filled(folder):
    store = SweepFolder(folder)
    store.open(MANIFEST, resume=False)
    for number, length in ((0, 2), (2, 1), (1, 2)):
        store.write_chunk(number, chunk(number, length))
    return store


def test_merged_table_opens_as_netcdf(tmp_path):
    store = filled(tmp_path)
    assert store.finished() == {0, 1, 2}
    table, text = store.merge(3)
    with h5py.File(table) as file:
        np.testing.assert_array_equal(file["loop.power"][:], 1.5 * np.arange(5))
        assert file["loop.power"].attrs["units"] == "W"
        assert file["loop.power"].dims[0][0].name == "/design"
        assert file.attrs["title"] == "voltherm sweep"
    import h5netcdf

    with h5netcdf.File(table) as file:
        assert file.dimensions["design"].size == 5
        assert file.variables["loop.power"].dimensions == ("design",)
    lines = text.read_text().splitlines()
    assert lines[0] == "design,loop.power [W],result"
    assert lines[-1] == "4,6.0,0"
    store.close()


def test_no_name_or_text_becomes_a_formula_of_a_spreadsheet(tmp_path):
    store = SweepFolder(tmp_path)
    store.open({**MANIFEST, "designs": 2}, resume=False)
    store.write_chunk(0, {"design": np.arange(2), "=HYPERLINK(1)": np.array([-1.5, 2.0]), "@SUM": np.zeros(2)})
    _, text = store.merge(1)
    store.close()
    assert text.read_text() == "design,'=HYPERLINK(1),'@SUM\n0,-1.5,0.0\n1,2.0,0.0\n"


def test_resume_keeps_chunks_and_removes_parts(tmp_path):
    filled(tmp_path).close()
    (tmp_path / "chunks" / "chunk_00003.h5.part").write_bytes(b"half a chunk")
    store = SweepFolder(tmp_path)
    assert store.open({**MANIFEST, "lanes": 1}, resume=True)["lanes"] == 2
    assert store.finished() == {0, 1, 2}
    assert not list(tmp_path.rglob("*.part"))
    store.close()


def test_folder_with_a_sweep_needs_resume(tmp_path):
    filled(tmp_path).close()
    with pytest.raises(ForeignSweepError, match="already holds a sweep: resume it with --resume"):
        SweepFolder(tmp_path).open(MANIFEST, resume=False)


def test_one_process_at_a_time(tmp_path):
    store = filled(tmp_path)
    with pytest.raises(ForeignSweepError, match="another process"):
        SweepFolder(tmp_path).open(MANIFEST, resume=True)
    store.close()
    next_one = SweepFolder(tmp_path)
    next_one.open(MANIFEST, resume=True)
    next_one.close()


def test_another_sweep_is_refused_by_what_differs(tmp_path):
    filled(tmp_path).close()
    with pytest.raises(
        ForeignSweepError, match=r"manifest\.json: belongs to another sweep, which differs in case, seed"
    ):
        SweepFolder(tmp_path).open({**MANIFEST, "case": "def", "seed": 1}, resume=True)


def test_a_manifest_without_chunks_gives_way(tmp_path):
    first = SweepFolder(tmp_path)
    first.open(MANIFEST, resume=False)
    first.close()
    store = SweepFolder(tmp_path)
    assert store.open({**MANIFEST, "case": "def"}, resume=False)["case"] == "def"
    store.close()
    assert '"case": "def"' in (tmp_path / "manifest.json").read_text()


def test_a_table_without_chunks_is_not_replaced(tmp_path):
    store = filled(tmp_path)
    store.merge(3)
    store.close()
    for file in (tmp_path / "chunks").iterdir():
        file.unlink()
    with pytest.raises(ForeignSweepError, match="already holds a sweep"):
        SweepFolder(tmp_path).open(MANIFEST, resume=False)


def test_inspection_knows_what_the_study_says(tmp_path):
    filled(tmp_path).close()
    store = SweepFolder(tmp_path)
    store.inspect({"designs": 5, "chunk": 2}, resume=True)
    # the folder is held from then on, and its chunks are not read twice
    with pytest.raises(ForeignSweepError, match="another process"):
        SweepFolder(tmp_path).inspect({"designs": 5}, resume=True)
    store.open(MANIFEST, resume=True)
    (tmp_path / "chunks" / "chunk_00001.h5").write_bytes(b"")
    assert store.finished() == {0, 1, 2}
    store.close()
    with pytest.raises(ForeignSweepError, match="differs in designs"):
        SweepFolder(tmp_path).inspect({"designs": 6, "chunk": 2}, resume=True)
    with pytest.raises(ForeignSweepError, match="already holds a sweep"):
        SweepFolder(tmp_path).inspect({"designs": 5}, resume=False)
    with pytest.raises(ForeignSweepError, match=r"chunk_00001\.h5: truncated"):
        SweepFolder(tmp_path).inspect({"designs": 5}, resume=True)
    SweepFolder(tmp_path / "absent").inspect({"designs": 5}, resume=False)
    assert not (tmp_path / "absent").exists()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"lanes": "all"'])
def test_manifest_that_is_none(tmp_path, text):
    filled(tmp_path).close()
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(ForeignSweepError, match=r"manifest\.json: "):
        SweepFolder(tmp_path).open(MANIFEST, resume=True)


def test_chunks_without_manifest(tmp_path):
    filled(tmp_path).close()
    (tmp_path / "manifest.json").unlink()
    with pytest.raises(ForeignSweepError, match=r"chunk_00000\.h5: a chunk without manifest"):
        SweepFolder(tmp_path).open(MANIFEST, resume=True)


def _truncate(file):
    file.write_bytes(file.read_bytes()[:1000])


def _empty(file):
    file.write_bytes(b"")


def _foreign(file):
    with h5py.File(file, "w") as other:
        other["x"] = [1.0]


def _edit(file):
    with h5py.File(file, "r+") as there:
        there["loop.power"][0] += 1e-9


def _foreign_sealed(file):
    _foreign(file)
    seal(file)


def _edit_sealed(file):
    whole = unsealed(file.read_bytes())
    file.write_bytes(whole)
    _edit(file)
    seal(file)


def _linked(file):
    other = file.with_name("other.h5")
    with h5py.File(other, "w") as secret:
        secret["x"] = [1.0]
    with h5py.File(file, "w") as there:
        there["x"] = h5py.ExternalLink(str(other), "/x")
    other.rename(file.parent.parent / "other.h5")
    seal(file)


def _swap(file):
    file.write_bytes(file.with_name("chunk_00000.h5").read_bytes())


def _rename(file):
    file.rename(file.with_name("chunk_first.h5"))


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (_truncate, r"chunk_00001\.h5: truncated"),
        (_empty, r"chunk_00001\.h5: truncated"),
        (_foreign, r"chunk_00001\.h5: truncated, changed, or not a chunk"),
        (_edit, r"chunk_00001\.h5: truncated, changed, or not a chunk"),
        (_linked, r"chunk_00001\.h5: truncated, changed, or not a chunk"),
        (_foreign_sealed, r"chunk_00001\.h5: a chunk of another sweep"),
        (_edit_sealed, r"chunk_00001\.h5: its contents were changed"),
        (_swap, r"chunk_00001\.h5: its contents were changed"),
        (_rename, r"chunk_first\.h5: not the name of a chunk"),
    ],
)
def test_damaged_and_foreign_chunks_are_refused_by_name(tmp_path, damage, told):
    filled(tmp_path).close()
    damage(tmp_path / "chunks" / "chunk_00001.h5")
    store = SweepFolder(tmp_path)
    store.open(MANIFEST, resume=True)
    with pytest.raises(ForeignSweepError, match=told):
        store.finished()
    store.close()


def test_full_disk_is_told_and_harms_nothing(tmp_path, monkeypatch):
    store = filled(tmp_path)

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(
            SweepStorageError, match=r"chunk_00001\.h5: no space is left on the device\. Finished chunks are kept"
        ):
            store.write_chunk(1, chunk(1))
        with pytest.raises(SweepStorageError, match=r"sweep\.h5: no space"):
            store.merge(3)
    assert not list(tmp_path.rglob("*.part"))
    assert store.finished() == {0, 1, 2}
    assert [file.name for file in store.merge(3)] == ["sweep.h5", "sweep.csv"]
    store.close()


def test_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SweepStorageError, match="opening"):
        SweepFolder(tmp_path / "file" / "sweep").open(MANIFEST, resume=False)
