import jax.numpy as jnp
import numpy as np
import pytest

from voltherm.media import InhibitedPropyleneGlycolWater, PropyleneGlycolWater, Water, check_range, outside_range


def test_nothing_to_say():
    assert check_range(Water(), jnp.asarray([280.0, 330.0])) == []
    assert check_range(Water(), 300.0) == []
    assert check_range(Water(), jnp.zeros(0)) == []


def test_hot_and_cold_water():
    frozen, boiling = check_range(Water(), np.array([270.15, 380.15]), "facility water")
    assert frozen == "facility water: -3.0 C is below its freezing point 0.0 C: keep it warm or add glycol"
    assert boiling == "facility water: 107.0 C is above 100.0 C, where the data of Water end"


def test_glycol_protects():
    assert check_range(InhibitedPropyleneGlycolWater(0.25), 265.15) == []
    (sentence,) = check_range(InhibitedPropyleneGlycolWater(0.25), 260.15)
    assert "below its freezing point -10.0 C" in sentence
    (sentence,) = check_range(PropyleneGlycolWater(0.6), 235.15)
    assert "-38.0 C is below -35.0 C, where the data of PropyleneGlycolWater begin" in sentence


def test_fraction_outside_the_data():
    (sentence,) = check_range(InhibitedPropyleneGlycolWater(0.05), 300.0)
    assert "a fraction of 0.05 is outside 0.1 to 0.6" in sentence
    (sentence,) = check_range(PropyleneGlycolWater(jnp.asarray([0.3, 0.7])), jnp.asarray([300.0, 300.0]))
    assert "a fraction of 0.7 is outside 0 to 0.6" in sentence


def test_a_failed_lane_is_not_judged():
    assert check_range(Water(), jnp.asarray([300.0, jnp.nan])) == []


def test_margin_above_freezing():
    assert check_range(Water(), 275.15, freezing_margin=1.9) == []
    (near,) = outside_range(Water(), np.array([275.15, 300.0]), "chilled water", freezing_margin=3.0)
    assert (near.what, near.value, near.bound) == ("near freezing", 275.15, 276.15)
    assert near.sentence == (
        "chilled water: 2.0 C is less than 3 K above its freezing point 0.0 C: keep it warm or add glycol"
    )


def test_boiling_against_the_lowest_pressure():
    # IAPWS-95: water boils at 80 C under 47.41 kPa, and at 95 C under 84.61 kPa
    assert check_range(Water(), np.array([300.0, 353.15]), pressure=np.array([3e5, 47.6e3])) == []
    (boils,) = outside_range(Water(), np.array([300.0, 353.15]), "loop", pressure=np.array([3e5, 47.2e3]))
    assert (boils.what, boils.value) == ("boiling", 47.2e3)
    assert boils.bound == pytest.approx(47.41e3, rel=1e-3)
    assert boils.sentence.startswith("loop: boils, for its vapour pressure at 80.0 C is 47.4 kPa")
    assert [each.what for each in outside_range(Water(), 290.0, pressure=-1e3)] == ["boiling"]
