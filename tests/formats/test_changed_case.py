"""A changed case is one that is read, checked and changed again like any other."""

from pathlib import Path

import pytest

from voltherm.formats.changed_case import write_changed_case
from voltherm.formats.loader import configuration

CAMPUS = Path(__file__).resolve().parents[2] / "configs" / "campus"


@pytest.mark.parametrize("name", ["abilene_building.yaml", "abilene_campus.yaml"])
def test_a_changed_case_holds_what_changed_and_nothing_else(tmp_path: Path, name: str):
    overrides = ("rack.load_factor=80 %", "rack.gpu.package_resistance=0.004 K/W +- 30 %")
    read, document = configuration(CAMPUS / name, overrides)
    changes = {"secondary.supply_temperature": "41.25 degC", "electrical.unit_substation.tap": "0.96"}
    file = write_changed_case(tmp_path / "case", document, changes, file="tuned.yaml", name="Mine, tuned")
    again, written = configuration(file)
    assert written.name == "Mine, tuned"
    assert again.secondary.supply_temperature == pytest.approx(273.15 + 41.25)
    assert again.electrical.unit_substation.tap == 0.96
    assert again.rack.load_factor == pytest.approx(0.8)
    assert again.building.count == read.building.count
    before = {value.path: value.exact for value in document.values}
    after = {value.path: value.exact for value in written.values}
    assert {path for path in before if before[path] != after[path]} == {*changes, "name"}
    assert len(file.read_text(encoding="utf-8").splitlines()) < 16


def test_a_tuned_case_can_be_tuned_again(tmp_path: Path):
    _, document = configuration(CAMPUS / "abilene_building.yaml")
    first = write_changed_case(
        tmp_path / "one", document, {"rack.load_factor": "90 %"}, file="tuned.yaml", name="first"
    )
    _, document = configuration(first)
    second = write_changed_case(
        tmp_path / "two", document, {"rack.air_flow": "1 m3/s"}, file="tuned.yaml", name="second"
    )
    assert second.name == "tuned_2.yaml"
    again, _ = configuration(second)
    assert (again.rack.load_factor, again.rack.air_flow) == (pytest.approx(0.9), 1.0)
