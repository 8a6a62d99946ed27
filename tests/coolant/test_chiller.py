import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.coolant.cases import check_gradient
from voltherm.coolant import Chiller
from voltherm.coolant.chiller import AIR_COOLED_SCREW, WATER_COOLED_CENTRIFUGAL

CHILLER = Chiller(jnp.asarray(2.0e6), jnp.asarray(0.45))
WATER, AIR = jnp.asarray(291.15), jnp.asarray(316.15)


def test_full_load_is_a_share_of_carnot():
    state = CHILLER.operate(jnp.asarray(2.0e6), WATER, AIR)
    evaporating, condensing = 291.15 - 3.0, 316.15 + 14.0
    expected = 0.45 * evaporating / (condensing - evaporating)
    np.testing.assert_allclose(state.coefficient_of_performance, expected, rtol=1e-3)
    np.testing.assert_allclose(state.power * state.coefficient_of_performance, 2.0e6)
    np.testing.assert_allclose(state.condenser_heat_flow, 2.0e6 + state.power)


def test_capacity_limit_is_said():
    state = CHILLER.operate(jnp.asarray(2.5e6), WATER, AIR)
    np.testing.assert_allclose([state.heat_flow, state.unmet_heat_flow], [2.0e6, 0.5e6])


def test_warm_water_is_mixed_and_saves_nothing():
    """Water of 41.5 degC at 43 degC outside was made at a COP of 12; the machine evaporates at 25 degC all the same."""
    warm = CHILLER.operate(jnp.asarray(2.0e6), jnp.asarray(317.65), AIR)
    np.testing.assert_allclose(warm.coefficient_of_performance, 0.45 * 298.15 / (330.15 - 298.15), rtol=2e-3)
    water = jnp.linspace(280.0, 350.0, 71)
    evaporating = CHILLER.evaporating_temperature(water)
    assert jnp.all(evaporating <= 298.15)
    assert jnp.all(jnp.diff(evaporating) >= 0.0)
    np.testing.assert_allclose(evaporating[:10], water[:10] - 3.0, atol=0.01)


@pytest.mark.parametrize(("sink", "share"), [(319.15, 1.0), (326.15, 0.5), (333.15, 0.0), (363.15, 0.0)])
def test_a_condenser_at_its_limit_unloads_until_nothing_is_left(sink, share):
    state = CHILLER.operate(jnp.asarray(2.0e6), WATER, jnp.asarray(sink))
    np.testing.assert_allclose(state.heat_flow, share * 2.0e6, rtol=1e-12)
    np.testing.assert_allclose(state.unmet_heat_flow, (1.0 - share) * 2.0e6, atol=1e-3)
    assert (state.power > 0.0) == (share > 0.0)
    if share == 0.5:
        # it condenses at 60 degC, and half its approach is left
        performance = 0.45 * 288.15 / (333.15 - 288.15)
        full = jnp.asarray(2.0e6)
        np.testing.assert_allclose(full / CHILLER.power(full, WATER, jnp.asarray(sink)), performance, rtol=1e-3)
        slope = jax.grad(lambda sink: CHILLER.operate(jnp.asarray(2.0e6), WATER, sink).heat_flow)(jnp.asarray(sink))
        np.testing.assert_allclose(slope, -2.0e6 / 14.0)


def test_lift_and_performance_are_bounded_whatever_the_air():
    air = jnp.linspace(240.0, 319.0, 50)
    state = CHILLER.operate(jnp.full(50, 2.0e6), jnp.full(50, 293.15), air)
    # 15 K of lift from 17 degC
    assert jnp.all(state.coefficient_of_performance <= 0.45 * 290.15 / 15.0)
    np.testing.assert_allclose(state.coefficient_of_performance[0], 0.45 * 290.15 / 15.0, rtol=1e-3)
    assert jnp.all(jnp.diff(state.power) >= 0.0)
    capped = Chiller(jnp.asarray(2.0e6), jnp.asarray(0.45), maximum_performance=6.0)
    assert jnp.all(capped.full_load_performance(jnp.full(50, 293.15), air) <= 6.0)


# energy input over full load's at 100, 75 and 50 % load, from the published coefficients by hand
PUBLISHED = [(AIR_COOLED_SCREW, [1.0, 0.717596, 0.462930]), (WATER_COOLED_CENTRIFUGAL, [1.0, 0.748361, 0.526481])]


@pytest.mark.parametrize(("curve", "expected"), PUBLISHED)
def test_part_load_is_the_published_curve_above_its_best_load(curve, expected):
    chiller = Chiller(jnp.asarray(2.0e6), jnp.asarray(0.45), part_load=curve)
    load = np.array([1.0, 0.75, 0.5])
    power = chiller.power(jnp.asarray(2.0e6 * load), WATER, AIR)
    best = (curve[0] / curve[2]) ** 0.5
    shown = load >= best
    np.testing.assert_allclose((power / power[0])[shown], np.array(expected)[shown], rtol=1e-5)
    # below it fewer machines run: never dearer than all of them
    assert np.all((power / power[0])[~shown] < np.array(expected)[~shown])


@pytest.mark.parametrize("curve", [AIR_COOLED_SCREW, WATER_COOLED_CENTRIFUGAL])
@pytest.mark.parametrize("least", [0.1, 0.25, 0.9])
def test_power_is_convex_and_none_without_load(curve, least):
    chiller = Chiller(jnp.asarray(2.0e6), jnp.asarray(0.45), part_load=curve, least_load=least)
    heat = jnp.linspace(0.0, 2.0e6, 101)
    power = jax.vmap(lambda heat: chiller.operate(heat, WATER, AIR).power)(heat)
    slope = np.diff(power)
    assert power[0] == 0.0
    assert np.all(np.diff(slope) >= -1e-6)
    assert 0.05 < slope[0] / 2.0e4 < 0.5


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
def test_precision_and_batch(dtype):
    chiller = Chiller(jnp.asarray(2.0e6, dtype), jnp.asarray(0.45, dtype))
    sink = jnp.asarray([250.0, 316.15, 326.0, 340.0], dtype)
    heat = jnp.asarray(1.5e6, dtype)
    found = jax.jit(jax.vmap(lambda sink: chiller.operate(heat, jnp.asarray(309.15, dtype), sink)))(sink)
    assert found.power.dtype == dtype
    exact = CHILLER.operate(jnp.full(4, 1.5e6), jnp.full(4, 309.15), jnp.asarray(np.asarray(sink).astype(np.float64)))
    np.testing.assert_allclose(found.power, exact.power, rtol=1e-5)
    np.testing.assert_allclose(found.heat_flow, exact.heat_flow, rtol=1e-5)


@pytest.mark.parametrize("sink", [316.15, 326.15, 250.0])
def test_gradient(sink):
    def power(x):
        return CHILLER.operate(1.8e6 * x[0], WATER * x[1], sink * x[2]).power / 1e5

    check_gradient(power, jnp.ones(3), tolerance=1e-5)


@pytest.mark.parametrize(
    ("field", "number", "words"),
    [
        ("capacity", -1.0, "capacity is -1 W and has to be above 0 W"),
        ("carnot_fraction", 25.0, "carnot_fraction is 25 and has to be above 0 and at most 1"),
        ("least_load", 1.5, "least_load is 1.5"),
        ("condenser_approach", 0.0, "condenser_approach is 0 K"),
    ],
)
def test_numbers_that_no_machine_has_are_refused(field, number, words):
    with pytest.raises(ValueError, match=words):
        dataclasses.replace(CHILLER, **{field: jnp.asarray(number)})
