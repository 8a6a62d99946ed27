import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.coolant.cases import check_gradient
from voltherm.coolant import DelayLine


def line(parcels: int = 40, wall: float = 50.0, mass: float = 100.0) -> DelayLine:
    return DelayLine.filled(
        jnp.asarray(mass),
        jnp.asarray(300.0),
        parcels=parcels,
        wall_conductance=jnp.asarray(wall),
        heat_capacity=jnp.asarray(4180.0),
        ambient_temperature=jnp.asarray(285.0),
    )


@jax.jit
def run(start: DelayLine, temperatures, flows, durations):
    def advance(at, given):
        after, outlet = at.step(*given)
        return after, (outlet, after.mean_temperature(), after.position[-1])

    return jax.lax.scan(advance, start, (temperatures, flows, durations))


def _history(steps: int, stop_share: float):
    rng = np.random.default_rng(0)
    flows = np.where(rng.random(steps) < stop_share, 0.0, 4.0 * rng.random(steps))
    return jnp.asarray(300.0 + 20.0 * rng.random(steps)), jnp.asarray(flows), jnp.full(steps, 5.0)


def test_front_arrives_sharp_after_the_delay():
    steps = 60
    _, (outlet, _, _) = run(line(wall=0.0), jnp.full(steps, 320.0), jnp.full(steps, 2.0), jnp.ones(steps))
    np.testing.assert_allclose(outlet[:50], 300.0, rtol=1e-13)
    np.testing.assert_allclose(outlet[50:], 320.0, rtol=1e-13)


def test_wall_loss_is_the_exponential_of_the_delay():
    steps = 60
    _, (outlet, _, _) = run(line(), jnp.full(steps, 320.0), jnp.full(steps, 2.0), jnp.ones(steps))
    decay = np.exp(-50.0 / (100.0 * 4180.0) * 50.0)
    np.testing.assert_allclose(outlet[-1], 285.0 + 35.0 * decay, rtol=1e-13)


@pytest.mark.parametrize("parcels", [8, 40])
def test_heat_is_kept_with_any_flows_and_any_number_of_parcels(parcels):
    temperatures, flows, durations = _history(120, 0.2)
    start = line(parcels=parcels, wall=0.0)
    _, (outlet, mean, last) = run(start, temperatures, flows, durations)
    before = jnp.concatenate([start.mean_temperature()[None], mean[:-1]])
    np.testing.assert_allclose(flows * durations * (temperatures - outlet), 100.0 * (mean - before), atol=1e-9)
    assert jnp.all(last >= 100.0)


def test_outlet_is_known_before_what_enters():
    pipe, _ = run(line(), *_history(12, 0.2))
    for flow in (0.0, 3.0, 19.0):
        asked = pipe.outlet(jnp.asarray(flow), jnp.asarray(5.0))
        _, left = pipe.step(jnp.asarray(390.0), jnp.asarray(flow), jnp.asarray(5.0))
        np.testing.assert_allclose(asked, left, rtol=1e-13)


def test_loss_stays_between_ambient_and_inlet():
    temperatures, flows, durations = _history(120, 0.2)
    _, (outlet, mean, _) = run(line(wall=500.0), temperatures, flows, durations)
    assert jnp.all((outlet > 285.0) & (outlet < 320.0))
    assert jnp.all((mean > 285.0) & (mean < 320.0))


def test_standing_liquid_cools_alone():
    steps = 30
    _, (_, mean, _) = run(line(), jnp.full(steps, 320.0), jnp.zeros(steps), jnp.full(steps, 60.0))
    expected = 285.0 + 15.0 * np.exp(-50.0 / (100.0 * 4180.0) * 60.0 * np.arange(1, steps + 1))
    np.testing.assert_allclose(mean, expected, rtol=1e-12)


def test_many_pipes_and_gradient():
    temperatures, flows, durations = _history(30, 0.0)

    def last(x):
        start = DelayLine.filled(
            jnp.asarray(20.0),
            300.0 * x[0],
            parcels=20,
            wall_conductance=500.0 * x[1],
            heat_capacity=jnp.asarray(4180.0),
            ambient_temperature=285.0 * x[2],
        )
        return run(start, temperatures * x[3], flows, durations)[1][0][-1]

    check_gradient(last, jnp.ones(4), tolerance=1e-5)
    both = jax.vmap(last)(jnp.stack([jnp.ones(4), jnp.asarray([1.0, 2.0, 1.0, 1.0])]))
    assert both[1] < both[0]
