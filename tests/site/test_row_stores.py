"""The two volumes of a row's loop: at rest, without flow, heat conserved, and against an independent integration."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from voltherm.site.equipment import build_equipment
from voltherm.site.fluids import liquid_named
from voltherm.site.row_stores import RowLoop, plate_heat_capacity, row_heat_capacity, side_mass

MASS, FLOW, PUMP, EXCHANGE, HEAT, CAPACITY = 800.0, 32.0, 16e3, 1.2e5, 1.3e6, 3900.0
COLD = 309.0


def loop(flow=FLOW, per_kelvin=EXCHANGE, dtype=jnp.float64):
    one = jnp.ones(1, dtype)
    return RowLoop(
        mass=jnp.asarray(MASS, dtype),
        mass_flow=flow * one,
        pump_power=PUMP * one,
        per_kelvin=per_kelvin * one,
        hot_temperature=323.0 * one,
        return_enthalpy=CAPACITY * 50.0 * one,
        heat_capacity=CAPACITY * one,
    )


def run(of, supply, back, duration, steps, dtype=jnp.float64):
    first, second = (jnp.full(1, value, dtype) for value in (supply, back))
    given = 0.0
    length = jnp.asarray(duration / steps, dtype)
    for _ in range(steps):
        first, second, heat = of.step(first, second, jnp.full(1, HEAT, dtype), jnp.asarray(COLD, dtype), length)
        given += float(heat[0]) * duration / steps
    return float(first[0]), float(second[0]), given


def independent(flow, per_kelvin, supply, back, duration):
    def rates(_, state):
        hot = 323.0 + (state[1] - CAPACITY * 50.0) / CAPACITY
        around = flow * (state[1] - state[0])
        return [(around + PUMP - per_kelvin * (hot - COLD)) / MASS, (HEAT - around) / MASS]

    return solve_ivp(rates, (0.0, duration), [supply, back], rtol=1e-11, atol=1e-6).y[:, -1]


@pytest.mark.parametrize(("flow", "per_kelvin"), [(FLOW, EXCHANGE), (FLOW, 0.0), (0.0, 0.0), (1.0, 3e3)])
def test_second_order_against_an_independent_integration(flow, per_kelvin):
    exact = independent(flow, per_kelvin, CAPACITY * 40.0, CAPACITY * 50.0, 40.0)
    errors = [
        np.max(np.abs(np.array(run(loop(flow, per_kelvin), CAPACITY * 40.0, CAPACITY * 50.0, 40.0, steps)[:2]) - exact))
        for steps in (8, 16, 32)
    ]
    assert errors[-1] < 1e-3 * CAPACITY * 10.0
    assert errors[0] < 1e-6 * CAPACITY or 3.0 < errors[1] / errors[2] < 5.5


@pytest.mark.parametrize(("flow", "per_kelvin"), [(FLOW, EXCHANGE), (FLOW, 0.0), (0.0, 0.0), (0.0, 1e-9)])
@pytest.mark.parametrize("steps", [1, 40])
def test_heat_is_conserved_at_any_flow_and_step(flow, per_kelvin, steps):
    first, second, given = run(loop(flow, per_kelvin), CAPACITY * 40.0, CAPACITY * 50.0, 600.0, steps)
    stored = MASS * (first + second - CAPACITY * 90.0)
    assert stored + given == pytest.approx(600.0 * (HEAT + PUMP), rel=1e-11)
    assert np.isfinite(first)


def test_a_steady_row_stands_still_at_any_step():
    per_kelvin = (HEAT + PUMP) / (323.0 - COLD)
    supply, back = CAPACITY * 50.0 - HEAT / FLOW, CAPACITY * 50.0
    first, second, given = run(loop(per_kelvin=per_kelvin), supply, back, 1e4, 3)
    assert (first, second) == (pytest.approx(supply, rel=1e-12), pytest.approx(back, rel=1e-12))
    assert given == pytest.approx(1e4 * (HEAT + PUMP), rel=1e-10)


def test_without_an_exchanger_the_supply_warms_towards_the_return_first_and_with_it_then():
    capacity = 2.0 * MASS * CAPACITY
    supply, back = CAPACITY * 40.0, CAPACITY * 40.0 + HEAT / FLOW
    warmed = [(run(loop(per_kelvin=0.0), supply, back, at, 200)[0] - supply) / CAPACITY for at in (1.0, 200.0, 201.0)]
    # at once by all the heat that flows around, and the pump's; later by the mean of the whole row
    assert warmed[0] == pytest.approx((HEAT + PUMP) / (MASS * CAPACITY), rel=0.03)
    assert warmed[2] - warmed[1] == pytest.approx((HEAT + PUMP) / capacity, rel=1e-3)


def test_single_precision_is_within_its_digits():
    double = run(loop(), CAPACITY * 40.0, CAPACITY * 50.0, 60.0, 6)
    single = run(loop(dtype=jnp.float32), CAPACITY * 40.0, CAPACITY * 50.0, 60.0, 6, jnp.float32)
    assert single == pytest.approx(double, rel=2e-5)


def test_heat_capacity_of_a_row_counts_coolant_and_metal(site):
    coolant = liquid_named(site.secondary.fluid)
    litres = 40.0 + 1e3 * 2 * 2 * 1.2 * np.pi / 4 * 0.07**2 + 2 * 35.0
    rate = float(coolant.density(313.15) * coolant.heat_capacity(313.15))
    assert row_heat_capacity(site, coolant) == pytest.approx(1e-3 * litres * rate + 2 * 250e3, rel=1e-12)


def test_plates_and_both_sides_are_the_whole_row(site):
    equipment = build_equipment(site)
    plates = 72 * 400.0 + 36 * 400.0 + 18 * 400.0
    assert plate_heat_capacity(site) == pytest.approx(plates, rel=1e-12)
    sides = (
        2.0 * side_mass(site, equipment.coolant) * equipment.coolant.heat_capacity(site.secondary.supply_temperature)
    )
    assert float(sides) + 2 * plates == pytest.approx(float(row_heat_capacity(site, equipment.coolant)), rel=1e-12)
