"""The schema names exactly what a site is made of."""

import dataclasses
import re
import typing

import equinox as eqx
import pytest

from voltherm.formats import load, schema
from voltherm.formats.json_schema import json_schema
from voltherm.formats.schema import Field, Reading, Section
from voltherm.formats.schema_site import FIELDS, SITE, STUDY_PATHS
from voltherm.formats.source import Entry
from voltherm.formats.units import SI_NAMES
from voltherm.site.build import parameter_paths
from voltherm.site.sections import TEMPERATURES, Site


def _compare(kind: type, section: Section, path: str = "") -> None:
    hints = typing.get_type_hints(kind)
    named = {field.name: field for field in dataclasses.fields(kind)}
    members = {member.name: member for member in section.members if member.name != "voltherm"}
    assert set(named) == set(members), path
    for name, field in named.items():
        member = members[name]
        if isinstance(hints[name], type) and issubclass(hints[name], eqx.Module):
            assert isinstance(member, Section), f"{path}{name}"
            _compare(hints[name], member, f"{path}{name}.")
        else:
            assert isinstance(member, Field), f"{path}{name}"
            assert member.static == field.metadata.get("static", False), f"{path}{name}"
            assert (member.kind == "integer") == (hints[name] is int), f"{path}{name}"
            assert (member.kind in ("text", "choice")) == (hints[name] is str), f"{path}{name}"


def test_names_kinds_and_statics_are_those_of_the_site():
    _compare(Site, SITE)


def test_studies_move_every_scalar_of_the_site(project_root):
    site = load(project_root / "configs/campus/abilene_building.yaml")
    assert set(STUDY_PATHS) == set(parameter_paths(site))


def test_temperatures_are_those_of_the_site():
    in_kelvin = {path for path, field in STUDY_PATHS.items() if SI_NAMES[field.dimension] == "K"}
    assert in_kelvin == TEMPERATURES
    assert {"limits.junction_margin", "climate.synoptic_deviation", "cdu.approach"} <= in_kelvin


def test_ranges_are_written_in_their_dimension():
    for path, field in FIELDS.items():
        if field.kind in ("quantity", "list"):
            low, high = field.limits()
            assert low is None or high is None or low < high, path
            assert field.meaning, path


@pytest.mark.parametrize("installed", [True, False])
def test_examples_are_values_that_pass(monkeypatch: pytest.MonkeyPatch, installed: bool):
    if not installed:
        monkeypatch.setattr(schema, "example_values", dict)
    for path, field in FIELDS.items():
        reading = Reading()
        reading.places[path] = Entry("", "x", 1)
        reading.field(field, Entry(field.example(path), "x", 1), path)
        # a range's end is all there is to say of a list of twelve without the example
        assert not reading.problems or (not installed and field.kind == "list"), path


def test_json_schema_knows_units():
    described = json_schema(SITE)
    power = described["properties"]["rack"]["properties"]["gpu"]["properties"]["power"]
    assert re.search(power["pattern"], "1200 W")
    assert not re.search(power["pattern"], "1200 K")
    for tolerance in ("+- 5 %", "± 60 W", "+/-60W"):
        assert re.search(power["pattern"], f"1200 W {tolerance}")
    assert not re.search(power["pattern"], "1200 W +- 60")
    means = described["properties"]["climate"]["properties"]["monthly_mean"]
    assert not re.search(means["anyOf"][0]["pattern"], "1 2 3 degC +- 1 K")
    assert described["properties"]["building"]["additionalProperties"] is False
