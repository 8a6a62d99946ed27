import jax.numpy as jnp
import numpy as np
import pytest

from voltherm.study.checkpoint import load, save
from voltherm.study.errors import ForeignCheckpointError

STATE = {"unit": jnp.arange(3.0), "iteration": jnp.asarray(4, jnp.int32)}
HEADER = {"case": "abc", "variables": [{"path": "a", "minimum": 0.1}]}


def test_round_trip_replaces_whole(tmp_path):
    file = tmp_path / "folder" / "tune.checkpoint"
    save(file, HEADER, {"unit": jnp.zeros(3), "iteration": jnp.asarray(1, jnp.int32)})
    save(file, HEADER, STATE)
    found = load(file, HEADER, STATE)
    np.testing.assert_array_equal(found["unit"], STATE["unit"])
    assert int(found["iteration"]) == 4
    assert [each.name for each in file.parent.iterdir()] == ["tune.checkpoint"]


def _keep(contents):
    return contents


@pytest.mark.parametrize(
    ("change", "header", "told"),
    [
        (_keep, {**HEADER, "case": "def"}, "differs in case"),
        (lambda contents: contents[:-40], HEADER, "truncated or damaged"),
        (lambda contents: contents[:-1] + b"x", HEADER, "truncated or damaged"),
        (lambda contents: b"", HEADER, "not a checkpoint"),
        (lambda contents: b"[1]\n", HEADER, "not a checkpoint"),
        (lambda contents: b"\x89HDF\r\n\x1a\n" + contents, HEADER, "not a checkpoint"),
    ],
)
def test_foreign_files_are_refused_by_name(tmp_path, change, header, told):
    file = tmp_path / "tune.checkpoint"
    save(file, HEADER, STATE)
    file.write_bytes(change(file.read_bytes()))
    with pytest.raises(ForeignCheckpointError, match=rf"tune\.checkpoint: .*{told}"):
        load(file, header, STATE)


def test_other_arrays_under_the_same_header_are_refused(tmp_path):
    file = tmp_path / "tune.checkpoint"
    save(file, HEADER, {"unit": jnp.arange(4.0), "iteration": jnp.asarray(4, jnp.int32)})
    with pytest.raises(ForeignCheckpointError, match="holds other arrays"):
        load(file, HEADER, STATE)
