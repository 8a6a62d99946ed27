"""The kept figures are those of the script, and the script knows nothing of the package's physics."""

import ast
import json

import pytest

from validation.site.hot_day import parts, recompute
from voltherm.formats import configuration


def test_the_kept_figures_are_those_of_the_script():
    found = recompute.recompute(configuration(recompute.CASE)[0])
    kept = json.loads((parts.FOLDER / "hot_day.json").read_text(encoding="utf-8"))
    assert found.keys() == kept.keys()
    for name, value in kept.items():
        assert found[name] == pytest.approx(value, rel=1e-8), name


def test_the_script_imports_the_reader_alone():
    imported = set()
    for file in parts.FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                imported.add(node.module)
            elif isinstance(node, ast.Import):
                imported |= {name.name for name in node.names}
    assert {name for name in imported if name.startswith("voltherm")} == {"voltherm.formats"}
    assert not {name for name in imported if name.split(".")[0] in {"jax", "scipy"}}
