"""Cold surfaces against the dew point of the rooms."""

import numpy as np
import pytest

from voltherm.site import with_parameters
from voltherm.site.findings.finding import Elements
from voltherm.site.findings.rooms import dew_findings

_SUPPLIES = Elements("the supply", "supplies", lambda index: f"row {index[1] + 1}")


@pytest.mark.parametrize(
    ("celsius", "severity", "count", "words"),
    [
        ([17.0, 18.0], None, 0, ""),
        ([16.5, 18.0], "practice", 1, "(row 1) is 16.5 °C, less than 2 K above the rooms' dew point of 15.0 °C"),
        ([16.5, 14.0], "limit", 2, "all 2 supplies are 14.0 °C (worst row 2), below the rooms' dew point of 15.0 °C"),
    ],
)
def test_margin_and_dew_point(site, celsius, severity, count, words):
    moist = with_parameters(site, {"air.dew_point": 288.15, "limits.dew_point_margin": 2.0})
    found = list(dew_findings(moist, np.array([celsius]) + 273.15, _SUPPLIES))
    assert len(found) == (severity is not None)
    for told in found:
        assert (told.severity, told.count, told.limit) == (severity, count, 290.15)
        assert words in told.sentence
