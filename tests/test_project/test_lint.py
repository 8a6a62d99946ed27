"""ruff and mypy as part of the suite, so that `make test` is the whole verdict."""

import subprocess
import sys

import pytest

from tests.test_project.sources import PROJECT_ROOT


@pytest.mark.parametrize(
    "command",
    [("ruff", "format", "--check", "--diff", "."), ("ruff", "check", "."), ("mypy",)],
    ids=["format", "check", "types"],
)
def test_lint(command: tuple[str, ...]):
    done = subprocess.run(
        [sys.executable, "-m", *command], capture_output=True, text=True, cwd=PROJECT_ROOT, check=False
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
