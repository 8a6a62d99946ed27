"""Bands of a solved site: the derivative of its highest supply, samples against the first order, and the ranking."""

import jax.numpy as jnp
import numpy as np
import pytest

from tests.site.conftest import BUILDING, OVERRIDES
from voltherm.formats import configuration
from voltherm.formats.tolerances import tolerances
from voltherm.numerics import ResultCode
from voltherm.site.build import parameter, with_parameters
from voltherm.site.supply_temperature import CHIPS_ALONE, PATH
from voltherm.site.year import LANES, repeated, solve_sites
from voltherm.study.sensitivity import MARGINS, ranked_by_tolerance, site_gradients
from voltherm.study.site_uncertainty import chip_supply_slopes, sampled_figures, sampled_numbers, site_uncertainty
from voltherm.study.uncertainty import (
    BANDS,
    GRADIENTS,
    QUANTILES,
    Tolerance,
)

MOVED = {
    "rack.gpu.interface_resistance": 2e-7,
    "rack.gpu.power": 12.0,
    "rack.gpu.junction_limit": 0.5,
    "secondary.differential_pressure": 1.2e3,
}
"""Half steps of central differences: small enough for their third order, far above what the search leaves (1e-6 K)."""


@pytest.fixture(scope="module")
def chip_supply(site, state):
    """The highest supply that the chips allow on the hot day."""
    alone = with_parameters(repeated(site), CHIPS_ALONE)
    found = solve_sites(alone, state, jnp.ones(LANES, bool))
    assert int(found.result[0]) == ResultCode.CONVERGED
    return float(found.set_point[0])


@pytest.fixture(scope="module")
def gradients(site, state):
    return site_gradients(site, state, GRADIENTS)


@pytest.fixture(scope="module")
def shipped():
    return tolerances(configuration(BUILDING, OVERRIDES)[1])


def test_derivatives_of_the_highest_supply_match_central_differences(site, state, chip_supply):
    slopes, there = chip_supply_slopes(site, state, chip_supply)
    assert slopes[PATH] == 0.0
    sites = repeated(with_parameters(site, {PATH: chip_supply, **CHIPS_ALONE}))
    for lane, (path, step) in enumerate(MOVED.items()):
        values = np.full(LANES, float(parameter(site, path)))
        values[2 * lane] += step
        values[2 * lane + 1] -= step
        sites = with_parameters(sites, {path: values})
    found = solve_sites(sites, there, jnp.ones(LANES, bool))
    assert np.all(np.asarray(found.result) == ResultCode.CONVERGED)
    supply = np.asarray(found.set_point)
    for lane, (path, step) in enumerate(MOVED.items()):
        difference = (supply[2 * lane] - supply[2 * lane + 1]) / (2.0 * step)
        assert slopes[path] == pytest.approx(difference, rel=2e-4), path


def test_samples_of_small_tolerances_follow_the_first_order(site, state, hot, chip_supply, gradients):
    known = {
        "rack.gpu.interface_resistance": Tolerance(5e-8, 0.0),
        "rack.gpu.package_resistance": Tolerance(2e-5, 0.0),
        "chillers.carnot_fraction": Tolerance(0.001, 0.05, 0.9),
    }
    figures = {name: float(value) for name, value in hot[2].items()}
    found = site_uncertainty(
        site, state, figures, known, gradients=gradients, chip_supply=chip_supply, samples=2 * LANES
    )
    assert set(found.bands) == set(BANDS)
    assert (found.samples, found.failed) == (2 * LANES, 0)
    drawn = sampled_numbers(site, known, 2 * LANES)
    sampled = sampled_figures(site, state, drawn)
    for name in BANDS:
        band = found.bands[name]
        moved = sum(
            part * (drawn[path] - float(parameter(site, path))) / known[path].standard_uncertainty
            for path, part in band.contributions.items()
        )
        error = np.max(np.abs(sampled[name] - band.value - moved))
        assert error < 0.02 * band.standard_uncertainty, name
        told = np.quantile(sampled[name], QUANTILES, method="inverted_cdf")
        assert band.quantiles == pytest.approx(told, rel=1e-6), name


def test_draws_keep_to_their_spread_and_range(site):
    known = {"rack.gpu.interface_resistance": Tolerance(5e-6, 0.0), "rack.gpu.power_spread": Tolerance(0.04, 0.0, 0.5)}
    drawn = sampled_numbers(site, known, 2000)
    again = sampled_numbers(site, known, 2000)
    assert all(np.array_equal(drawn[path], again[path]) for path in known)
    resistance = drawn["rack.gpu.interface_resistance"]
    value = float(site.rack.gpu.interface_resistance)
    # the range is cut at four standard uncertainties here, which moves the moments by less than a thousandth
    assert np.mean(resistance) == pytest.approx(value, rel=1e-3)
    assert np.std(resistance) == pytest.approx(2.5e-6, rel=5e-3)
    assert np.mean(np.abs(resistance - value) < 5e-6) == pytest.approx(0.9545, abs=5e-3)
    spread = drawn["rack.gpu.power_spread"]
    assert spread.min() >= 0.0
    assert abs(np.corrcoef(resistance, spread)[0, 1]) < 0.1


def test_the_interface_leads_the_ranking_of_the_shipped_case(site, gradients, shipped):
    found = ranked_by_tolerance(site, gradients["junction_margin"], shipped)
    known = [each for each in found if each.toleranced]
    others = [each for each in found if not each.toleranced]
    assert found == known + others
    assert {each.path for each in known} == set(shipped)
    assert "rack.gpu.interface_resistance" in [each.path for each in known[:2]]
    assert abs(known[0].effect) > 1.0
    for part in (known, others):
        effects = [abs(each.effect) for each in part]
        assert effects == sorted(effects, reverse=True)
    interface = next(each for each in known if each.path == "rack.gpu.interface_resistance")
    assert interface.step == pytest.approx(2.5e-6)
    assert interface.effect == pytest.approx(interface.derivative * 2.5e-6)
    assert not MARGINS & {each.path for each in found}


def test_limits_are_ranked_only_with_a_tolerance_of_their_own(site, gradients):
    margin = gradients["junction_margin"]
    assert not MARGINS & {each.path for each in ranked_by_tolerance(site, margin, {})}
    found = ranked_by_tolerance(site, margin, {"rack.gpu.junction_limit": Tolerance(2.0)}, 3)
    assert [each.toleranced for each in found] == [True, False, False, False]
    assert found[0].effect == pytest.approx(1.0, rel=1e-9)
