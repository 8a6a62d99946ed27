"""What pyproject.toml declares is what is imported, both ways."""

import importlib.metadata
import re
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

from tests.test_project.sources import PROJECT_ROOT, imports, python_files, relative, source_files

_OWN = {"voltherm", "voltherm_kernels", "tests", "benchmarks", "docs", "validation"}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")

_NOT_IMPORTED = {
    "pytest-xdist": ("Makefile", "-n $(WORKERS)"),
    "ruff": ("Makefile", "$(BIN)/ruff check"),
    "mypy": ("Makefile", "$(BIN)/mypy"),
    "types-pyyaml": ("Makefile", "$(BIN)/mypy"),
    "beartype": ("tests/conftest.py", '"beartype.beartype"'),
    "mkdocs-material": ("mkdocs.yml", "name: material"),
    "mkdocstrings": ("mkdocs.yml", "mkdocstrings"),
    "mkdocs-jupyter": ("mkdocs.yml", "mkdocs-jupyter"),
    "ipykernel": ("mkdocs.yml", "execute: true"),
    "six": ("benchmarks/peers.txt", "wntr needs it and does not say so"),
}
"""Programs, and what others need unsaid: the file that uses each, and how."""


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@cache
def _declared() -> dict[str, frozenset[str]]:
    """Names of distributions by group; "" are those that everyone gets."""
    project = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = {"": project["dependencies"], **project["optional-dependencies"]}
    return {
        group: frozenset(_plain(_NAME.match(requirement).group()) for requirement in requirements)
        for group, requirements in groups.items()
    }


@cache
def _distributions() -> dict[str, list[str]]:
    """Distributions by the name of what they let import."""
    found = importlib.metadata.packages_distributions()
    return {name: [_plain(each) for each in distributions] for name, distributions in found.items()}


def _imported(files: list[Path]) -> dict[str, set[str]]:
    """Third-party names that are imported, with the files that do."""
    found: dict[str, set[str]] = {}
    for file in files:
        for _, name in imports(file):
            root = name.split(".")[0]
            if root not in sys.stdlib_module_names | _OWN:
                found.setdefault(root, set()).add(relative(file))
    return found


def _test_files() -> list[Path]:
    return [file for file in python_files() if file.is_relative_to(PROJECT_ROOT / "tests")]


@pytest.mark.parametrize(
    ("files", "groups"),
    [(source_files, ("", "formats", "report")), (_test_files, ("", "formats", "report", "test"))],
    ids=["package", "tests"],
)
def test_what_is_imported_is_declared(files, groups):
    declared = set().union(*(_declared()[group] for group in groups))
    missing = [
        f"{name}: imported by {', '.join(sorted(where)[:3])}"
        for name, where in _imported(files()).items()
        if not declared & set(_distributions().get(name, [_plain(name)]))
    ]
    assert not missing, "declare in pyproject.toml:\n" + "\n".join(missing)


@pytest.mark.parametrize("group", ["", "formats", "report", "test", "docs"])
def test_what_is_declared_is_used(group):
    files = _test_files() if group == "test" else source_files()
    imported = {each for name in _imported(files) for each in _distributions().get(name, [_plain(name)])}
    unused = []
    for name in _declared()[group] - imported:
        file, text = _NOT_IMPORTED.get(name, ("", ""))
        if not file or text not in (PROJECT_ROOT / file).read_text(encoding="utf-8"):
            unused.append(name)
    assert not unused, f"declared in pyproject.toml and not used: {', '.join(sorted(unused))}"


def test_exceptions_are_declared():
    everything = frozenset().union(*_declared().values())
    assert set(_NOT_IMPORTED) <= everything
    assert "six" not in everything or "wntr" in _declared()["formats"]
