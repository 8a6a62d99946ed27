"""The search for the highest supply on made-up plants, whose answers are known without a solve."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from voltherm.numerics import ResultCode
from voltherm.site.supply_search import LOWEST, Tried, highest_set_point
from voltherm.site.supply_temperature import search_margin

JUNCTION, SUPPLY_MAXIMUM = 360.0, 330.0


def search(
    start, *, supply=lambda set_point: set_point, inlet=lambda supply: jnp.asarray(10.0), fails=lambda set_point: False
):
    """The search on a plant that reaches `supply(set point)`: result code, value, state, trials."""

    def solve(set_point, _):
        failed = jnp.asarray(fails(set_point))
        reached = jnp.where(failed, jnp.nan, supply(set_point))
        # a chip 30 K above its coolant, with leakage
        junction = JUNCTION - reached - 30.0 - 0.04 * (reached - 300.0)
        figures = {"junction_margin": junction, "memory_margin": junction + 5.0, "inlet_margin": inlet(reached)}
        margin = search_margin({**figures, "supply_margin": SUPPLY_MAXIMUM - reached})
        code = jnp.where(failed, ResultCode.NOT_FINITE, ResultCode.CONVERGED).astype(jnp.int32)
        return Tried(reached, margin, jnp.where(failed, jnp.nan, set_point), code)

    with jax.enable_x64(True):
        solution, state = highest_set_point(jnp.asarray(start), jnp.asarray(start), solve)
    return int(solution.status.result), float(solution.value), float(state), int(solution.status.iterations)


CHIPS = (JUNCTION - 30.0 + 12.0) / 1.04


@pytest.mark.parametrize("start", [280.0, 313.15, 328.0, 350.0])
def test_a_plant_that_holds_every_set_point_is_bound_by_its_chips(start):
    code, value, state, steps = search(start)
    assert code == ResultCode.CONVERGED
    assert value == pytest.approx(CHIPS, abs=1e-6)
    assert state == value
    assert steps <= 5


@pytest.mark.parametrize("start", [290.0, 313.15, 345.0])
def test_a_trial_that_floats_too_warm_ends_nothing(start):
    """Above 318 K the plant loses its hold, and with it 12 K."""
    code, value, _, _ = search(start, supply=lambda t: jnp.where(t > 318.0, t + 12.0, t))
    assert code == ResultCode.CONVERGED
    assert value == pytest.approx(318.0, abs=1e-3)
    assert value <= 318.0


def test_a_supply_that_a_cdu_lets_float_still_falls_with_its_set_point():
    code, value, _, _ = search(325.0, supply=lambda t: t + 4.0)
    assert code == ResultCode.CONVERGED
    assert value == pytest.approx(CHIPS - 4.0, abs=1e-6)


@pytest.mark.parametrize("start", [290.0, 313.15, 335.0])
def test_none_exists_where_the_coldest_set_point_is_not_served(start):
    code, value, state, steps = search(start, supply=lambda t: jnp.maximum(t, 331.0))
    assert code == ResultCode.LIMIT
    assert np.isnan(value)
    # the coldest that was tried, so that what fails there can be told
    assert state == LOWEST
    assert steps <= 4


def test_air_that_only_a_colder_supply_cools_ends_the_search():
    """Air-side chillers lose their capacity within a kelvin of supply."""
    code, value, _, _ = search(300.0, inlet=lambda supply: 10.0 - 25.0 * jnp.maximum(supply - 316.0, 0.0))
    assert code == ResultCode.CONVERGED
    assert value == pytest.approx(316.4, abs=1e-3)


def test_air_that_no_supply_cools_is_told_apart_from_a_failure():
    assert search(313.15, inlet=lambda supply: jnp.asarray(-11.5))[0] == ResultCode.LIMIT


def test_a_plant_without_a_state_above_what_serves_keeps_what_serves():
    code, value, state, _ = search(300.0, fails=lambda t: t > 312.3)
    assert code == ResultCode.NOT_FINITE
    assert value == pytest.approx(312.3, abs=2e-3)
    assert value <= 312.3
    assert state == value


def test_a_failure_beyond_the_answer_costs_nothing():
    code, value, _, _ = search(280.0, fails=lambda t: (t > 329.0) & (t < 329.1), supply=lambda t: t)
    assert (code, value) == (ResultCode.CONVERGED, pytest.approx(CHIPS, abs=1e-6))
    # the first secant meets a failure, and the answer lies below it
    code, value, _, _ = search(300.0, fails=lambda t: t > CHIPS + 0.02)
    assert (code, value) == (ResultCode.CONVERGED, pytest.approx(CHIPS, abs=1e-3))


def test_a_failure_below_what_is_refused_is_passed():
    """Descending, the coldest set point has no state, and one above it serves."""
    code, value, _, _ = search(
        345.0, fails=lambda t: t < 300.0, supply=lambda t: jnp.where(t > 310.0, jnp.maximum(t, 340.0), t)
    )
    assert code == ResultCode.CONVERGED
    assert value == pytest.approx(310.0, abs=1e-3)


def test_the_given_set_point_without_a_state_is_told_as_such():
    code, value, state, steps = search(313.15, fails=lambda t: True)
    assert (code, steps) == (ResultCode.NOT_FINITE, 1)
    assert np.isnan(value)
    assert np.isnan(state)


def test_random_plants_have_the_answer_of_a_fine_grid():
    random = np.random.default_rng(5)
    for _ in range(25):
        edge, step, flat = random.uniform(285.0, 325.0), random.uniform(0.0, 15.0), random.uniform(270.0, 340.0)

        def supply(t, edge=edge, step=step, flat=flat, where=jnp.where, most=jnp.maximum):
            return most(where(t > edge, t + step, t), flat)

        code, value, _, steps = search(random.uniform(285.0, 330.0), supply=supply)
        fine = np.arange(LOWEST, 345.0, 1e-3)
        reached = supply(fine, where=np.where, most=np.maximum)
        serves = np.minimum(SUPPLY_MAXIMUM - reached, JUNCTION - reached - 30.0 - 0.04 * (reached - 300.0)) >= 0.0
        if not serves.any():
            assert code == ResultCode.LIMIT
            continue
        assert code == ResultCode.CONVERGED
        assert value == pytest.approx(fine[serves].max(), abs=3e-3)
        assert steps < 40
