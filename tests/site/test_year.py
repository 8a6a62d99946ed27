"""A year read from a response: totals are sums, months add up, hours are counted, gaps are refused."""

import dataclasses

import numpy as np
import pytest

from voltherm.site.climate import HOURS, MONTH_DAYS, month_of_hour
from voltherm.site.year import ENERGIES, Response, UnsolvedHourError, grid, trim_onset, year


def _response(ambients: np.ndarray) -> Response:
    """A made-up site: constant IT power, cooling that rises with ambient, trim from 30.4 °C, no margin above 35 °C."""
    celsius = ambients - 273.15
    figures = {name: np.full(len(ambients), 1e3) for name in ENERGIES}
    figures["it_power"] = np.full(len(ambients), 1e6)
    figures["facility_power"] = 1.1e6 + 2e3 * celsius
    figures["trim_chiller_heat"] = np.maximum(0.0, 1e4 * (celsius - 30.4))
    figures["junction_margin"] = 35.0 - celsius
    figures |= {name: np.full(len(ambients), 8.0) for name in ("memory_margin", "supply_margin", "inlet_margin")}
    return Response(ambients, np.full(len(ambients), 313.15), figures, np.zeros(len(ambients), int))


@pytest.fixture(scope="module")
def hours() -> np.ndarray:
    """Two temperatures a day, 12 h each, and one hot week, hours about the beginning of trim."""
    hours = np.where(np.arange(HOURS) % 24 < 12, 283.15, 303.0)
    hours[4000:4168] = 310.15
    # in the same cell of the curve as the beginning of trim, on either side of it
    hours[5000:5100] = 303.45
    hours[5100:5110] = 303.65
    return hours


@pytest.fixture(scope="module")
def found(site, state, hours):
    return year(site, state, _response(grid(hours)), hours, checked=False)


def test_totals_are_direct_sums(found, hours):
    facility = 1.1e6 + 2e3 * (hours - 273.15)
    assert found.energy["it_power"] == pytest.approx(1e6 * HOURS * 3600.0, rel=1e-14)
    # a straight line is read exactly
    assert found.energy["facility_power"] == pytest.approx(facility.sum() * 3600.0, rel=1e-12)
    assert found.pue == pytest.approx(facility.sum() / (1e6 * HOURS), rel=1e-12)
    assert set(found.energy) == set(ENERGIES)


def test_months_add_up(found, hours):
    for name in ENERGIES:
        assert found.monthly_energy[name].sum() == pytest.approx(found.energy[name], rel=1e-12)
    facility = 1.1e6 + 2e3 * (hours - 273.15)
    assert found.monthly_pue[6] == pytest.approx(facility[month_of_hour() == 6].mean() / 1e6, rel=1e-12)
    assert found.monthly_water.sum() == pytest.approx(found.water, rel=1e-12)
    assert found.monthly_water[1] / found.water == pytest.approx(MONTH_DAYS[1] / 365.0)


def test_hours_are_counted(found):
    assert found.hours_above_limit == 168
    assert found.hours_of_trim == 168 + 10


@pytest.mark.parametrize("name", ["memory_margin", "supply_margin", "inlet_margin"])
def test_hours_above_any_limit_of_temperature_count(site, state, hours, name):
    curve = _response(grid(hours))
    curve.figures[name] = 29.9 - (curve.dry_bulb - 273.15)
    found = year(site, state, curve, hours, checked=False)
    assert found.hours_above_limit == int(np.sum(hours > 273.15 + 29.9))


def test_trim_begins_where_its_heat_reaches_zero():
    curve = _response(np.arange(283.15, 313.0, 1.0))
    assert trim_onset(curve) == pytest.approx(303.55, abs=1e-9)
    idle = dataclasses.replace(curve, figures={**curve.figures, "trim_chiller_heat": np.zeros(30)})
    assert trim_onset(idle) == np.inf
    busy = dataclasses.replace(curve, figures={**curve.figures, "trim_chiller_heat": np.full(30, 1e6)})
    assert trim_onset(busy) == 283.15
    last = dataclasses.replace(curve, result=np.where(curve.dry_bulb > 304.5, 1, 0))
    assert trim_onset(last) == pytest.approx(303.15)


def test_water_is_the_make_up_of_the_closed_loop(found, site):
    assert found.water == pytest.approx(57.0 * 0.0415, rel=1e-12)
    assert found.wue == pytest.approx(found.water * 1e3 / (1e3 * HOURS), rel=1e-12)


def test_grid_covers_the_year(hours):
    usual = grid(hours)
    assert (usual[0], usual[-1], len(usual)) == (263.15, 318.15, 111)
    wide = grid(np.array([258.0, 320.9]))
    assert wide[0] <= 258.0
    assert wide[-1] >= 320.9
    assert np.diff(wide) == pytest.approx(0.5, rel=1e-9)


def test_an_ambient_that_failed_costs_its_own_hours_only(site, state, hours, found):
    curve = _response(grid(hours))
    lost = np.abs(curve.dry_bulb - 303.15) < 0.01
    assert lost.sum() == 1
    broken = {name: np.where(lost, np.nan, values) for name, values in curve.figures.items()}
    bridged = dataclasses.replace(curve, figures=broken, result=np.where(lost, 2, 0))
    told = year(site, state, bridged, hours, checked=False)
    near = np.abs(hours - 303.15) < 0.5
    assert told.bridged_hours == near.sum() > 0
    # the figure is a straight line
    assert told.energy["facility_power"] == pytest.approx(found.energy["facility_power"], rel=1e-12)
    assert found.bridged_hours == 0
    # three in a row are more than a year is read across
    wide = dataclasses.replace(curve, result=np.where(np.abs(curve.dry_bulb - 303.15) < 0.6, 2, 0))
    with pytest.raises(UnsolvedHourError, match="no steady state at 30"):
        year(site, state, wide, hours, checked=False)


def test_what_cannot_be_read_is_refused(site, state, hours):
    curve = _response(grid(hours))
    with pytest.raises(ValueError, match="8760 hours, not 10"):
        year(site, state, curve, hours[:10], checked=False)
    with pytest.raises(ValueError, match="colder or hotter"):
        year(site, state, curve, hours + 20.0, checked=False)
    failed = dataclasses.replace(curve, result=np.where(curve.dry_bulb > 308.0, 1, 0))
    with pytest.raises(UnsolvedHourError, match=r"no steady state at 37\.0 degC"):
        year(site, state, failed, hours, checked=False)
