"""What the structure tests look at: source files, module names and parsed trees, without importing anything."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parents[2]
SOURCE_ROOTS = (PROJECT_ROOT / "src", PROJECT_ROOT / "kernels")
PACKAGES = ("voltherm", "voltherm_kernels")
_TEXT_SUFFIXES = {".py", ".md", ".toml", ".yaml", ".yml", ".json", ".html", ".css", ".js", ".cc", ".h", ".txt", ".csv"}
_TEXT_FOLDERS = ("src", "kernels", "tests", "configs", "validation", "benchmarks", "docs", ".ci")


def source_files() -> list[Path]:
    """Every Python file of the two packages."""
    return sorted(
        file for root, package in zip(SOURCE_ROOTS, PACKAGES, strict=True) for file in (root / package).rglob("*.py")
    )


def python_files() -> list[Path]:
    """Every Python file of the project: packages, tests, benchmarks, validation."""
    folders = ("src", "kernels", "tests", "benchmarks", "validation")
    return sorted(file for folder in folders for file in (PROJECT_ROOT / folder).rglob("*.py"))


def text_files() -> list[Path]:
    """Every file of the project that people read."""
    inside = [file for folder in _TEXT_FOLDERS for file in (PROJECT_ROOT / folder).rglob("*") if file.is_file()]
    top = [file for file in PROJECT_ROOT.iterdir() if file.is_file()]
    named = [file for file in inside + top if file.suffix in _TEXT_SUFFIXES or file.name in {"Makefile", "run"}]
    return sorted(file for file in named if not {"out", "__pycache__"} & set(file.relative_to(PROJECT_ROOT).parts))


def relative(file: Path) -> str:
    """Path from the project root, for messages."""
    return file.relative_to(PROJECT_ROOT).as_posix()


def module_name(file: Path) -> str:
    """`voltherm.coolant.pipe` for `src/voltherm/coolant/pipe.py`; files outside the sources count from the project."""
    root = next((root for root in SOURCE_ROOTS if file.is_relative_to(root)), PROJECT_ROOT)
    parts = file.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def tree(file: Path) -> ast.Module:
    """The parsed file."""
    return ast.parse(file.read_text(encoding="utf-8"), filename=str(file))


def imports(file: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything a file imports, late and type-checking imports included.

    `from a.b import c` gives `a.b.c`, so that importing a subpackage by name is seen.
    """
    package = module_name(file).split(".")
    if file.name != "__init__.py":
        package = package[:-1]
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{origin}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and _called(node).endswith("import_module") and node.args:
            argument = node.args[0]
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                yield node.lineno, argument.value


def _called(node: ast.Call) -> str:
    return ast.unparse(node.func)
