import jax
import jax.numpy as jnp
import pytest

from tests.thermal.rack_case import liquid, rack, tray_mass_flow
from voltherm.numerics import ResultCode
from voltherm.thermal import steady, steady_thermal_state, transient_step
from voltherm.thermal.rack_transient import phi_functions

SUPPLY = jnp.asarray(313.15)
MODEL = rack(2, 1)
FLOW = tray_mass_flow(MODEL)
step = jax.jit(transient_step)
settled = jax.jit(steady_thermal_state)
run = jax.jit(steady)


def test_phi_functions():
    z = jnp.asarray([-50.0, -1.0, -0.1001, -0.0999, -1e-9, 0.0, 0.05, 2.0])
    one, two = phi_functions(z)
    assert one[5] == 1.0
    assert two[5] == 0.5
    assert jnp.max(jnp.abs(one * z - jnp.expm1(z))) < 1e-14
    assert jnp.max(jnp.abs(two * z - (one - 1.0))) < 2e-15


def test_steady_state_is_a_fixed_point():
    start = settled(MODEL, SUPPLY, FLOW, liquid())
    after, solution = step(MODEL, start, SUPPLY, FLOW, liquid(), 15.0)
    for kind, temperature in start.plate_temperature.items():
        assert jnp.max(jnp.abs(after.plate_temperature[kind] - temperature)) < 1e-10
    settled_margin = float(run(MODEL, SUPPLY, FLOW, liquid()).value.minimum_margin)
    assert solution.value.minimum_margin == pytest.approx(settled_margin, abs=1e-9)


def test_approaches_the_new_steady_state_and_balances_on_the_way():
    start = settled(MODEL, SUPPLY, FLOW, liquid())

    def march(state, _):
        return transient_step(MODEL, state, SUPPLY + 5.0, FLOW, liquid(), 2.0)

    results = jax.lax.scan(march, start, None, length=120)[1].value
    residual = results.electrical_power - results.liquid_heat - results.air_heat - results.stored_power
    assert jnp.max(jnp.abs(residual)) < 1e-8
    assert results.minimum_margin[-1] == pytest.approx(
        float(run(MODEL, SUPPLY + 5.0, FLOW, liquid()).value.minimum_margin), abs=1e-6
    )
    assert jnp.all(jnp.diff(results.minimum_margin[:50]) < 0.0)


def test_error_falls_with_the_square_of_the_step():
    start = settled(MODEL, SUPPLY, FLOW, liquid())

    def after(count: int):
        def march(state, _):
            return transient_step(MODEL, state, SUPPLY + 20.0, 0.7 * FLOW, liquid(), 16.0 / count)

        state, _ = jax.lax.scan(march, start, None, length=count)
        return state.plate_temperature["gpu"][0, 0]

    exact = after(256)
    coarse, fine = abs(after(4) - exact), abs(after(8) - exact)
    assert 3.0 < coarse / fine < 5.0


def test_pump_lost():
    start = settled(MODEL, SUPPLY, FLOW, liquid())

    def march(state, _):
        return transient_step(MODEL, state, SUPPLY, jnp.zeros_like(FLOW), liquid(), 1.0)

    _, solutions = jax.lax.scan(march, start, None, length=30)
    results = solutions.value
    assert results.liquid_heat[0] == 0.0
    assert results.outlet_temperature[0] == pytest.approx(313.15, abs=1e-10)
    # 1,200 W on 300 J/K: the junction gains about 4 K a second until it runs away
    assert results.minimum_margin[0] - results.minimum_margin[1] == pytest.approx(4.0, abs=1.0)
    assert solutions.status.converged[0]
    assert solutions.status.result[-1] == ResultCode.LIMIT
    assert jnp.isnan(results.minimum_margin[-1])


def test_gradient_through_time():
    start = settled(MODEL, SUPPLY, FLOW, liquid())

    def last_margin(supply):
        def march(state, _):
            return transient_step(MODEL, state, supply, FLOW, liquid(), 5.0)

        return jax.lax.scan(march, start, None, length=4)[1].value.minimum_margin[-1]

    slope = jax.jit(jax.grad(last_margin))(SUPPLY + 3.0)
    last = jax.jit(last_margin)
    difference = (last(SUPPLY + 3.001) - last(SUPPLY + 2.999)) / 0.002
    assert slope == pytest.approx(float(difference), rel=1e-7)
