"""Chips under their own control, against the chip's equation solved by bisection (scipy) in every state."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import brentq

from tests.thermal.checks import check_gradient
from tests.thermal.rack_case import liquid, rack, tray_mass_flow
from voltherm.thermal import DeviceGroup, LeakagePower, OperatingLimits, RackModel, operate, steady, transient_step
from voltherm.thermal.rack_transient import RackThermalState

RESISTANCE = 0.031
CAP, THROTTLE, SHUTDOWN = 1200.0, 360.15, 365.15
STATES = {"free": 290.0, "capped": 318.15, "throttled": 335.0, "idle": 350.5, "off": 356.0}
"""Coolant temperature [K] at which a 1,200 W chip is in each state."""
run = jax.jit(operate)


def law(dtype: type = float) -> LeakagePower:
    """840 W by work, 216 W without it, 144 W leakage at 75 degC."""
    return LeakagePower(*(jnp.asarray(value, dtype) for value in (840.0, 144.0, 348.15, 40.0, 216.0)))


def limits(power: float = CAP, throttle: float = THROTTLE, shutdown: float = SHUTDOWN, dtype: type = float):
    return OperatingLimits(*(jnp.asarray(value, dtype) for value in (power, throttle, shutdown)))


def reference(sink: float, load: float = 1.0) -> tuple[float, float, float]:
    """Temperature, power and work by bisection on the work, with the lowest root of the chip's equation."""

    def settled(work: float) -> float:
        def excess(temperature: float) -> float:
            return (
                sink + RESISTANCE * (216.0 + work * 840.0 + 144.0 * np.exp((temperature - 348.15) / 40.0)) - temperature
            )

        top = sink + 1.0
        while excess(top) > 0.0:
            if top > sink + 150.0:
                return np.inf
            top += 1.0
        return brentq(excess, sink, top, xtol=1e-12)

    def allowed(work: float) -> float:
        temperature = settled(work)
        return min(CAP - (temperature - sink) / RESISTANCE, THROTTLE - temperature)

    work = load if allowed(load) >= 0.0 else (brentq(allowed, 0.0, load, xtol=1e-14) if allowed(0.0) > 0.0 else 0.0)
    temperature = settled(work)
    if temperature > SHUTDOWN:
        return sink, 0.0, 0.0
    return temperature, (temperature - sink) / RESISTANCE, work


@pytest.mark.parametrize("load", [1.0, 0.6])
@pytest.mark.parametrize("sink", STATES.values(), ids=STATES)
def test_every_state_solves_the_chips_equation(sink: float, load: float):
    chip = run(jnp.asarray(sink), jnp.asarray(RESISTANCE), law(), limits(), load)
    temperature, power, work = reference(sink, load)
    assert chip.temperature == pytest.approx(temperature, abs=1e-8)
    assert chip.power == pytest.approx(power, abs=1e-6)
    assert chip.work == pytest.approx(work, abs=1e-9)


def test_states_are_told():
    chips = run(jnp.asarray(list(STATES.values())), jnp.full(5, RESISTANCE), law(), limits())
    assert chips.throttled.tolist() == [False, False, True, True, True]
    assert chips.off.tolist() == [False, False, False, False, True]
    assert not chips.runaway.any()
    assert chips.power[1] == pytest.approx(CAP, rel=1e-15)
    assert chips.temperature[2] == THROTTLE
    assert chips.work[3:].tolist() == [0.0, 0.0]


def test_no_chip_draws_more_than_its_limit_however_it_leaks():
    sinks = jnp.linspace(270.0, 400.0, 400)
    chips = run(sinks, jnp.full(400, RESISTANCE), law(), limits())
    assert jnp.max(chips.power) <= CAP * (1.0 + 1e-14)
    assert jnp.all(jnp.diff(chips.work) <= 1e-14)
    assert jnp.all((chips.work >= 0.0) & (chips.work <= 1.0))


def test_the_unthrottled_temperature_grows_without_end():
    sinks = jnp.linspace(270.0, 400.0, 400)
    chips = run(sinks, jnp.full(400, RESISTANCE), law(), limits())
    slope = jnp.diff(chips.unthrottled_temperature) / jnp.diff(sinks)
    assert jnp.all(slope > 1.0 - 1e-9)
    assert jnp.all(slope < 1.2)


def test_without_limits_it_is_the_free_chip():
    free, none = run(jnp.asarray(318.15), jnp.asarray(RESISTANCE), law()), limits(np.inf, np.inf, np.inf)
    chip = run(jnp.asarray(318.15), jnp.asarray(RESISTANCE), law(), none)
    assert chip.temperature == pytest.approx(float(free.temperature), rel=1e-14)
    assert chip.power == pytest.approx(float(free.power), rel=1e-14)
    assert (chip.work, free.work) == (1.0, 1.0)
    lost = run(jnp.asarray(380.0), jnp.asarray(RESISTANCE), law(), none)
    assert lost.runaway
    assert jnp.isnan(lost.unthrottled_temperature)


def test_a_limit_below_idle_power_is_not_held():
    chip = run(jnp.asarray(318.15), jnp.asarray(RESISTANCE), law(), limits(200.0))
    assert chip.work == 0.0
    assert 200.0 < chip.power < 400.0
    assert chip.temperature == pytest.approx(318.15 + RESISTANCE * float(chip.power), abs=1e-10)


@pytest.mark.parametrize("sink", STATES.values(), ids=STATES)
def test_gradients_are_those_of_the_state(sink: float):
    def outcome(numbers):
        changed = eqx.tree_at(lambda p: p.leakage_power, law(), 144.0 * numbers[2])
        chip = operate(sink + numbers[0], RESISTANCE * numbers[1], changed, limits())
        return chip.temperature + 0.1 * chip.power + 10.0 * chip.work + chip.unthrottled_temperature

    check_gradient(outcome, jnp.asarray([0.0, 1.0, 1.0]))


def test_single_precision():
    sinks = jnp.asarray(list(STATES.values()))
    chips = run(
        sinks.astype(jnp.float32), jnp.full(5, RESISTANCE, jnp.float32), law(jnp.float32), limits(dtype=jnp.float32)
    )
    exact = run(sinks, jnp.full(5, RESISTANCE), law(), limits())
    assert chips.temperature.dtype == jnp.float32
    assert jnp.max(jnp.abs(chips.temperature - exact.temperature.astype(jnp.float32))) < 2e-3
    assert jnp.max(jnp.abs(chips.work - exact.work.astype(jnp.float32))) < 1e-4


def limited(model: RackModel) -> RackModel:
    """Every chip held to its nameplate and to its junction limit, off 5 K above it."""

    def controlled(group: DeviceGroup) -> DeviceGroup:
        nameplate = group.power.dynamic_power + group.power.leakage_power
        limits = OperatingLimits(nameplate, group.junction_limit, group.junction_limit + 5.0)
        return dataclasses.replace(group, limits=limits)

    trays = tuple(
        dataclasses.replace(tray, devices=tuple(controlled(group) for group in tray.devices)) for tray in model.trays
    )
    return dataclasses.replace(model, trays=trays)


def test_a_rack_holds_its_nameplate_and_balances():
    model = limited(rack(2, 1))
    flow = tray_mass_flow(model)
    solution = jax.jit(steady)(model, jnp.asarray(325.15), flow, liquid())
    assert solution.status.converged
    warm = solution.value
    assert jnp.max(warm.device_power["gpu"]) <= 1200.0 * (1.0 + 1e-14)
    assert jnp.max(warm.junction_temperature["gpu"]) <= 360.15 + 1e-9
    assert warm.minimum_margin < 0.0
    assert jnp.all(warm.work["gpu"] < 1.0)
    assert warm.electrical_power == pytest.approx(float(warm.liquid_heat + warm.air_heat), rel=1e-15)


def test_chips_in_coolant_at_rest_switch_off():
    model = limited(rack(3, 1))
    solution = jax.jit(steady)(model, jnp.asarray(313.15), tray_mass_flow(model).at[1].set(0.0), liquid())
    assert solution.status.converged
    state = solution.value
    assert state.off["gpu"].all(axis=1).tolist() == [False, True, False]
    assert state.heat_to_liquid[1] == 0.0


def test_a_rack_without_pump_throttles_and_then_switches_off():
    model = limited(rack(2, 1))
    flow = tray_mass_flow(model)
    start = RackThermalState(
        {
            name: jnp.full((count, devices), 340.0)
            for name, count, devices in (("gpu", 2, 4), ("cpu", 2, 2), ("switch", 1, 2))
        }
    )

    @jax.jit
    def march(state):
        def one(state, _):
            return transient_step(model, state, jnp.asarray(313.15), jnp.zeros_like(flow), liquid(), 1.0)

        return jax.lax.scan(one, state, None, length=60)[1]

    solutions = march(start)
    results = solutions.value
    residual = results.electrical_power - results.liquid_heat - results.air_heat - results.stored_power
    assert jnp.max(jnp.abs(residual)) < 1e-8
    assert jnp.all(solutions.status.converged)
    assert results.work["gpu"][0, 0, 0] < 1.0
    assert results.electrical_power[-1] == pytest.approx(17.0e3, rel=1e-9)
    assert jnp.max(results.junction_temperature["gpu"]) < 368.0
