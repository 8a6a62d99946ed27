"""Form of the modules: abstract or final classes, docstrings, file lengths, one place for jax flags."""

import ast
import dataclasses
import importlib
import pkgutil
import re
import subprocess
import sys

import equinox as eqx
import pytest

from tests.test_project.sources import PACKAGES, PROJECT_ROOT, module_name, python_files, relative, source_files, tree
from voltherm.numerics.bounds import _KEY

LONGEST_FILE = 450
"""Lines. The aim is 400; the rest is room for a docstring that grows."""


def _import_everything() -> None:
    for package in PACKAGES:
        root = importlib.import_module(package)
        for module in pkgutil.walk_packages(root.__path__, f"{package}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)


def _own_modules(base: type) -> list[type]:
    """Subclasses of `base` that their module holds under their own name, which leaves out equinox's internal copies."""
    found = []
    for sub in base.__subclasses__():
        own = sub.__module__.split(".")[0] in PACKAGES
        named = getattr(sys.modules.get(sub.__module__), sub.__qualname__, None)
        if own and named is sub:
            found.append(sub)
        found += _own_modules(sub)
    return found


def test_classes_are_abstract_or_final():
    _import_everything()
    wrong = []
    for cls in set(_own_modules(eqx.Module)):
        name = f"{cls.__module__}.{cls.__qualname__}"
        attributes = ("__abstractmethods__", "__abstractvars__", "__abstractclassvars__")
        members = [member for attribute in attributes for member in getattr(cls, attribute, ())]
        abstract = cls.__name__.lstrip("_").startswith("Abstract")
        if abstract and not members:
            wrong.append(f"{name} is called abstract and has no abstract member")
        if members and not abstract:
            wrong.append(f"{name} leaves {', '.join(sorted(members))} abstract: implement them or call it Abstract…")
        subclasses = [sub.__qualname__ for sub in _own_modules(cls) if sub is not cls]
        if subclasses and not abstract:
            wrong.append(f"{name} is final and is subclassed by {', '.join(subclasses)}")
    assert not wrong, "\n".join(sorted(wrong))


def test_class_docstrings_name_the_units_of_their_numbers():
    _import_everything()
    missing = []
    for cls in set(_own_modules(eqx.Module)):
        if cls.__name__.startswith("_"):
            continue
        units = {field.metadata[_KEY].unit for field in dataclasses.fields(cls) if _KEY in field.metadata}
        missing += [
            f"{cls.__module__}.{cls.__qualname__}: {unit}"
            for unit in units - {""}
            if not re.search(rf"(?<![\w/]){re.escape(unit)}(?![\w/^])", cls.__doc__ or "")
        ]
    assert not missing, "units that no docstring gives:\n" + "\n".join(sorted(missing))


def test_files_stay_short():
    lengths = {relative(file): len(file.read_text(encoding="utf-8").splitlines()) for file in python_files()}
    long = [f"{name}: {length} lines" for name, length in lengths.items() if length > LONGEST_FILE]
    assert not long, "is one of these doing two jobs?\n" + "\n".join(long)


def test_every_module_says_what_it_is():
    silent = [relative(file) for file in source_files() if ast.get_docstring(tree(file)) is None]
    assert not silent, "no module docstring in\n" + "\n".join(silent)


def test_public_names_have_docstrings():
    silent = [
        f"{relative(file)}:{node.lineno}: {node.name}"
        for file in source_files()
        for node in tree(file).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not any(isinstance(each, ast.Name) and each.id == "overload" for each in node.decorator_list)
        and ast.get_docstring(node) is None
    ]
    assert not silent, "no docstring on\n" + "\n".join(silent)


def test_jax_flags_are_set_by_the_command_line_alone():
    wrong = [
        f"{relative(file)}:{node.lineno}"
        for file in source_files()
        if not module_name(file).startswith("voltherm.cli")
        for node in ast.walk(tree(file))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("jax.config.update", "config.update"))
    ]
    assert not wrong, "a library sets no global flag:\n" + "\n".join(wrong)


@pytest.mark.parametrize("package", PACKAGES)
def test_import_leaves_jax_flags_alone(package: str):
    code = (
        "import importlib, pkgutil, jax\n"
        "before = dict(jax.config.values)\n"
        f"root = importlib.import_module({package!r})\n"
        f"for module in pkgutil.walk_packages(root.__path__, {package + '.'!r}):\n"
        "    if not module.name.endswith('__main__'):\n"
        "        importlib.import_module(module.name)\n"
        "changed = [key for key, value in jax.config.values.items() if before.get(key) != value]\n"
        "assert not changed, changed\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PROJECT_ROOT, check=False)
    assert done.returncode == 0, done.stderr
