import jax
import jax.numpy as jnp
import numpy as np
import pytest

from voltherm.numerics import ResultCode
from voltherm.study.chunks import ChunkPlan, Evaluator

POINTS = np.random.default_rng(0).uniform(0.1, 2.0, (37, 2))


def iterated(values, arguments):
    """A design whose loop takes its own number of steps, like a solve; designs with values[0] > 1.9 fail."""

    def step(carry):
        return carry[0] + 1, jnp.sqrt(carry[1] + jnp.exp(-carry[1]) * arguments["power"])

    steps = (values[1] * 10).astype(jnp.int32)
    _, root = jax.lax.while_loop(lambda carry: carry[0] < steps, step, (0, values[0]))
    code = jnp.where(values[0] > 1.9, ResultCode.MAXIMUM_ITERATIONS.value, ResultCode.CONVERGED.value)
    return {"root": root, "inverse": jnp.sin(root) / root}, code


ARGUMENTS = {"power": jnp.asarray(0.7), "name": "not an array"}


def everything(evaluator, plan):
    together, parts = len(evaluator.devices), []
    for first in range(0, plan.count, together):
        parts += evaluator([plan.padded(n, POINTS) for n in range(first, min(first + together, plan.count))])
    return {name: np.concatenate([part[name] for part in parts])[: plan.designs] for name in parts[0]}


def test_plan_covers_every_design_once():
    plan = ChunkPlan(37, 8)
    assert plan.count == 5
    assert [n for chunk in range(plan.count) for n in range(37)[plan.rows(chunk)]] == list(range(37))
    last = plan.padded(4, POINTS)
    assert last.shape == (8, 2)
    np.testing.assert_array_equal(last[5:], np.repeat(POINTS[36:], 3, axis=0))
    with pytest.raises(ValueError, match="at least one"):
        ChunkPlan(0, 8)


def test_same_bits_on_one_device_and_on_two():
    plan = ChunkPlan(len(POINTS), 8)
    assert len(jax.local_devices()) == 2
    both = everything(Evaluator(iterated, ARGUMENTS, lanes=8), plan)
    one = everything(Evaluator(iterated, ARGUMENTS, lanes=8, devices=jax.local_devices()[:1]), plan)
    for name in both:
        np.testing.assert_array_equal(both[name], one[name])
    direct = [iterated(jnp.asarray(point), ARGUMENTS)[0]["root"] for point in POINTS[:4]]
    np.testing.assert_allclose(both["root"][:4], np.where(POINTS[:4, 0] > 1.9, np.nan, direct), rtol=1e-14)


def test_failed_designs_are_nan_with_their_code_and_leave_neighbours_alone():
    columns = everything(Evaluator(iterated, ARGUMENTS, lanes=8), ChunkPlan(len(POINTS), 8))
    failed = POINTS[:, 0] > 1.9
    assert failed.any()
    np.testing.assert_array_equal(columns["result"], np.where(failed, ResultCode.MAXIMUM_ITERATIONS, 0))
    for name in ("root", "inverse"):
        np.testing.assert_array_equal(np.isnan(columns[name]), failed)


def test_an_output_that_is_not_finite_fails_its_design():
    def function(values, arguments):
        return {"logarithm": jnp.log(values[0]), "same": values[0]}, jnp.asarray(0)

    columns = Evaluator(function, None, lanes=2, devices=jax.local_devices()[:1])([np.array([[-1.0], [1.0]])])[0]
    np.testing.assert_array_equal(columns["result"], [ResultCode.NOT_FINITE, ResultCode.CONVERGED])
    np.testing.assert_array_equal(columns["same"], [np.nan, 1.0])


def test_one_compilation_for_every_chunk():
    traces = []

    def counted(values, arguments):
        traces.append(None)
        return {"sum": jnp.sum(values)}, jnp.asarray(0)

    everything(Evaluator(counted, None, lanes=4), ChunkPlan(len(POINTS), 4))
    assert len(traces) == 1


def test_out_of_memory_halves_the_lanes_and_says_so(monkeypatch):
    notices = []
    evaluator = Evaluator(iterated, ARGUMENTS, lanes=9, notice=notices.append)
    compiled = evaluator._compiled

    def small_device(values, arguments):
        if values.shape[0] > 2 * 3:
            raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: out of memory")
        return compiled(values, arguments)

    monkeypatch.setattr(evaluator, "_compiled", small_device)
    plan = ChunkPlan(len(POINTS), 9)
    columns = everything(evaluator, plan)
    assert evaluator.lanes == 3
    assert notices == [f"out of memory: from here on {lanes} designs at a time on a device" for lanes in (5, 3)]
    whole = everything(Evaluator(iterated, ARGUMENTS, lanes=9), plan)
    for name in columns:
        np.testing.assert_allclose(columns[name], whole[name], rtol=1e-14)


def test_other_errors_pass_through(monkeypatch):
    evaluator = Evaluator(iterated, ARGUMENTS, lanes=2)

    def broken(values, arguments):
        raise jax.errors.JaxRuntimeError("INTERNAL: lost device")

    monkeypatch.setattr(evaluator, "_compiled", broken)
    with pytest.raises(jax.errors.JaxRuntimeError, match="lost device"):
        evaluator([POINTS[:2]])
