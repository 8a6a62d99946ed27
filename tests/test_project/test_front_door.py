"""`import voltherm` and the command line's help are light; the lazy names lead somewhere."""

import subprocess
import sys

import pytest

import voltherm
from tests.test_project.sources import PROJECT_ROOT

_HEAVY = "{'jax', 'jaxlib', 'pandas', 'matplotlib', 'xarray', 'scipy'}"


def _run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PROJECT_ROOT, check=False)


def _source_exists(*parts: str) -> bool:
    folder = PROJECT_ROOT.joinpath("src", "voltherm", *parts)
    return (folder / "__init__.py").is_file() or folder.with_suffix(".py").is_file()


@pytest.mark.parametrize("module", ["", "cli", "formats", "formats.schema", "formats.loader", "formats.units"])
def test_import_without_jax(module: str):
    if not _source_exists(*module.split(".")):
        return
    dotted = f"voltherm.{module}".rstrip(".")
    done = _run(f"import sys, {dotted}\nheavy = {_HEAVY} & set(sys.modules)\nassert not heavy, heavy")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["sweep", "--help"]], ids=" ".join)
def test_help_without_jax(arguments: list[str]):
    if not _source_exists("cli"):
        return
    done = _run(
        f"import sys\nsys.argv = ['voltherm', *{arguments}]\n"
        "from voltherm.cli import main\n"
        "try:\n    main()\nexcept SystemExit as done:\n    assert not done.code, done.code\n"
        f"heavy = {_HEAVY} & set(sys.modules)\nassert not heavy, heavy\n"
    )
    assert done.returncode == 0, done.stderr
    assert "Usage" in done.stdout


def test_lazy_names_lead_somewhere():
    missing = []
    for name, home in voltherm._HOME.items():
        if _source_exists(home.removeprefix("voltherm.")):
            value = getattr(voltherm, name)
            if not callable(value):
                missing.append(f"voltherm.{name} is {value!r}")
    assert not missing, "\n".join(missing)


def test_unknown_name_and_listing():
    with pytest.raises(AttributeError, match="no attribute 'stedy'"):
        _ = voltherm.stedy
    assert {"load", "steady", "simulate", "sweep", "tune", "ResultCode", "__version__"} <= set(dir(voltherm))
