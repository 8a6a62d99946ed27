"""What a course amounts to: crossings, ends, warming and the balance, on courses made up for it."""

import math

import numpy as np
import pytest

from voltherm.numerics import ResultCode
from voltherm.site.ride_through import UnsolvedStepError, evaluated, first_below_zero

TIMES = np.array([0.0, 1.0, 3.0, 7.0, 15.0])
ROWS = len(TIMES) - 1


def course(**changed):
    flat = dict.fromkeys(
        ("facility_supply", "facility_return", "tank", "supply", "gpu_temperature", "facility_flow", "row_flow"),
        np.full(ROWS, 310.0),
    )
    return flat | {
        "junction_margin": np.full(ROWS, 5.0),
        "throttle_margin": np.full(ROWS, 8.0),
        "work": np.ones(ROWS),
        "off": np.zeros(ROWS),
        "inlet_air": np.full(ROWS, 298.0),
        "memory_margin": np.full(ROWS, 5.0),
        "it_power": np.full(ROWS, 1e6),
        "mean_temperature": np.full(ROWS, 312.0),
        "heat_in": np.full(ROWS, 2e6),
        "heat_out": np.zeros(ROWS),
        "stored": 1e9 + 2e6 * TIMES[1:],
        "result": np.zeros(ROWS, int),
        "runaway": np.zeros(ROWS, bool),
        **changed,
    }


def result(site, **changed):
    shares = {name: np.ones(ROWS) for name in ("coolers", "trim_chillers", "air_handlers", "load")}
    return evaluated(site, TIMES, course(**changed), shares, 1e9, "fans lost at 0 s")


def test_a_course_without_a_limit(site):
    found = result(site)
    assert (found.seconds_to_limit, found.first_limit, found.ended) == (math.inf, "none", "")
    assert found.energy_residual < 1e-13
    assert found.events == "fans lost at 0 s"
    assert found.time.tolist() == [0.0, 1.0, 3.0, 7.0]
    assert found.seconds_per_kelvin == math.inf


def test_heat_that_is_not_booked_shows(site):
    stored = 1e9 + 2e6 * TIMES[1:] + np.array([0.0, 0.0, 800.0, 800.0])
    assert result(site, stored=stored).energy_residual == pytest.approx(800.0 / (4.0 * 2e6), rel=1e-6)


def test_a_limit_of_the_maker_counts_as_that_of_a_chip(site):
    most = float(site.limits.supply_maximum)
    found = result(site, supply=most + np.array([-1.0, 0.0, 2.01, 3.0]))
    # at its limit it has not passed it: that is a hundredth of a kelvin later
    assert found.first_limit == "maker's limit of the supply"
    assert found.seconds_to_limit == pytest.approx(1.0 + 2.0 * 0.01 / 2.01)
    assert result(site, supply=np.full(ROWS, most)).first_limit == "none"
    found = result(site, memory_margin=np.array([3.0, 1.0, -1.0, -2.0]))
    assert (found.first_limit, found.seconds_to_limit) == ("memory limit", pytest.approx(2.0))


def test_the_first_of_two_limits_counts(site):
    air = float(site.air.inlet_limit) + np.array([-1.0, -1.0, 1.0, 2.0])
    found = result(site, inlet_air=air, junction_margin=np.array([3.0, 2.0, 1.0, -1.0]))
    assert found.later_limits == {"chip junction limit": pytest.approx(5.0)}
    assert (found.first_limit, found.seconds_to_limit) == ("rack inlet air limit", pytest.approx(2.0))


@pytest.mark.parametrize(
    ("lost", "told"),
    [
        ({"runaway": np.array([False, False, True, True])}, "runs away"),
        ({"result": np.array([0, 0, ResultCode.NOT_FINITE, 0])}, "hydraulics of the loops"),
    ],
)
def test_a_course_ends_where_there_is_no_state(site, lost, told):
    power = np.array([1e6, 1e6, np.nan, np.nan])
    found = result(site, it_power=power, **lost)
    assert told in found.ended
    assert len(found.time) == len(found.cooler_share) == 2
    assert (found.first_limit, found.seconds_to_limit) == (found.ended, 3.0)


def test_a_course_that_never_starts_is_an_error(site):
    with pytest.raises(UnsolvedStepError, match="the first step in time has no solution"):
        result(site, it_power=np.full(ROWS, np.nan))


def test_a_course_ends_with_the_row_in_which_chips_switch_off(site):
    margin = np.array([4.0, -4.0, -9.0, -12.0])
    found = result(site, junction_margin=margin, throttle_margin=margin + 3.0, off=np.array([0.0, 0.0, 2.0, 2.0]))
    assert "switch themselves off" in found.ended
    assert found.time.tolist() == [0.0, 1.0, 3.0]
    assert found.seconds_to_limit == pytest.approx(0.5)
    assert found.seconds_to_throttling == pytest.approx(0.875)
    assert found.first_limit == "chip junction limit"


def test_what_only_throttling_holds_is_past_its_limit(site):
    assert first_below_zero(np.array([1.0, 2.0, 3.0]), np.array([3.0, 1.0, np.nan])) == 3.0
    assert result(site).seconds_to_throttling == math.inf


def test_crossings_lie_between_rows():
    assert first_below_zero(np.array([1.0, 2.0, 3.0]), np.array([3.0, 1.0, -1.0])) == pytest.approx(2.5)
    assert first_below_zero(np.array([1.0, 2.0]), np.array([-1.0, -2.0])) == 1.0
    assert first_below_zero(np.array([1.0, 2.0]), np.array([1.0, 2.0])) == math.inf
