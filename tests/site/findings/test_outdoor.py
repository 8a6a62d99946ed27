"""Outdoor coils against the coldest hour of a year."""

import numpy as np
import pytest

from voltherm.media import Water, liquid
from voltherm.site import dry_bulb_year
from voltherm.site.findings.outdoor import outdoor_findings

_GLYCOL = liquid("propylene_glycol", 0.25, "volume")


def _found(hours, medium=None, fluid="water", count=48):
    return list(outdoor_findings(np.asarray(hours), medium or Water(), fluid, 3.0, "facility loop", count))


def test_water_of_the_shipped_climate(site):
    (told,) = _found(dry_bulb_year(site.climate))
    assert (told.severity, told.count, told.limit) == ("limit", 48, 276.15)
    assert told.value == pytest.approx(273.15 - 12.1, abs=0.05)
    # the review's own count of the hours below freezing
    assert "the 48 dry coolers of the facility loop hold water" in told.sentence
    assert "has -12.1 °C, and 408 h are below that" in told.sentence


def test_glycol_that_is_too_thin_and_glycol_that_serves():
    hours = np.full(8760, 290.0)
    hours[:5] = 263.15 - np.arange(5)
    # 25 % propylene glycol by volume freezes at -10 °C
    (thin,) = _found(hours, _GLYCOL, "propylene glycol 25 %vol", 1)
    assert thin.severity == "limit"
    assert "the dry cooler of the facility loop holds propylene glycol 25 %vol" in thin.sentence
    assert "and 4 h are below that" in thin.sentence or "and 5 h are below that" in thin.sentence
    (near,) = _found(np.full(8760, 265.0), _GLYCOL)
    assert near.severity == "practice"
    assert "less than 3 K above it" in near.sentence
    assert _found(np.full(8760, 266.5), _GLYCOL) == []
