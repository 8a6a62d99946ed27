"""What the documents tell a reader to type exists, and the folders they describe are well formed."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.test_project.public_api import PINNED
from tests.test_project.sources import PROJECT_ROOT, relative, source_files
from voltherm.study.validation import discover, load_case, load_check

_DOCUMENTS = sorted(
    [
        *PROJECT_ROOT.glob("*.md"),
        *(
            file
            for folder in ("docs", "configs", "validation", "benchmarks")
            for file in (PROJECT_ROOT / folder).rglob("*.md")
        ),
    ]
)
_CONFIGS = sorted((PROJECT_ROOT / "configs").rglob("*.yaml"))
_CASES = discover(PROJECT_ROOT / "validation")
_HAS_CLI = (PROJECT_ROOT / "src" / "voltherm" / "cli").is_dir()


def _code(text: str) -> str:
    """Fenced blocks and inline code of a Markdown text."""
    return "\n".join(
        [*re.findall(r"^```.*?$(.*?)^```", text, re.MULTILINE | re.DOTALL), *re.findall(r"`([^`\n]+)`", text)]
    )


def _command_line(*arguments: str) -> subprocess.CompletedProcess[str]:
    code = "import sys; from voltherm.cli import main; sys.argv[0] = 'voltherm'; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, cwd=PROJECT_ROOT, check=False
    )


@pytest.fixture(scope="module")
def verbs() -> str:
    return _command_line("--help").stdout if _HAS_CLI else ""


@pytest.mark.parametrize("document", _DOCUMENTS, ids=relative)
def test_commands_exist(document: Path, verbs: str):
    code = _code(document.read_text(encoding="utf-8"))
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT_ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    missing = [
        f"make {name}" for name in re.findall(r"^\s*(?:\$ )?make ([a-z-]+)", code, re.MULTILINE) if name not in targets
    ]
    missing += [
        f"voltherm {verb}"
        for verb in re.findall(r"^\s*(?:\$ |\.venv/bin/)?voltherm ([a-z]+)", code, re.MULTILINE)
        if verbs and not re.search(rf"\b{verb}\b", verbs)
    ]
    missing += [path for path in re.findall(r"\bconfigs/[\w/]+\.yaml", code) if not (PROJECT_ROOT / path).is_file()]
    assert not missing, f"{relative(document)} names what does not exist: {missing}"


@pytest.mark.parametrize("document", _DOCUMENTS, ids=relative)
def test_links_lead_somewhere(document: Path):
    text = document.read_text(encoding="utf-8")
    links = [link.split("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    missing = [link for link in links if link and not (document.parent / link).exists()]
    assert not missing, f"{relative(document)}: {missing}"


def test_pages_cited_by_the_code_exist():
    cited = {
        (page, relative(file))
        for file in source_files()
        for page in re.findall(r"\bdocs/[\w/-]+\.md\b", file.read_text(encoding="utf-8"))
    }
    missing = sorted(f"{file} cites {page}" for page, file in cited if not (PROJECT_ROOT / page).is_file())
    assert not missing, "\n".join(missing)


def test_navigation_lists_every_page():
    def pages(entry: object) -> set[str]:
        if isinstance(entry, str):
            return {entry}
        inside = entry.values() if isinstance(entry, dict) else entry
        return set().union(*(pages(item) for item in inside))

    listed = pages(yaml.safe_load((PROJECT_ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"])
    docs = PROJECT_ROOT / "docs"
    existing = {page.relative_to(docs).as_posix() for kind in ("*.md", "*.ipynb") for page in docs.rglob(kind)}
    assert listed == existing, f"only in nav: {sorted(listed - existing)}; not in nav: {sorted(existing - listed)}"


def test_api_pages_list_every_public_name():
    # the hook is no module of a package: mkdocs loads it by its path
    specification = importlib.util.spec_from_file_location("api_members", PROJECT_ROOT / "docs" / "api_members.py")
    hook = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(hook)
    pages = {hook.on_page_markdown(page.read_text("utf-8")) for page in (PROJECT_ROOT / "docs" / "api").glob("*.md")}
    missing = []
    for section in PINNED.read_text(encoding="utf-8").split("# ")[1:]:
        package, _, lines = section.partition("\n")
        page = next(text for text in pages if f"\n::: {package}\n" in text)
        public = re.findall(r"^(?:class |module )?(\w+)", lines, re.MULTILINE)
        missing += [f"{package}.{name}" for name in public if not re.search(rf"\b{name}\b", page.split("\n::: ", 1)[1])]
    assert not missing, "\n".join(missing)


@pytest.mark.parametrize("config", _CONFIGS, ids=relative)
def test_configuration_passes_check(config: Path):
    if not _HAS_CLI:
        return
    done = _command_line("check", relative(config))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", _CASES)
def test_validation_folder_is_well_formed(name: str):
    folder = PROJECT_ROOT / "validation" / name
    case = load_case(folder)
    assert case.domain == name.split("/")[0]
    assert (folder / "README.md").is_file(), "a case tells its story in a README.md"
    load_check(case.check)


def test_every_validation_folder_is_a_case():
    root = PROJECT_ROOT / "validation"
    holding_files = {file.parent for file in root.rglob("*") if file.is_file()} - {root}
    cases = {root / name for name in _CASES}
    stray = [relative(folder) for folder in holding_files if not any(folder.is_relative_to(case) for case in cases)]
    assert not [folder for folder in stray if "__pycache__" not in folder], stray


def test_the_ground_is_complete():
    names = [
        "LICENSE",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "README.md",
        "Makefile",
        ".ci/run",
        "docs/index.md",
        "mkdocs.yml",
    ]
    assert not [name for name in names if not (PROJECT_ROOT / name).is_file()]
    assert (PROJECT_ROOT / ".ci" / "run").stat().st_mode & 0o111, ".ci/run is executable"
