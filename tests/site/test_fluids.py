"""Fluids by the names a configuration gives them."""

import pytest

from voltherm.media import liquid
from voltherm.site.fluids import liquid_named


def test_names_give_the_liquids_of_media():
    assert liquid_named("water").density(300.0) == liquid("water").density(300.0)
    half = liquid_named("propylene glycol 25 %vol").density(300.0)
    assert half == liquid("propylene_glycol", 0.25, "volume").density(300.0)
    assert liquid_named("ethylene glycol 30.5 %mass").density(300.0) == liquid(
        "ethylene_glycol", 0.305, "mass"
    ).density(300.0)


@pytest.mark.parametrize("name", ["brine", "propylene glycol", "propylene glycol 25 %", "Water", ""])
def test_another_name_is_refused_with_what_would_be_right(name):
    with pytest.raises(ValueError, match="write 'water', or 'propylene glycol 25 %vol'"):
        liquid_named(name)
