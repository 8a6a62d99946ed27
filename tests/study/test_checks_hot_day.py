"""The kept figures are those of the script, and the script knows nothing of the package's physics."""

import ast
import importlib.util
import json
from pathlib import Path

import pytest

from voltherm.formats import configuration

_FOLDER = Path(__file__).resolve().parents[2] / "validation" / "site" / "hot_day"


def _script():
    specification = importlib.util.spec_from_file_location("recompute", _FOLDER / "recompute.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_the_kept_figures_are_those_of_the_script():
    script = _script()
    found = script.recompute(configuration(script.CASE)[0])
    kept = json.loads((_FOLDER / "hot_day.json").read_text(encoding="utf-8"))
    assert found.keys() == kept.keys()
    for name, value in kept.items():
        assert found[name] == pytest.approx(value, rel=1e-8), name


def test_the_script_imports_the_reader_alone():
    imported = set()
    for node in ast.walk(ast.parse((_FOLDER / "recompute.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            imported.add(node.module)
        elif isinstance(node, ast.Import):
            imported |= {name.name for name in node.names}
    assert {name for name in imported if name.startswith("voltherm")} == {"voltherm.formats"}
    assert not {name for name in imported if name.split(".")[0] in {"jax", "scipy"}}
