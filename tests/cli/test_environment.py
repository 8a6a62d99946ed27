import os
import stat
from pathlib import Path

import pytest

from voltherm.cli import environment
from voltherm.formats.errors import EnvironmentFaultError


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_cache_is_of_this_user_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = environment.usable_cache()
    assert folder is not None
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    folder.chmod(0o777)
    assert environment.usable_cache() == folder
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_cache_that_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert environment.usable_cache() is None


def test_the_log_of_xla_is_silent_unless_asked_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)
    environment.keep_the_terminal_clean()
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == "3"
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "0")
    environment.keep_the_terminal_clean()
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == "0"


def test_unknown_device():
    with pytest.raises(EnvironmentFaultError, match="choose cpu or gpu"):
        environment.prepare("tpu")
