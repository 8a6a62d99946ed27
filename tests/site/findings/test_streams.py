"""Streams that freeze, boil or leave the data of their liquid, told once for equal loops."""

import jax
import numpy as np
import pytest

from voltherm.media import Water, liquid
from voltherm.site.findings.finding import Elements
from voltherm.site.findings.streams import Stream, stream_findings, streams

_LOOPS = Elements("the loop", "loops", lambda index: f"loop {index[1] + 1}")
_PRESSURE = np.full((1, 3), 3e5)


def _found(coldest, hottest, pressure=_PRESSURE, fluid=None, margin=3.0):
    stream = Stream(np.array([coldest]), np.array([hottest]), pressure)
    return list(stream_findings(stream, fluid or Water(), margin, _LOOPS))


def test_warm_loops_say_nothing():
    assert _found([300.0, 301.0, 302.0], [330.0, 331.0, 332.0]) == []


def test_frozen_and_nearly_frozen():
    (frozen,) = _found([272.15, 274.15, 300.0], [300.0, 300.0, 310.0])
    assert (frozen.kind, frozen.severity, frozen.element, frozen.count) == ("freezing", "unphysical", "loop 1", 1)
    assert frozen.sentence.startswith("one of 3 loops (loop 1): -1.0 C is below its freezing point 0.0 C")
    (near,) = _found([275.15, 274.15, 300.0], [300.0, 300.0, 310.0])
    assert (near.severity, near.element, near.count, near.limit) == ("limit", "loop 2", 2, 276.15)
    assert "2 of 3 loops (worst loop 2): 1.0 C is less than 3 K above" in near.sentence


def test_boiling_at_the_lowest_pressure():
    # IAPWS-95: 47.4 kPa at 80 °C
    (boils,) = _found([300.0] * 3, [353.15, 340.0, 340.0], np.array([[3e5, 46e3, 3e5]]))
    assert (boils.kind, boils.severity, boils.unit, boils.value) == ("boiling", "unphysical", "Pa", 46e3)
    assert boils.limit == pytest.approx(47.41e3, rel=1e-3)
    assert _found([300.0] * 3, [353.15, 340.0, 340.0], np.full((1, 3), 49e3)) == []
    # an absolute pressure below nothing is no pressure
    assert [each.kind for each in _found([300.0] * 3, [310.0] * 3, np.array([[3e5, -2.9e5, 3e5]]))] == ["boiling"]
    assert _found([300.0] * 3, [353.15] * 3, None) == []


def test_beyond_the_data():
    hot, boils = _found([300.0] * 3, [380.0, 381.0, 340.0], np.full((1, 3), 1e5))
    assert (hot.kind, hot.severity, hot.element, hot.count) == ("fluid data", "practice", "loop 2", 2)
    assert hot.limit == 373.15
    assert boils.kind == "boiling"
    thin = liquid("propylene_glycol", 0.05, "volume")
    (fraction,) = _found([300.0] * 3, [310.0] * 3, fluid=thin)
    assert (fraction.severity, fraction.count, fraction.value) == ("limit", 3, pytest.approx(0.05))


def test_extremes_are_those_of_the_state(hot):
    _, solution, _ = hot
    state = solution.value
    secondary, water, chilled = jax.tree.map(np.asarray, streams(state))
    rows, plant = state.buildings.rows, state.buildings.facility.plant
    np.testing.assert_array_equal(secondary.coldest, rows.supply_temperature)
    # a rack with less flow returns warmer than its row
    assert np.all(secondary.hottest >= np.asarray(rows.return_temperature))
    np.testing.assert_array_equal(secondary.hottest, np.max(state.buildings.racks.return_temperature, axis=-1))
    np.testing.assert_array_equal(water.coldest, plant.supply_temperature)
    assert np.all(water.hottest >= np.asarray(plant.return_temperature))
    # the vessel of either loop holds 300 kPa at its return, the lowest pressure of all
    np.testing.assert_allclose(secondary.pressure, 3e5)
    np.testing.assert_allclose(water.pressure, 3e5)
    assert chilled.pressure is None
