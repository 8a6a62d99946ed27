"""The highest supply temperature: nothing is left to the limit there, and none is named where none serves."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.site.conftest import solve
from voltherm.numerics import ResultCode
from voltherm.report.limits import binding_limit
from voltherm.site import layout, with_parameters
from voltherm.site import year as year_module
from voltherm.site.climate import dry_bulb_year
from voltherm.site.sections import NO_LIMIT
from voltherm.site.supply_search import LOWEST
from voltherm.site.supply_temperature import PATH, search_margin
from voltherm.site.year import LANES, grid, repeated, response, solve_lanes, solve_sites, year
from voltherm.study.answer import operating_points
from voltherm.study.limits import SUPPLY_LIMIT
from voltherm.study.tune import DEFAULT_AMBIENTS, weighted_ambients, year_weights

HOT, COOL = 316.15, 298.15
SUPPLY_MAXIMUM = "limits.supply_maximum"
MAKER = 315.15
"""K: 42 °C, below what the chips of the small site bear."""


@pytest.fixture(scope="module")
def cold(site):
    """The state at 12 °C below freezing."""
    return solve(with_parameters(site, {"climate.dry_bulb": 261.15}))[0].value


@pytest.fixture(scope="module")
def lanes(site, state):
    """Set point as given, allowed, allowed from afar, bounded by the maker from below and from above the bound, and at
    25 °C; every further lane repeats the last. The site's own bound is lifted where none is given."""
    dry_bulb = np.full(LANES, COOL)
    dry_bulb[:5] = HOT
    set_point = np.full(LANES, 313.15)
    set_point[2:5] = 300.15, 313.15, 318.15
    search = np.full(LANES, True)
    search[0] = False
    maximum = np.full(LANES, NO_LIMIT)
    maximum[3:5] = MAKER
    given = (jnp.asarray(each) for each in (dry_bulb, set_point, search))
    return solve_lanes(site, state, *given, limits={SUPPLY_MAXIMUM: jnp.asarray(maximum)})


def test_nothing_is_left_to_the_limit_there(lanes, site):
    assert np.all(np.asarray(lanes.result) == ResultCode.CONVERGED)
    free = np.delete(np.asarray(lanes.figures["junction_margin"]), [0, 3, 4])
    assert np.abs(free) == pytest.approx(0.0, abs=1e-6)
    warmer = with_parameters(site, {PATH: lanes.set_point[1]})
    assert solve(warmer)[1]["junction_margin"] == pytest.approx(0.0, abs=1.1e-6)
    assert lanes.set_point[1] > 313.15


def test_without_search_the_set_point_is_solved_as_given(lanes, hot):
    assert lanes.set_point[0] == 313.15
    assert lanes.figures["junction_margin"][0] == pytest.approx(float(hot[2]["junction_margin"]), abs=1e-8)
    assert lanes.figures["facility_power"][0] == pytest.approx(float(hot[2]["facility_power"]), rel=1e-8)


def test_answer_does_not_depend_on_where_the_search_starts(lanes):
    assert lanes.set_point[2] == pytest.approx(float(lanes.set_point[1]), abs=2e-6)


def test_the_makers_limit_is_an_upper_end_of_the_answer(lanes, site, state):
    """Chips would bear more than 42 °C; what is allowed is 42 °C, from wherever the search starts."""
    assert lanes.set_point[1] > MAKER + 0.5
    for lane in (3, 4):
        assert lanes.set_point[lane] == pytest.approx(MAKER, abs=2e-6)
        assert lanes.figures["supply_margin"][lane] == pytest.approx(0.0, abs=1e-6)
        assert lanes.figures["supply_temperature"][lane] == pytest.approx(MAKER, abs=2e-6)
        assert lanes.figures["junction_margin"][lane] > 0.4
    # the site's own number says the same where lanes give none
    bounded = with_parameters(site, {SUPPLY_MAXIMUM: MAKER})
    found = response(bounded, state, np.array([HOT]), allowed=True)
    assert found.set_point[0] == pytest.approx(MAKER, abs=2e-6)
    assert found.result[0] == ResultCode.CONVERGED


def test_memory_bounds_the_supply_as_a_junction_does(lanes, site, state):
    """Memory 5 K over a junction whose limit is 87 °C, allowed 90 °C: the junction ends at 85 °C. The hottest chips are
    at their power limit at either, so that is two kelvin of supply, and a little for the coolant's viscosity."""
    hotter = with_parameters(
        site, {"rack.gpu.memory_offset": 5.0, "rack.gpu.memory_limit": 363.15, SUPPLY_MAXIMUM: NO_LIMIT}
    )
    found = response(hotter, state, np.array([HOT]), allowed=True)
    assert found.figures["memory_margin"][0] == pytest.approx(0.0, abs=1e-6)
    assert found.figures["gpu_margin"][0] == pytest.approx(2.0, abs=1e-6)
    assert float(lanes.set_point[1]) - found.set_point[0] == pytest.approx(2.0, abs=0.1)


def test_the_points_of_an_answer(site, state, lanes, hot):
    """The hot day, the highest supply with and without the maker's limit, and the coldest hour, each with findings."""
    bounded, hours = with_parameters(site, {SUPPLY_MAXIMUM: MAKER}), np.asarray(dry_bulb_year(site.climate))
    point, allowed, searched, unheld, chips, coldest = operating_points(bounded, layout(bounded), state, hours)
    assert (searched, unheld) == (ResultCode.CONVERGED, None)
    assert point.figures["facility_power"] == pytest.approx(float(hot[2]["facility_power"]), rel=1e-8)
    assert (point.dry_bulb, point.set_point) == (HOT, 313.15)
    assert allowed.set_point == pytest.approx(MAKER, abs=2e-6)
    assert chips == pytest.approx(float(lanes.set_point[1]), abs=2e-6)
    assert binding_limit(allowed).name == SUPPLY_LIMIT
    assert (coldest.dry_bulb, coldest.set_point) == (hours.min(), 313.15)
    # at 12 °C below freezing nothing but the least fans and the pumps work
    assert coldest.figures["cooling_power"] < 0.5 * point.figures["cooling_power"]
    told = [{(each.kind, each.subject): each for each in found.findings} for found in (point, allowed, coldest)]
    for found in told:
        assert found["pump flow", "CDU pumps"].count == 4
        assert found["freezing outdoors", "dry coolers of the facility loop"].value == hours.min()
    assert not [each for found in told for each in found.values() if each.severity == "unphysical"]


def test_no_set_point_serves_where_the_supply_floats_beyond_the_makers_limit(site, state):
    tight = with_parameters(site, {"chillers.count": 1.0, SUPPLY_MAXIMUM: 314.15})
    full = jnp.full(LANES, HOT)
    found = solve_lanes(tight, state, full, jnp.full(LANES, 313.15), jnp.arange(LANES) == 0)
    assert found.result[0] == ResultCode.LIMIT
    assert np.isnan(found.set_point[0])


def test_no_set_point_serves_chips_whose_limit_lies_below_what_rejection_reaches(site, state):
    strict = with_parameters(site, {"rack.gpu.junction_limit": 330.15, "chillers.count": 1.0})
    full = jnp.full(LANES, HOT)
    found = solve_lanes(strict, state, full, jnp.full(LANES, 313.15), jnp.full(LANES, True))
    assert np.all(np.asarray(found.result) == ResultCode.LIMIT)
    assert np.all(np.isnan(np.asarray(found.set_point)))
    assert np.all(np.asarray(found.residual) > 1.0)


def test_a_response_is_in_the_order_asked_and_its_points_are_single_solves(site, state, cool, hot):
    found = response(site, state, np.array([COOL, HOT, 305.15]))
    assert found.dry_bulb.tolist() == [COOL, HOT, 305.15]
    assert np.all(found.result == ResultCode.CONVERGED)
    for lane, (_, _, figures) in ((0, cool), (1, hot)):
        for name in ("facility_power", "pue", "junction_margin"):
            assert found.figures[name][lane] == pytest.approx(float(figures[name]), rel=1e-8), name
    assert found.figures["cooling_power"][0] < found.figures["cooling_power"][2] < found.figures["cooling_power"][1]


def test_what_fails_from_a_neighbour_is_tried_again_from_nothing(site, state, monkeypatch):
    starts = []

    def solve(site, start, *given):
        found = solve_lanes(site, start, *given)
        starts.append(start)
        if len(starts) > 1:
            return found
        second = jnp.arange(LANES) == 1
        return found._replace(result=jnp.where(second, ResultCode.NOT_FINITE, found.result))

    monkeypatch.setattr(year_module, "solve_lanes", solve)
    ambients = np.linspace(COOL, HOT, LANES)
    found = response(site, state, ambients)
    assert np.all(found.result == ResultCode.CONVERGED)
    assert len(starts) == 2
    assert np.all(np.isnan(starts[1].flows.rows.mass_flow))
    warm = response(site, state, ambients)
    assert found.figures["facility_power"] == pytest.approx(warm.figures["facility_power"], rel=1e-8)


def test_one_steady_state_from_wherever_a_solve_starts(site, state, cool, cold):
    """Fans and compressors of the air side once had two splits of their work between 23.4 and 23.6 °C."""
    ambients = np.linspace(282.15, HOT, 4 * LANES)
    curves = [response(site, start, ambients) for start in (state, cool[1].value, cold)]
    for curve in curves:
        assert np.all(curve.result == ResultCode.CONVERGED)
        for name in ("cooling_power", "air_chiller_power", "facility_power"):
            assert curve.figures[name] == pytest.approx(curves[0].figures[name], rel=1e-7, abs=1.0), name


@pytest.mark.parametrize("celsius", [40.0, 45.0])
def test_a_year_in_parts_is_that_of_the_whole_curve(site, state, celsius):
    """What `tune` sums, against 8,760 hours read from the response to ambient; here, for the compiled solve is here."""
    there = with_parameters(site, {PATH: 273.15 + celsius})
    hours = np.asarray(dry_bulb_year(there.climate))
    whole = year(there, state, response(there, state, grid(hours)), hours, checked=False)
    ambients, shares = weighted_ambients(there, DEFAULT_AMBIENTS)
    found = response(there, state, ambients)
    assert np.all(found.result == ResultCode.CONVERGED)
    energy = {name: found.figures[name] @ shares * 8760.0 * 3600.0 for name in whole.energy}
    assert energy["facility_power"] == pytest.approx(whole.energy["facility_power"], rel=5e-4)
    assert energy["cooling_power"] == pytest.approx(whole.energy["cooling_power"], rel=5e-3)
    assert energy["air_chiller_power"] == pytest.approx(whole.energy["air_chiller_power"], rel=5e-3)
    # a machine of few hours: a few per cent of its own energy, and little of all cooling
    trim = whole.energy["trim_chiller_power"]
    assert energy["trim_chiller_power"] == pytest.approx(trim, rel=0.03, abs=1e-3 * whole.energy["cooling_power"])


def test_the_year_has_trim_to_be_found(site, state):
    hours = np.asarray(dry_bulb_year(site.climate))
    whole = year(site, state, response(site, state, grid(hours)), hours, checked=False)
    assert whole.energy["trim_chiller_power"] > 0.01 * whole.energy["cooling_power"]
    even = np.linspace(hours.min(), hours.max(), 6)
    few = response(site, state, even).figures["trim_chiller_power"] @ year_weights(hours, even) * 8760.0 * 3600.0
    assert few > 1.3 * whole.energy["trim_chiller_power"]


_RANGES = {
    "climate.dry_bulb": (285.0, 319.0),
    "facility.supply_offset": (1.0, 6.0),
    "chillers.count": (0.0, 4.0),
    "dry_coolers.rated_heat": (300e3, 900e3),
    "air.coil_rated_heat": (60e3, 110e3),
    "air.chillers": (0.0, 1.5),
    "rack.gpu.junction_limit": (345.0, 362.0),
    "limits.supply_maximum": (305.0, 325.0),
    "secondary.supply_temperature": (290.0, 325.0),
}


def test_what_is_called_the_highest_agrees_with_a_batch_over_set_points(site, state):
    """Random plants, some of which hold nothing: below the answer every limit holds, above it one does not."""
    random = np.random.default_rng(11)
    told = {ResultCode.CONVERGED: 0, ResultCode.LIMIT: 0}
    for _ in range(3):
        drawn = {path: jnp.asarray(random.uniform(*ends, LANES)) for path, ends in _RANGES.items()}
        plants = with_parameters(repeated(site), drawn)
        found = solve_sites(plants, state, jnp.full(LANES, True))
        for lane in range(LANES):
            plant = repeated(jax.tree.map(lambda leaf, lane=lane: leaf[lane], plants))
            result, answer = int(found.result[lane]), float(found.set_point[lane])
            given = {path: float(values[lane]) for path, values in drawn.items()}
            assert result in told, (result, given)
            told[result] += 1
            around = answer + np.array([-8.0, -2.0, -0.5, -0.01, 0.01, 0.5, 2.0, 8.0])
            everywhere = np.linspace(LOWEST, 333.0, LANES)
            trials = around if result == ResultCode.CONVERGED else everywhere
            there = solve_sites(with_parameters(plant, {PATH: jnp.asarray(trials)}), state, jnp.full(LANES, False))
            solved = np.asarray(there.result) == ResultCode.CONVERGED
            holds = solved & (np.asarray(search_margin(there.figures)) >= 0.0)
            expected = trials < answer if result == ResultCode.CONVERGED else np.zeros(LANES, bool)
            np.testing.assert_array_equal(holds, expected, str(given))
    # the draw has both kinds
    assert min(told.values()) > 1
