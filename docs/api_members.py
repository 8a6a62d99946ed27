"""MkDocs hook: an API page lists every name that its package gives.

A page says `::: voltherm.thermal`; the members follow from the `import name as name` lines of the package, which is
what `tests/test_project/public_api.txt` pins. Without the hook, mkdocstrings leaves imported names out.
"""

import ast
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
_SOURCES = {"voltherm": "src", "voltherm_kernels": "kernels"}


def _folder(package: str) -> Path:
    return _ROOT / _SOURCES[package.split(".")[0]] / package.replace(".", "/")


def exported(package: str) -> dict[str, str]:
    """Public names of a package, and the module each comes from: what it passes on, and what it defines itself."""
    tree = ast.parse((_folder(package) / "__init__.py").read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    own = [getattr(node, "name", "_") for node in tree.body]
    origin = {node: f"{package}.{node.module}" if node.level else str(node.module) for node in imports}
    passed_on = {name.name: origin[node] for node in imports for name in node.names if name.asname == name.name}
    return passed_on | {name: package for name in own if not name.startswith("_")}


def _is_module(name: str) -> bool:
    return _folder(name).is_dir() or _folder(name).with_suffix(".py").is_file()


def _definition(package: str, name: str, source: str) -> str:
    """Where to find a name that is a module, or that a module of the same name hides; empty for any other."""
    if _is_module(f"{source}.{name}"):
        module = f"{source}.{name}"
        return module if package != "voltherm" else f"{module}.{name}"
    return f"{source}.{name}" if _is_module(f"{package}.{name}") else ""


def on_page_markdown(markdown: str, **_: object) -> str:
    """The page with the members of each package that it names.

    A module, and a function that its module hides (`voltherm.study.sweep`), get a block of their own.
    """
    lines = []
    for line in markdown.splitlines():
        lines.append(line)
        if not line.startswith("::: "):
            continue
        package = line.removeprefix("::: ").strip()
        apart = {name: _definition(package, name, source) for name, source in exported(package).items()}
        lines += ["    options:", f"      members: [{', '.join(name for name in apart if not apart[name])}]"]
        for place in filter(None, apart.values()):
            lines += ["", f"::: {place}", "    options:", "      show_root_heading: true"]
    return "\n".join(lines)
