"""What `check` warns of without solving: near what the solved site says, and silent where nothing is outside."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from voltherm.formats import load
from voltherm.formats.advice import advice, by_path, cdu_pump_flow, coldest_hour, inherited_weather
from voltherm.formats.loader import configuration
from voltherm.site import dry_bulb_year

CASE = Path(__file__).resolve().parents[2] / "configs" / "campus" / "abilene_building.yaml"
MENDED = (
    "facility.fluid=propylene glycol 40 %vol",
    "secondary.pump_shutoff_pressure=330 kPa",
    "secondary.pump_nominal_pressure=260 kPa",
    "secondary.pump_nominal_flow=31.5 kg/s",
    "secondary.supply_temperature=40 degC",
    "air.chilled_water_temperature=18 degC",
)
_LIMITS = (
    "supply_maximum|flow_minimum|pump_flow_m|pump_allowable|npsh_margin|main_velocity|branch_velocity|freezing_margin"
    "|dew_point|memory_|pump_required"
)


def _values(*overrides: str) -> dict:
    return by_path(configuration(CASE, (*MENDED, *overrides))[0])


def _told(*overrides: str) -> dict[str, str]:
    return dict(advice(configuration(CASE, (*MENDED, *overrides))[0]))


def test_a_mended_case_is_told_nothing():
    assert _told() == {}


def test_coldest_hour_is_near_that_of_the_year():
    assert coldest_hour(_values()) == pytest.approx(float(np.min(dry_bulb_year(load(CASE).climate))), abs=1.0)


def test_water_outdoors():
    told = _told("facility.fluid=water")["facility.fluid"]
    assert "water stands in dry coolers outdoors, freezes at 0.0 degC" in told
    # 25 % propylene glycol by volume freezes at -10 degC; 20 K warmer months leave water alone
    assert "about -12.5 degC" in _told("facility.fluid=propylene glycol 25 %vol")["facility.fluid"]
    warm = "climate.monthly_mean=27.7 29.4 34.3 38.6 43.2 47.4 49.3 49.0 44.9 39.1 32.8 28.3 degC"
    assert set(_told("facility.fluid=water", warm)) == {"climate.dry_bulb"}


def test_a_year_hotter_than_the_hot_day():
    """Its hottest hour is 41.1 degC."""
    assert "about 40.2 degC" in _told("climate.dry_bulb=35 degC")["climate.dry_bulb"]
    assert _told("climate.dry_bulb=41.1 degC") == {}


def test_air_that_carries_too_little():
    assert "leaves it at about 75.6 degC" in _told("rack.air_flow=0.3 m3/s")["rack.air_flow"]
    assert _told("rack.air_flow=0.6 m3/s").keys() <= {"air.coil_rated_heat"}


def test_pump_off_its_curve():
    """The review's own 154.7 % is at the flow of the solved loop, 1.5 % more than the nominal one."""
    big = ("secondary.pump_shutoff_pressure=780 kPa", "secondary.pump_nominal_pressure=700 kPa")
    assert cdu_pump_flow(_values(*big)) == pytest.approx(1.547, rel=0.02)
    told = _told(*big)["secondary.pump_nominal_pressure"]
    assert "runs at about 153 % of its best flow; preferred is 70 to 120 %" in told


def test_makers_limit_and_dew_point():
    told = _told("secondary.supply_temperature=46 degC", "air.chilled_water_temperature=16 degC")
    assert "46.0 degC is above limits.supply_maximum, 45.0 degC" in told["secondary.supply_temperature"]
    cold = told["air.chilled_water_temperature"]
    assert "16.0 degC is less than 2 K above the rooms' dew point, 15.0 degC" in cold


def test_numbers_that_are_not_written_have_defaults(tmp_path: Path):
    text = re.sub(rf"^ +({_LIMITS}).*\n", "", CASE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert "supply_maximum" not in text
    old = tmp_path / "old.yaml"
    old.write_text(text, encoding="utf-8")
    configured, _ = configuration(old, MENDED)
    values = by_path(configured)
    assert values["limits.supply_maximum"] == pytest.approx(473.15)
    assert values["limits.pump_flow_maximum"] == pytest.approx(1.2)
    assert values["secondary.pump_required_npsh"] == 4.0
    assert advice(configured) == []


@pytest.mark.parametrize(
    ("override", "path", "told"),
    [
        ("cdu.rated_heat=900 kW", "cdu.rated_heat", "gives 1.2"),
        ("air.handlers=20", "air.coil_rated_heat", "20 air handlers"),
        ("electrical.intake_short_circuit=200 MVA", "electrical.intake_short_circuit", "less than 3 times"),
        ("electrical.house_load=50 MW", "electrical.mechanical_substation.rating", "the 12 mechanical"),
    ],
)
def test_equipment_that_is_too_small_is_told(override, path, told):
    found = _told(override)
    assert set(found) == {path}
    assert told in found[path]


def test_weather_of_another_place_is_told():
    own = {"name": "mine.yaml", "climate.monthly_mean": "base.yaml", "climate.place": "base.yaml"}
    assert "the weather is that of base.yaml" in inherited_weather(own)
    assert inherited_weather({**own, "climate.place": "mine.yaml"}) is None
    assert inherited_weather({**own, "climate.monthly_mean": "mine.yaml"}) is None
    assert inherited_weather({**own, "name": "--set"}) is None
    assert inherited_weather(dict.fromkeys(own, "base.yaml")) is None


def test_check_tells_of_inherited_weather(tmp_path: Path):
    from typer.testing import CliRunner

    from voltherm.cli.application import application

    shutil.copy(CASE, tmp_path / "base.yaml")
    (tmp_path / "oslo.yaml").write_text("voltherm: 1\nbase: base.yaml\nname: Oslo\n", encoding="utf-8")
    done = CliRunner().invoke(application, ["check", str(tmp_path / "oslo.yaml")])
    assert done.exit_code == 0
    assert "oslo.yaml:3: name: the weather is that of" in done.stderr.replace("\n", "")
