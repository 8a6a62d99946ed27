"""The public API as text: every re-exported name with its signature, read from the source without importing it.

Regenerate public_api.txt after a deliberate change, and write the change down in CHANGELOG.md:

    .venv/bin/python -m tests.test_project.public_api
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.test_project.sources import PROJECT_ROOT, SOURCE_ROOTS, module_name, source_files, tree

PINNED = Path(__file__).with_name("public_api.txt")


def _file_of(module: str) -> Path | None:
    for root in SOURCE_ROOTS:
        base = root.joinpath(*module.split("."))
        for file in (base / "__init__.py", base.with_suffix(".py")):
            if file.is_file():
                return file
    return None


def _exports(file: Path) -> Iterator[tuple[str, str]]:
    """Name and home module of every `from module import name as name`, at any level of the file."""
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((alias.name, node.module) for alias in node.names if alias.asname == alias.name)


def _find(name: str, module: str) -> ast.stmt | None:
    """The definition of a name, through re-exports."""
    file = _file_of(module)
    if file is None:
        return None
    for node in tree(file).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            return node
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(target, ast.Name) and target.id == name for target in targets):
                return node
    home = dict(_exports(file)).get(name, module)
    return _find(name, home) if home != module else None


def _signature(node: ast.FunctionDef) -> str:
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"{node.name}({ast.unparse(node.args)}){returns}"


def _describe(name: str, module: str) -> list[str]:
    node = _find(name, module)
    submodule = None if node else _file_of(f"{module}.{name}")
    if submodule:
        functions = [node for node in tree(submodule).body if isinstance(node, ast.FunctionDef) and node.name[0] != "_"]
        return [f"module {name}", *(f"    {_signature(function)}" for function in functions)]
    if isinstance(node, ast.FunctionDef):
        return [_signature(node)]
    if not isinstance(node, ast.ClassDef):
        return [name]
    lines = [f"class {name}({', '.join(ast.unparse(base) for base in node.bases)})"]
    for member in node.body:
        if isinstance(member, ast.AnnAssign) and not ast.unparse(member.target).startswith("_"):
            lines.append(f"    {ast.unparse(member)}")
        elif isinstance(member, ast.FunctionDef) and (not member.name.startswith("_") or member.name == "__init__"):
            lines.append(f"    {_signature(member)}")
    return lines


def describe() -> str:
    """All packages that re-export names, one block each."""
    blocks = []
    for file in source_files():
        exports = sorted(_exports(file)) if file.name == "__init__.py" else []
        if exports:
            lines = [line for name, module in exports for line in _describe(name, module)]
            blocks.append("\n".join([f"# {module_name(file)}", *lines]))
    return "\n\n".join(blocks) + "\n"


if __name__ == "__main__":
    PINNED.write_text(describe(), encoding="utf-8")
    print(f"wrote {PINNED.relative_to(PROJECT_ROOT)}")
