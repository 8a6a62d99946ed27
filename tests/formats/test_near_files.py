"""Names of files in `base:` and `case:` that no system takes, or that lead nowhere."""

from pathlib import Path

import pytest

from voltherm.formats import ConfigurationError, configuration, study
from voltherm.formats.near_files import folder_of, named_file

NAMES = {
    "a" * 300 + ".yaml": r"cannot be the name of a file: file name too long",
    "a/" * 3_000 + "b.yaml": r"cannot be the name of a file: file name too long|has 6,006 characters: at most",
    '"bad\\0name.yaml"': r"cannot be the name of a file: .*null|holds a character that does not print",
    "loop.yaml": r"there is no file 'loop\.yaml'",
    "first.yaml": r"there is no file 'first\.yaml'",
    "gone.yaml": r"there is no file 'gone\.yaml' beside this one",
    "loop.yaml/x.yaml": r"there is no file 'loop\.yaml/x\.yaml'",
    "folder": r"there is no file 'folder'",
    ".": r"there is no file '\.'|lies outside",
    "x" * 100_000: r"cannot be the name of a file|has 100,000 characters: at most 1,000",
}
"""How each is written in YAML, and what is said of it."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "case"
    place.mkdir()
    (place / "loop.yaml").symlink_to("loop.yaml")
    (place / "first.yaml").symlink_to("second.yaml")
    (place / "second.yaml").symlink_to("first.yaml")
    (place / "gone.yaml").symlink_to("nowhere.yaml")
    (place / "folder").mkdir()
    return place


@pytest.mark.parametrize("name", NAMES, ids=lambda name: name[:20])
def test_base_and_case_that_are_no_files(folder: Path, name: str):
    file = folder / "case.yaml"
    file.write_text(f"base: {name}\nname: x\n")
    with pytest.raises(ConfigurationError, match=NAMES[name]) as caught:
        configuration(file)
    assert max(len(str(problem)) for problem in caught.value.problems) < 1_000
    file.write_text(f"sweep:\n  case: {name}\n  variables: [{{path: rack.load_factor, values: 50 60 %}}]\n")
    with pytest.raises(ConfigurationError, match=NAMES[name]):
        study(file)


def test_a_file_that_is_a_circle_of_links_itself(folder: Path):
    with pytest.raises(ConfigurationError, match=r"there is no such file|cannot be read"):
        configuration(folder / "loop.yaml")
    assert folder_of(folder / "loop.yaml").samefile(folder)


def test_a_link_out_of_the_folder_is_seen_through(folder: Path):
    (folder.parent / "outside.yaml").write_text("name: x\n")
    (folder / "link.yaml").symlink_to("../outside.yaml")
    target, wrong = named_file(folder / "case.yaml", "link.yaml", folder, "outside")
    assert wrong == "'link.yaml' lies outside"
    assert target.name == "link.yaml"
