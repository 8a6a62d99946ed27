"""Stores of heat against their exact solutions: fronts in pipes, the mixed tank, enthalpy kept."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from voltherm.site.fluids import liquid_named
from voltherm.site.stores import Pipe, mixed, row_heat_capacity

STEP, FLOW, CONTENT, COLD, HOT = 10.0, 5.0, 620.0, 1e5, 2e5


def _pushed(inlet: np.ndarray, flows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Outlet and stored enthalpy of every step of a pipe filled cold."""

    def step(pipe, now):
        flow, entering = now
        out = pipe.outlet(flow, STEP)
        after = pipe.pushed(flow, entering, STEP)
        return after, (out, after.stored())

    pipe = Pipe.filled(jnp.asarray(CONTENT), jnp.asarray(FLOW), jnp.asarray(COLD), STEP, 40)
    _, (out, stored) = jax.jit(lambda start, inputs: jax.lax.scan(step, start, inputs))(
        pipe, (jnp.asarray(flows), jnp.asarray(inlet))
    )
    return np.asarray(out), np.asarray(stored)


def test_a_pipe_at_rest_holds_its_content():
    pipe = Pipe.filled(jnp.asarray(CONTENT), jnp.asarray(FLOW), jnp.asarray(COLD), STEP, 40)
    assert pipe.stored() == pytest.approx(CONTENT * COLD, rel=1e-14)
    assert pipe.outlet(jnp.asarray(FLOW), STEP) == pytest.approx(COLD, rel=1e-12)


def test_a_front_leaves_exactly_one_content_later():
    out, _ = _pushed(np.full(30, HOT), np.full(30, FLOW))
    entered = FLOW * STEP * np.arange(30)
    # of what leaves in a step, the part that had entered after the start is hot
    hot_share = np.clip((entered + FLOW * STEP - CONTENT) / (FLOW * STEP), 0.0, 1.0)
    assert out == pytest.approx(COLD + (HOT - COLD) * hot_share, rel=1e-12)


def test_enthalpy_is_kept_under_any_flow():
    generator = np.random.default_rng(5)
    inlet, flows = generator.uniform(COLD, HOT, 60), generator.uniform(2.0, 9.0, 60)
    out, stored = _pushed(inlet, flows)
    before = np.concatenate([[CONTENT * COLD], stored[:-1]])
    assert stored - before == pytest.approx(flows * STEP * (inlet - out), abs=1e-9 * CONTENT * COLD)
    assert np.all((out >= COLD * (1.0 - 1e-12)) & (out <= HOT))


def test_mixed_tank_follows_its_exponential_and_keeps_enthalpy():
    content = jnp.asarray(4e3)
    after, mean = mixed(content, jnp.asarray(COLD), jnp.asarray(FLOW), jnp.asarray(HOT), STEP)
    exact = HOT + (COLD - HOT) * np.exp(-FLOW * STEP / 4e3)
    assert after == pytest.approx(exact, rel=1e-14)
    assert content * (after - COLD) == pytest.approx(float(FLOW * STEP * (HOT - mean)), rel=1e-10)
    # two halves of a step are the step
    half, _ = mixed(content, jnp.asarray(COLD), jnp.asarray(FLOW), jnp.asarray(HOT), 0.5 * STEP)
    again, _ = mixed(content, half, jnp.asarray(FLOW), jnp.asarray(HOT), 0.5 * STEP)
    assert again == pytest.approx(float(after), rel=1e-13)


def test_heat_capacity_of_a_row_counts_coolant_and_metal(site):
    coolant = liquid_named(site.secondary.fluid)
    litres = 40.0 + 1e3 * 2 * 2 * 1.2 * np.pi / 4 * 0.07**2 + 2 * 35.0
    rate = float(coolant.density(313.15) * coolant.heat_capacity(313.15))
    assert row_heat_capacity(site, coolant) == pytest.approx(1e-3 * litres * rate + 2 * 250e3, rel=1e-12)
