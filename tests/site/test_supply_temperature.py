"""The highest supply temperature: nothing is left to the limit there, and none is named where none serves."""

import jax.numpy as jnp
import numpy as np
import pytest

from tests.site.conftest import solve
from voltherm.numerics import ResultCode
from voltherm.site import with_parameters
from voltherm.site.supply_temperature import PATH
from voltherm.site.year import LANES, response, solve_lanes

HOT, COOL = 316.15, 298.15


@pytest.fixture(scope="module")
def lanes(site, state):
    """Set point as given, allowed, allowed from afar, and at 25 °C; every further lane repeats the last."""
    dry_bulb = np.full(LANES, COOL)
    dry_bulb[:3] = HOT
    set_point = np.full(LANES, 313.15)
    set_point[2] = 300.15
    search = np.full(LANES, True)
    search[0] = False
    return solve_lanes(site, state, jnp.asarray(dry_bulb), jnp.asarray(set_point), jnp.asarray(search))


def test_nothing_is_left_to_the_limit_there(lanes, site):
    assert np.all(np.asarray(lanes.result) == ResultCode.CONVERGED)
    assert np.abs(np.asarray(lanes.figures["junction_margin"][1:])) == pytest.approx(0.0, abs=1e-6)
    warmer = with_parameters(site, {PATH: lanes.set_point[1]})
    assert solve(warmer)[1]["junction_margin"] == pytest.approx(0.0, abs=1.1e-6)
    assert lanes.set_point[1] > 313.15


def test_without_search_the_set_point_is_solved_as_given(lanes, hot):
    assert lanes.set_point[0] == 313.15
    assert lanes.figures["junction_margin"][0] == pytest.approx(float(hot[2]["junction_margin"]), abs=1e-8)
    assert lanes.figures["facility_power"][0] == pytest.approx(float(hot[2]["facility_power"]), rel=1e-8)


def test_answer_does_not_depend_on_where_the_search_starts(lanes):
    assert lanes.set_point[2] == pytest.approx(float(lanes.set_point[1]), abs=2e-6)


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
