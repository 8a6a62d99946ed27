"""The command line, called in this process."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from voltherm.cli import environment
from voltherm.cli.application import application


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, project_root: Path):
    monkeypatch.chdir(project_root)
    # the suite has set jax up already
    monkeypatch.setattr(environment, "prepare", lambda *_, **__: None)
    return lambda *arguments: CliRunner().invoke(application, [str(argument) for argument in arguments])
