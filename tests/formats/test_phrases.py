"""Events and the course of the load as they are written: mappings, phrases and one text mean the same."""

from pathlib import Path

import pytest

from voltherm.formats import ConfigurationError, configuration
from voltherm.formats.loader import from_values
from voltherm.formats.phrases import EVENTS, LOAD, shown

PUMPS = ((0.0, 1.0, 0.0, -1.0), (45.0, 1.0, 1.0, 20.0))
WRITTEN = (
    """
  events:
    - {at: 0 s, lose: facility pumps}
    - {at: 45 s, restore: facility pumps, ramp: 20 s}
""",
    """
  events:
    - facility pumps lost at 0 s
    - facility pumps restored at 0.75 min over 20 s
""",
    """
  events: facility pumps lost at 0 s; facility pumps restored at 45 s over 20 s
""",
)


def case(tmp_path: Path, project_root: Path, text: str) -> Path:
    """The shipped building with something more below its last section, `ride_through`."""
    file = tmp_path / "case.yaml"
    shipped = (project_root / "configs/campus/abilene_building.yaml").read_text(encoding="utf-8")
    file.write_text(shipped.rstrip() + text, encoding="utf-8")
    return file


def problems(file: Path, *overrides: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        configuration(file, overrides)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("written", WRITTEN)
def test_events_in_three_forms(tmp_path, project_root, written):
    configured, document = configuration(case(tmp_path, project_root, written))
    assert configured.ride_through.events == PUMPS
    kept = {value.path: value.exact for value in document.values}
    assert kept["ride_through.events"] == "facility pumps lost at 0 s; facility pumps restored at 45 s over 20 s"
    assert from_values(kept).ride_through.events == PUMPS


def test_without_events_heat_rejection_is_lost_at_the_start(project_root):
    configured, _ = configuration(project_root / "configs/campus/abilene_building.yaml")
    assert shown(EVENTS, configured.ride_through.events) == "heat rejection lost at 0 s"
    assert configured.ride_through.load == ((0.0, 1.0),)


def test_an_override_takes_the_place_of_all_events(tmp_path, project_root):
    file = case(tmp_path, project_root, WRITTEN[0])
    configured, _ = configuration(file, ["ride_through.events=UPS lost at 1 min"])
    assert configured.ride_through.events == ((60.0, 6.0, 0.0, -1.0),)


@pytest.mark.parametrize(
    "written",
    [
        "\n  load:\n    - {at: 0 s, factor: 100 %}\n    - {at: 10 min, factor: 60 %}\n",
        "\n  load: [100 % at 0 s, 60 % at 600 s]\n",
        '\n  load: "100 % at 0 s; 60 % at 10 min"\n',
    ],
)
def test_the_load_in_three_forms(tmp_path, project_root, written):
    configured, document = configuration(case(tmp_path, project_root, written))
    assert configured.ride_through.load == ((0.0, 1.0), (600.0, 0.6))
    kept = {value.path: value.exact for value in document.values}
    assert from_values(kept).ride_through.load == ((0.0, 1.0), (600.0, 0.6))


@pytest.mark.parametrize(
    ("written", "line", "told"),
    [
        ("\n  events:\n    - {at: 0 s, lose: facility pump}\n", 3, "did you mean 'facility pumps'?"),
        ("\n  events:\n    - {at: 0 s, loose: fans}\n", 3, "did you mean 'lose'?"),
        ("\n  events:\n    - {lose: fans}\n", 3, "is missing: write 'at: …'"),
        ("\n  events:\n    - {at: 0, lose: fans}\n", 3, "'0' has no unit"),
        ("\n  events:\n    - {at: 0 s, lose: fans}\n    - {at: -3 s, restore: fans}\n", 4, "no time from 0 s"),
        ("\n  events:\n    - {at: 0 s}\n", 3, "either 'lose' or 'restore'"),
        ("\n  events:\n    - {at: 0 s, lose: fans, restore: fans}\n", 3, "either 'lose' or 'restore'"),
        ("\n  events:\n    - {at: 0 s, lose: fans, ramp: 3 s}\n", 3, "a ramp belongs to what is restored"),
        ("\n  events: fans lost at 0 s over 3 s\n", 2, "a ramp belongs to what is restored"),
        ("\n  events: fans broke\n", 2, "'fans broke' is no event: write such as"),
        ("\n  events: []\n", 2, "a list is needed here"),
        ("\n  events: {at: 0 s}\n", 2, "a list is needed here"),
        ("\n  events: fans lost at 3 h\n", 2, "lies behind the 7200 s simulated"),
        ("\n  load: 100 % at 5 s; 60 % at 0 s\n", 2, "the times of a course rise: '60 % at 0 s'"),
        ("\n  load: 200 % at 0 s\n", 2, "from 0 % to 150 %"),
        ("\n  events: " + 101 * "fans lost at 3 s; " + "\n", 2, "101 items: at most 100"),
        ("\n  load: much\n", 2, "no point of a course"),
    ],
)
def test_mistakes_are_told_by_line(tmp_path, project_root, written, line, told):
    file = case(tmp_path, project_root, written)
    lines = (project_root / "configs/campus/abilene_building.yaml").read_text(encoding="utf-8").rstrip().count("\n") + 1
    found = problems(file)
    assert len([one for one in found if told in one]) == 1
    assert all(f"case.yaml:{lines + line - 1}: ride_through." in one for one in found if told in one)


def test_a_phrase_of_any_length_ends_soon():
    for kind in (EVENTS, LOAD):
        with pytest.raises(ValueError, match="is no"):
            kind.parse("x at " * 100_000)
