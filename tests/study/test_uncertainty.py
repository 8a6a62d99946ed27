"""Bands to first order, held against closed forms and against many draws of a model that is nearly linear."""

import math

import jax
import numpy as np
import pytest

from voltherm.site.supply_temperature import PATH
from voltherm.study.uncertainty import (
    CHIP_SUPPLY,
    Band,
    Tolerance,
    Uncertainty,
    band,
    chip_supply_derivatives,
    with_samples,
)

POINT = {"resistance": 0.031, "power": 1200.0, "limit": 360.15, "leakage": 0.002, PATH: 320.0}
TOLERANCES = {"resistance": Tolerance(0.006), "power": Tolerance(60.0), "limit": Tolerance(2.0)}
_REFERENCE = 348.15


def margin(p):
    """One chip whose power grows with its supply: limit - T - R P (1 + a (T - T0))."""
    rise = p["resistance"] * p["power"] * (1.0 + p["leakage"] * (p[PATH] - _REFERENCE))
    return p["limit"] - p[PATH] - rise


def highest(p):
    """Where that margin is zero, solved by hand."""
    heat = p["resistance"] * p["power"]
    return (p["limit"] - heat * (1.0 - p["leakage"] * _REFERENCE)) / (1.0 + heat * p["leakage"])


def _slopes(function, point):
    return {path: float(value) for path, value in jax.grad(function)(point).items()}


def test_standard_uncertainties_add_in_squares():
    found = band(margin(POINT), _slopes(margin, POINT), TOLERANCES)
    growth = 1.0 + 0.002 * (320.0 - _REFERENCE)
    parts = (-0.003 * 1200.0 * growth, -0.031 * 30.0 * growth, 1.0)
    assert list(found.contributions.values()) == pytest.approx(parts, rel=1e-12)
    assert found.standard_uncertainty == pytest.approx(math.sqrt(sum(part**2 for part in parts)), rel=1e-12)
    assert found.half_width == pytest.approx(2.0 * found.standard_uncertainty)
    assert found.largest == "resistance"


def test_the_highest_supply_follows_from_the_margin_that_defines_it():
    there = POINT | {PATH: float(highest(POINT))}
    assert margin(there) == pytest.approx(0.0, abs=1e-9)
    found = chip_supply_derivatives(_slopes(margin, there))
    exact = _slopes(highest, POINT)
    for path in ("resistance", "power", "limit", "leakage"):
        assert found[path] == pytest.approx(exact[path], rel=1e-10)
    assert found[PATH] == 0.0


def test_a_supply_that_floats_has_no_derivative():
    found = chip_supply_derivatives({PATH: 0.0, "power": -0.03})
    assert found[PATH] == 0.0
    assert math.isnan(found["power"])
    assert math.isnan(band(320.0, found, {"power": Tolerance(60.0)}).standard_uncertainty)


def test_first_order_holds_what_many_draws_give():
    slopes = chip_supply_derivatives(_slopes(margin, POINT | {PATH: float(highest(POINT))}))
    found = band(float(highest(POINT)), slopes, TOLERANCES)
    random = np.random.default_rng(5)
    drawn = POINT | {
        path: POINT[path] + 0.5 * each.half_width * random.standard_normal(400_000) for path, each in TOLERANCES.items()
    }
    values = highest(drawn)
    assert np.std(values) == pytest.approx(found.standard_uncertainty, rel=0.01)
    inside = np.abs(values - found.value) < found.half_width
    assert np.mean(inside) == pytest.approx(0.9545, abs=2e-3)


def test_without_tolerances_nothing_is_uncertain():
    found = band(3.0, {"power": -0.03}, {})
    assert found.standard_uncertainty == 0.0
    assert found.largest == ""
    assert band(3.0, {"power": 0.0}, {"power": Tolerance(60.0)}).largest == ""


def test_quantiles_leave_samples_without_an_answer_out():
    found = Uncertainty({CHIP_SUPPLY: Band(320.0, 1.0, {}), "pue": Band(1.2, 0.1, {})})
    values = np.linspace(310.0, 330.0, 101)
    values[-1] = np.nan
    told = with_samples(found, {CHIP_SUPPLY: values, "pue": np.full(101, np.nan)})
    assert (told.samples, told.failed) == (101, 101)
    assert told.bands[CHIP_SUPPLY].quantiles == pytest.approx((310.8, 319.8, 328.8))
    assert told.bands["pue"].quantiles == ()
    few = with_samples(Uncertainty({CHIP_SUPPLY: found.bands[CHIP_SUPPLY]}), {CHIP_SUPPLY: values})
    assert (few.samples, few.failed, few.unserved) == (101, 1, 0)


def test_samples_that_no_set_point_serves_count_as_the_lowest():
    found = Uncertainty({CHIP_SUPPLY: Band(320.0, 1.0, {})})
    values = np.linspace(310.0, 330.0, 100)
    values[90:] = -np.inf
    told = with_samples(found, {CHIP_SUPPLY: values})
    low, middle, high = told.bands[CHIP_SUPPLY].quantiles
    assert low == -math.inf
    assert (middle, high) == pytest.approx((values[39], values[84]))
    assert (told.failed, told.unserved) == (0, 10)
