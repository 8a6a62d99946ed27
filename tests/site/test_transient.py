"""The site in time: rest stays rest, heat is booked, and the water warms as its content says.

One compiled run serves all cases: the shipped building itself, at 35 °C, whose published figure is part of the test.
"""

import math

import jax.numpy as jnp
import numpy as np
import pytest

from tests.site.conftest import BUILDING, solve
from voltherm.formats import configuration
from voltherm.numerics import ResultCode
from voltherm.site import build, simulate, with_parameters
from voltherm.site.transient import _first_below_zero

STEPS, STEP = 100, 15.0
OUTAGE = 20
"""Steps of normal operation before half of the rejection is lost, in the case that has both."""


@pytest.fixture(scope="module")
def building():
    """The shipped building at 35 °C, its state and figures."""
    site = with_parameters(build(configuration(BUILDING)[0]), {"climate.dry_bulb": 308.15})
    solution, figures = solve(site)
    assert solution.status.result == ResultCode.CONVERGED
    return site, solution.value, figures


@pytest.fixture(scope="module")
def run(building):
    site, state, _ = building

    def simulated(available):
        return simulate(site, state, duration=STEPS * STEP, step=STEP, available=available)

    return simulated


@pytest.fixture(scope="module")
def lost(run):
    return run(np.zeros(STEPS))


def test_rest_stays_rest(run, building):
    _, state, figures = building
    course = run(np.ones(STEPS))
    assert len(course.time) == STEPS
    facility = state.buildings.facility.plant
    assert course.facility_supply == pytest.approx(float(facility.supply_temperature[0]), abs=1e-6)
    assert course.tank == pytest.approx(float(facility.supply_temperature[0]), abs=1e-6)
    assert course.supply == pytest.approx(float(figures["supply_temperature"]), abs=1e-6)
    assert course.gpu_temperature == pytest.approx(float(figures["gpu_temperature"]), abs=2e-6)
    assert course.it_power == pytest.approx(float(figures["it_power"]), rel=1e-7)
    assert course.energy_residual < 1e-9
    assert (course.seconds_to_limit, course.first_limit) == (math.inf, "none")


def test_loss_of_rejection_warms_the_water_as_its_content_says(lost, building):
    _, state, _ = building
    assert lost.energy_residual < 1e-9
    heat = float(jnp.sum(state.buildings.facility.plant.heat))
    expected = 5000.0 * 992.0 * 4179.0 / heat
    assert lost.seconds_per_kelvin == pytest.approx(expected, rel=0.05)
    # published for such a building: 1 K in 139 to 202 s
    assert 139.0 < lost.seconds_per_kelvin < 202.0


def test_valves_hold_the_chips_until_they_are_open_then_margin_falls_with_the_water(lost):
    assert np.all(np.diff(lost.tank) > 0.0)
    # warm water arrives after the pipe and tank; the CDU valves open against it for a while
    arrived = int(np.argmax(lost.facility_supply > lost.facility_supply[0] + 0.1))
    saturated = int(np.argmax(lost.junction_margin < lost.junction_margin[0] - 0.5))
    assert 5 < arrived < saturated - 5
    warmed = np.diff(lost.facility_supply[saturated:])
    assert np.all(warmed > 0.0)
    assert np.diff(lost.junction_margin[saturated:]) == pytest.approx(-1.15 * warmed, rel=0.25)
    assert (lost.seconds_to_limit, lost.first_limit) == (math.inf, "none")


def test_limit_is_reached_between_two_steps(lost, building):
    site, state, _ = building
    strict = with_parameters(site, {"limits.junction_margin": site.limits.junction_margin + 6.0})
    course = simulate(strict, state, duration=STEPS * STEP, step=STEP, available=np.zeros(STEPS))
    assert course.junction_margin == pytest.approx(lost.junction_margin - 6.0, abs=1e-9)
    after = int(np.searchsorted(course.time, course.seconds_to_limit))
    assert course.first_limit == "chip junction limit"
    assert course.junction_margin[after - 1] > 0.0 >= course.junction_margin[after]
    assert course.seconds_to_limit == pytest.approx(
        float(np.interp(0.0, -course.junction_margin, course.time)), rel=1e-9
    )


def test_the_tank_shields_the_chips_for_a_while(run, lost, building):
    half = run(np.where(np.arange(STEPS) < OUTAGE, 1.0, 0.5))
    assert half.energy_residual < 1e-9
    assert half.tank[OUTAGE - 1] == pytest.approx(half.tank[0], abs=1e-6)
    assert half.tank[0] < half.tank[-1] < lost.tank[-1]
    assert lost.gpu_temperature[0] == pytest.approx(float(building[2]["gpu_temperature"]), abs=1e-3)


def test_steps_longer_than_the_pipes_hold_are_refused(building):
    site, state, _ = building
    with pytest.raises(ValueError, match="longer than water stays in the facility pipes; take at most"):
        simulate(site, state, step=3600.0)


def test_the_course_ends_where_a_chip_runs_away(building):
    site = building[0]
    # leakage that doubles twice as fast, and a loop of a tenth of the fill
    leaky = with_parameters(site, {"rack.gpu.leakage_scale": 0.5 * site.rack.gpu.leakage_scale, "facility.volume": 1e3})
    solution, _ = solve(leaky)
    assert solution.status.result == ResultCode.CONVERGED
    course = simulate(leaky, solution.value, duration=STEPS * STEP, step=STEP)
    assert "runs away" in course.ended
    assert len(course.time) < STEPS
    assert np.all(np.isfinite(course.gpu_temperature))
    assert course.first_limit == "chip junction limit"
    assert course.seconds_to_limit < course.time[-1]


def test_crossings_lie_between_steps():
    assert _first_below_zero(np.array([1.0, 2.0, 3.0]), np.array([3.0, 1.0, -1.0])) == pytest.approx(2.5)
    assert _first_below_zero(np.array([1.0, 2.0]), np.array([-1.0, -2.0])) == 1.0
    assert _first_below_zero(np.array([1.0, 2.0]), np.array([1.0, 2.0])) == math.inf
