"""Tolerances of a case: read with their value, told by line where they are wrong, kept beside the configuration."""

from pathlib import Path

import pytest

from voltherm.formats import ConfigurationError, configuration, study
from voltherm.formats.loader import from_values

BUILDING = "configs/campus/abilene_building.yaml"
PATH = "rack.gpu.package_resistance"


@pytest.fixture
def building(project_root: Path) -> Path:
    return project_root / BUILDING


def problem(building: Path, override: str) -> str:
    with pytest.raises(ConfigurationError) as raised:
        configuration(building, (override,))
    (told,) = raised.value.problems
    return str(told)


@pytest.mark.parametrize("tolerance", ["+- 50 %", "± 50 %", "+- 0.002 K/W", "+- 2 K/kW", "+/-50%"])
def test_a_tolerance_moves_no_value_and_is_kept_beside_it(building: Path, tolerance: str):
    plain, _ = configuration(building, (f"{PATH}=0.004 K/W",))
    site, document = configuration(building, (f"{PATH}=0.004 K/W {tolerance}",))
    assert site == plain
    assert document.tolerances[PATH] == pytest.approx(0.002, rel=1e-12)
    value = next(value for value in document.values if value.path == PATH)
    assert value.text == "0.004 K/W +- 0.002 K/W"


def test_a_tolerance_of_nothing_is_none(building: Path):
    for written in ("0.004 K/W", "0.004 K/W +- 0 %", "0.004 K/W +- 0 K/W"):
        assert PATH not in configuration(building, (f"{PATH}={written}",))[1].tolerances


def test_a_case_takes_tolerances_over_and_replaces_them_with_their_value(tmp_path: Path, building: Path):
    (tmp_path / building.name).write_bytes(building.read_bytes())
    middle = tmp_path / "middle.yaml"
    middle.write_text(
        f"voltherm: 1\nbase: {building.name}\nname: middle\n"
        "rack: {gpu: {package_resistance: 0.004 K/W +- 25 %, power_spread: 3 % +- 1 %}}\n"
        "cdu: {approach: 3 K +- 10 %}\n",
        encoding="utf-8",
    )
    case = tmp_path / "case.yaml"
    case.write_text("voltherm: 1\nbase: middle.yaml\nname: case\ncdu: {approach: 4 K}\n", encoding="utf-8")
    _, document = configuration(case, ("rack.gpu.power_spread=3 % +- 2 %",))
    assert document.tolerances[PATH] == pytest.approx(0.001)
    assert document.tolerances["rack.gpu.power_spread"] == pytest.approx(0.02)
    assert "cdu.approach" not in document.tolerances


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("rack.gpu.power=1200 W +- 5 K", "rack.gpu.power: tolerance: 'K' is a unit of temperature; a power is needed"),
        ("rack.gpu.power=1200 W +- -5 %", "rack.gpu.power: '-5 %' is negative"),
        ("rack.gpu.junction_limit=87 degC +- 2 %", "rack.gpu.junction_limit: a temperature has no share"),
        ("building.halls=4 +- 1", "this number shapes the model and is exact: write '4'"),
        ("electrical.frequency=60 Hz +- 1 Hz", "this number shapes the model and is exact: write '60 Hz'"),
        ("secondary.fluid=water +- 3 %", "this is no number: write 'water'"),
        ("voltherm=1 +- 1", "this is no number: write '1'"),
        ("electrical.ups.load=10 25 50 75 100 % +- 1 %", "these are several numbers: only one number can have it"),
        ("rack.gpu.power=-1200 W +- 5 %", "-1200 W is below 1 W"),
    ],
)
def test_mistakes_are_told_by_line(building: Path, override: str, message: str):
    told = problem(building, override)
    assert told.startswith("--set:1: ")
    assert message in told


def test_a_name_may_hold_the_sign(building: Path):
    assert configuration(building, ("name=plan +- reserve",))[0].name == "plan +- reserve"


def test_what_is_kept_with_results_holds_the_tolerances(building: Path):
    moved = ("rack.gpu.plate_flow_exponent=0.2 +- 5 %", "cdu.approach=3 K +- 10 %")
    site, document = configuration(building, moved)
    texts = {value.path: value.exact for value in document.values}
    assert from_values(texts) == site
    assert texts["cdu.approach"].startswith("3 K +- 0.3")
    again = configuration(building, tuple(f"{path}={text}" for path, text in texts.items()))[1]
    assert again.tolerances == pytest.approx(document.tolerances, rel=1e-12)


def test_studies_ignore_tolerances_of_their_case_and_have_none_of_their_own(tmp_path: Path, building: Path):
    (tmp_path / "case.yaml").write_bytes(building.read_bytes())
    file = tmp_path / "sweep.yaml"

    def written(minimum: str, designs: str = "4") -> Path:
        file.write_text(
            f"voltherm: 1\nname: x\nsweep:\n  case: case.yaml\n  designs: {designs}\n  variables:\n"
            f"    - {{path: rack.gpu.power, minimum: {minimum}, maximum: 1400 W}}\n",
            encoding="utf-8",
        )
        return file

    read = study(written("1000 W"), ("rack.gpu.power=1200 W +- 5 %",))
    assert read.case is not None
    assert read.case[0].rack.gpu.power == 1200.0
    assert read.variables[0]["minimum"] == 1000.0
    for wrong in (written("1000 W +- 5 %"), written("1000 W", designs="4 +- 1")):
        with pytest.raises(ConfigurationError, match="has a tolerance"):
            study(wrong)
