"""What `voltherm.study.checkpoint` writes is judged by its first line, and damage is found without jax."""

import subprocess
import sys
from pathlib import Path

import jax.numpy as jnp
import pytest

from voltherm.formats.checkpoint_header import inspect_checkpoint
from voltherm.formats.errors import FileFormatError
from voltherm.study.checkpoint import save

HEADER = {"case": "abc", "variables": [{"path": "a", "minimum": 0.1}], "settings": {"iterations": 9, "penalty": 10.0}}
KNOWN = {"variables": [{"path": "a", "minimum": 0.1}], "settings": {"iterations": 9}}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    save(tmp_path / "checkpoint", HEADER, {"unit": jnp.arange(3.0), "iteration": jnp.asarray(4, jnp.int32)})
    return tmp_path / "checkpoint"


def test_its_own_study_passes(file: Path):
    inspect_checkpoint(file, KNOWN)
    inspect_checkpoint(file.with_name("absent"), KNOWN)


@pytest.mark.parametrize(
    ("known", "told"),
    [
        ({**KNOWN, "variables": []}, "differs in variables"),
        ({**KNOWN, "settings": {"iterations": 10}}, "differs in settings"),
        ({"seed": 1}, "differs in seed"),
    ],
)
def test_another_study_is_refused(file: Path, known: dict, told: str):
    with pytest.raises(FileFormatError, match=rf"checkpoint: a checkpoint of another study, which {told}"):
        inspect_checkpoint(file, known)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda contents: contents[:-40], "truncated or damaged"),
        (lambda contents: contents[:-1] + b"x", "truncated or damaged"),
        (lambda contents: b"", "not a checkpoint"),
        (lambda contents: b"[1]\n", "not a checkpoint"),
        (lambda contents: b'{"format": "other"}\n', "not a checkpoint"),
        (lambda contents: b"\x89HDF\r\n\x1a\n" + contents, "not a checkpoint"),
    ],
)
def test_damage_is_found(file: Path, change, told: str):
    file.write_bytes(change(file.read_bytes()))
    with pytest.raises(FileFormatError, match=rf"checkpoint: {told}"):
        inspect_checkpoint(file, KNOWN)


def test_without_jax(file: Path):
    code = (
        "import sys\nfrom voltherm.formats.checkpoint_header import inspect_checkpoint\n"
        f"inspect_checkpoint({str(file)!r}, {{}})\nassert 'jax' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
