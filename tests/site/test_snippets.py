"""Every Python snippet and notebook of the documents runs, on the small site where one loads the shipped building."""

import json
import re
import shutil
from pathlib import Path

import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import pytest

import voltherm
from tests.formats.test_epanet import LIBRARY
from tests.formats.test_matpower_text import PLAIN
from voltherm.formats.results import Results, Variable, write_results
from voltherm.report import variables

ROOT = Path(__file__).resolve().parents[2]
_BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
_DOCUMENTS = sorted(
    str(file.relative_to(ROOT))
    for file in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    if _BLOCK.search(file.read_text(encoding="utf-8"))
)
_MINUTES = ("docs/how-to/tolerances.md", "docs/how-to/tune.md")
"""Documents whose snippets compile most of the program: `make soak` runs them."""
_NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))
_SHORTER = {"designs=10_000": "designs=8", "random_points=1000": "random_points=8", "samples=64": "samples=8"}


@pytest.fixture
def given(site, state, tmp_path, monkeypatch):
    """What a reader of a document has at hand: names, and files in the folder he works in."""
    from rich.console import Console

    from tests.report.fabricated import fabricated_answer
    from voltherm.formats.matpower import read_case
    from voltherm.power import steady

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(voltherm, "load", lambda file: site, raising=False)
    shutil.copy(LIBRARY / "Net1.inp", tmp_path / "network.inp")
    (tmp_path / "case2736sp.m").write_text(PLAIN, encoding="utf-8")
    tables = {
        name: Variable(found.values, found.dimensions, found.units or "1", found.long_name)
        for name, found in variables(fabricated_answer(site)).items()
    }
    write_results(tmp_path / "results.h5", Results({"title": "small site"}, tables))
    return {
        "docs/kernels.md": {
            "rows": np.array([0, 1]),
            "columns": np.array([0, 1]),
            "size": 2,
            "values": 2.0 * jnp.broadcast_to(jnp.eye(2), (2, 2, 2)),
            "right_hand_side": jnp.ones((2, 2)),
        },
        "docs/how-to/read-the-report.md": {
            "site": site,
            "state": state,
            "answer": fabricated_answer(site),
            "console": Console(),
        },
        "docs/how-to/ride-through.md": {"site": site, "state": state, "voltherm": voltherm},
        "docs/how-to/tolerances.md": {"site": site},
        "docs/theory/power.md": {"steady": steady, "read_case": read_case},
    }


@pytest.mark.parametrize(
    "document", [pytest.param(name, marks=[pytest.mark.soak] if name in _MINUTES else []) for name in _DOCUMENTS]
)
def test_snippets_run(document, given):
    text = (ROOT / document).read_text(encoding="utf-8")
    names = dict(given.get(document, {}))
    for block in _BLOCK.findall(text):
        for long, short in _SHORTER.items():
            block = block.replace(long, short)
        exec(compile(block, document, "exec"), names)


@pytest.mark.parametrize(
    "notebook",
    [
        pytest.param(file, marks=[pytest.mark.soak] if file.stem == "gradients" else [], id=file.stem)
        for file in _NOTEBOOKS
    ],
)
def test_notebooks_run(notebook, given, monkeypatch):
    monkeypatch.chdir(notebook.parent)
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert code
    assert all(cell["outputs"] for cell in code[1:]), "run the notebook and keep what it shows"
    names: dict[str, object] = {}
    for cell in code:
        exec(compile("".join(cell["source"]), notebook.name, "exec"), names)
    plt.close("all")


def test_the_example_of_the_package_says_what_it_needs_and_runs(given):
    """Before, it ended without a state: it did not ask for double precision."""
    lines = re.findall(r"^    (.+)$", voltherm.__doc__, re.MULTILINE)
    assert len(lines) == 3
    names = {"voltherm": voltherm, "jax": __import__("jax")}
    exec("\n".join(lines), names)
    assert names["solution"].status.result == 0
