"""What is known and absent is called absent, and what is misspelt is called by its name."""

import pytest

from voltherm.formats.absent import absent
from voltherm.formats.schema import suggestion
from voltherm.formats.schema_site import FIELDS

PATHS = list(FIELDS)


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("wet_bulb", "cooling towers"),
        ("climate.wet_bulb", "cooling towers"),
        ("cooling_tower", "cooling towers"),
        ("cooling-tower", "cooling towers"),
        ("chillers.redundancy", "redundancy"),
        ("N+1", "redundancy"),
        ("rack_types", "several kinds"),
        ("racks", "several kinds"),
        ("rear_door", "rear-door"),
        ("electrical.battery", "batteries"),
    ],
)
def test_what_is_not_modelled_is_told(key, told):
    assert told in suggestion(key, PATHS)


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("facility.supply_ofset", "facility.supply_offset"),
        ("climate.dry_bulp", "climate.dry_bulb"),
        ("secondary.supply_temprature", "secondary.supply_temperature"),
    ],
)
def test_a_slip_of_spelling_is_answered_by_what_was_meant(key, meant):
    assert suggestion(key, PATHS) == f"did you mean '{meant}'?"


def test_another_key_of_the_same_section_is_no_answer():
    assert "did you mean" not in suggestion("secondary.colour", PATHS)


def test_a_winding_is_no_wind_power():
    assert absent("winding_loss") is None


def test_no_key_that_exists_is_called_absent():
    assert not [path for path in PATHS if absent(path.rpartition(".")[2])]
