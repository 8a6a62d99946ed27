"""Pumps off their curve and starved at their suction, against the numbers of a hand calculation."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.site.conftest import solve
from voltherm.site import findings, with_parameters
from voltherm.site.findings.finding import Elements
from voltherm.site.findings.pumps import PumpStates, pump_findings, pump_states

_ELEMENTS = Elements("the pump", "pumps", lambda index: f"pump {index[0] + 1}")


def _found(site, relative, available=30.0, required=4.0):
    shape = np.shape(relative)
    states = PumpStates(np.asarray(relative), np.full(shape, available), np.full(shape, required))
    return list(pump_findings(site.limits, states, _ELEMENTS))


def test_cdu_pump_of_the_hot_day(hot):
    """H = H0 w² - k q² through (0, 780 kPa) and (5.73 kg/s, 700 kPa), against 175 kPa held and 80 kPa inside."""
    site, solution, _ = hot
    flow = np.asarray(solution.value.buildings.rows.mass_flow)
    rise = 175e3 + 80e3 * (flow / 5.73) ** 2
    speed = np.sqrt((rise + 80e3 * (flow / 5.73) ** 2) / 780e3)
    own = flow / (speed * 5.73)
    secondary, _ = pump_states(site, solution.value)
    # the curve holds at the loop's mean density and the flow at the return's: 0.5 % apart
    np.testing.assert_allclose(secondary.relative_flow, own, rtol=5e-3)
    (told,) = [each for each in findings(site, solution.value) if each.subject == "CDU pumps"]
    assert told.value == pytest.approx(own.max(), rel=5e-3)
    assert (told.kind, told.severity, told.count, told.total) == ("pump flow", "limit", 4, 4)
    assert told.sentence.startswith("all 4 CDU pumps run at 155 % of their best flow (worst H")
    assert "preferred is 70 to 120 %, allowable 50 to 130 %" in told.sentence


def test_a_pump_fitted_to_its_duty_says_nothing(site):
    """265 kPa at 5.73 kg/s is what racks and CDU take: the pump runs near its best point, and no rule speaks."""
    fitted = with_parameters(site, {"secondary.pump_shutoff_pressure": 340e3, "secondary.pump_nominal_pressure": 265e3})
    solution, _ = solve(fitted)
    np.testing.assert_allclose(pump_states(fitted, solution.value)[0].relative_flow, 1.03, atol=0.05)
    assert not [each for each in findings(fitted, solution.value) if each.subject == "CDU pumps"]


def test_suction_head_by_hand(hot):
    """Magnus's vapour pressure, 300 kPa held; required 4 m w² x²."""
    site, solution, _ = hot
    rows = solution.value.buildings.rows
    celsius = np.asarray(rows.return_temperature) - 273.15
    vapour = 611.2 * np.exp(17.62 * celsius / (243.12 + celsius))
    own = (300e3 - vapour) / (1005.0 * 9.80665)
    secondary, facility = pump_states(site, solution.value)
    np.testing.assert_allclose(secondary.available_head, own, rtol=1e-2)
    assert own.max() > 28.0
    flow = np.asarray(rows.mass_flow)
    np.testing.assert_allclose(secondary.required_head, 4.0 * (flow / 5.73) ** 2, rtol=1e-12)
    # facility pumps run below their best flow, where the need does not fall with it
    assert np.all(facility.relative_flow < 1.0)
    speed = np.asarray(solution.value.buildings.facility.pump_speed)
    np.testing.assert_allclose(facility.required_head, 4.0 * speed**2, rtol=1e-12)


def test_one_pump_of_many_and_both_ends(site):
    assert _found(site, [0.71, 1.0, 1.19]) == []
    (fast,) = _found(site, [0.8, 1.25, 1.0])
    assert (fast.element, fast.count, fast.severity) == ("pump 2", 1, "practice")
    assert fast.sentence.startswith("one of 3 pumps (pump 2) runs at 125 % of its best flow; preferred")
    assert fast.excess == pytest.approx(1.25 / 1.2 - 1.0)
    (slow,) = _found(site, [0.45, 0.6, 1.0])
    assert (slow.element, slow.count, slow.severity) == ("pump 1", 2, "limit")
    assert slow.limit == pytest.approx(0.7)
    assert "2 of 3 pumps run at 45 % of their best flow (worst pump 1)" in slow.sentence


def test_starved_pumps(site):
    (near,) = _found(site, [1.0, 1.0], available=4.5)
    assert (near.kind, near.severity, near.unit) == ("suction head", "limit", "m")
    assert (near.value, near.limit) == (4.5, 4.6)
    assert "all 2 pumps have 4.5 m of net positive suction head (worst pump 1) and need 4.0 m" in near.sentence
    (dry,) = _found(site, [1.0], available=-0.1)
    assert dry.severity == "unphysical"
    assert _found(site, [1.0], available=4.6) == []


def test_suction_head_moves_with_the_vessel(hot):
    """d(head)/d(pressure) = 1 / (rho g), and nothing else depends on it."""
    site, solution, _ = hot

    def head(pressure):
        there = with_parameters(site, {"secondary.expansion_pressure": pressure})
        return pump_states(there, solution.value)[0].available_head[0, 0]

    slope = jax.grad(head)(jnp.asarray(3e5))
    assert slope == pytest.approx((float(head(3.1e5)) - float(head(2.9e5))) / 2e4, rel=1e-9)
    assert math.isclose(1.0 / (float(slope) * 9.80665), 1005.0, rel_tol=1e-2)


def test_a_limit_at_the_best_flow_itself_tells_high_from_low(site):
    strict = with_parameters(site, {"limits.pump_flow_maximum": 1.0})
    (fast,) = _found(strict, [1.05, 1.0])
    assert fast.severity == "practice"
    assert "a smaller head or a larger flow" in fast.sentence
