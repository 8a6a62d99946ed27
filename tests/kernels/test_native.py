"""The native implementation against `xla`, and what the test class of all implementations does not ask."""

import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings, strategies
from jax.sharding import Mesh, PartitionSpec
from voltherm_kernels import analyse, factor, native, solve, solve_factored, xla

from tests.kernels.patterns import analysed, chain, random_graph, regular_values

pytestmark = pytest.mark.skipif(bool(native.why_not()), reason=native.why_not() or "built")


def _operands(schedule, lanes: int, sides: int, seed: int, dtype: type = np.float64):
    values = np.stack([regular_values(schedule, seed + lane, dtype) for lane in range(lanes)], axis=-1)
    side = np.random.default_rng(seed).normal(size=(schedule.size, schedule.block_size, lanes, sides)).astype(dtype)
    return jnp.asarray(values), jnp.asarray(side)


def _compare(schedule, lanes: int, sides: int, seed: int, dtype: type = np.float64, wanted: str | None = None) -> None:
    """All four operations, relative to the largest number of each result."""
    values, side = _operands(schedule, lanes, sides, seed, dtype)
    blocks = xla.factor(schedule, values)

    def near(found: jax.Array, expected: jax.Array) -> None:
        assert found.dtype == expected.dtype
        scale = float(np.max(np.abs(expected), initial=1.0))
        np.testing.assert_allclose(found, expected, rtol=0, atol=100 * np.finfo(dtype).eps * scale)

    near(native.factor(schedule, values, wanted=wanted), blocks)
    near(native.outer(schedule, side, side, wanted=wanted), xla.outer(schedule, side, side))
    for transpose in (False, True):
        options = {"transpose": transpose}
        expected = xla.substitute(schedule, values, blocks, side, **options)
        near(native.substitute(schedule, values, blocks, side, **options, wanted=wanted), expected)
        near(
            native.multiply(schedule, values, side, **options, wanted=wanted),
            xla.multiply(schedule, values, side, **options),
        )


@settings(max_examples=8, deadline=None)
@given(
    size=strategies.integers(1, 25),
    edges=strategies.integers(0, 60),
    block_size=strategies.sampled_from([1, 2, 3, 4, 6]),
    lanes=strategies.sampled_from([1, 2, 8, 11]),
    sides=strategies.sampled_from([1, 2, 9]),
    slack=strategies.sampled_from([None, 0, 2]),
    seed=strategies.integers(0, 999),
)
def test_any_pattern_gives_what_xla_gives(
    size: int, edges: int, block_size: int, lanes: int, sides: int, slack: int | None, seed: int
):
    schedule = analyse(*random_graph(size, edges, seed), size, block_size, slack=slack)
    _compare(schedule, lanes, sides, seed)


@pytest.mark.parametrize("wanted", native.INSTRUCTIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_instruction_set(wanted: str, dtype: type):
    for block_size in (1, 2, 6):
        _compare(analysed(9, block_size, 1), lanes=19, sides=1, seed=2, dtype=dtype, wanted=wanted)
    _compare(analysed(9, 2, 1), lanes=1, sides=21, seed=3, dtype=dtype, wanted=wanted)


def test_threads_give_the_bits_of_one():
    schedule = analysed(60, 2, seed=3)
    values, side = _operands(schedule, 400, 1, 4)
    many = native.factor(schedule, values)
    few = jnp.concatenate([native.factor(schedule, values[..., at : at + 8]) for at in range(0, 400, 8)], axis=-1)
    np.testing.assert_array_equal(many, few)
    found = native.substitute(schedule, values, many, side, transpose=False)
    np.testing.assert_allclose(xla.multiply(schedule, values, found, transpose=False), side, rtol=0, atol=1e-12)


def test_no_lanes_and_no_sides():
    schedule = analysed(5, 2, seed=5)
    values, side = _operands(schedule, 3, 1, 6)
    assert native.factor(schedule, values[..., :0]).shape == (schedule.slots, 2, 2, 0)
    empty = native.substitute(schedule, values, native.factor(schedule, values), side[..., :0], transpose=False)
    assert empty.shape == (5, 2, 3, 0)
    np.testing.assert_array_equal(native.outer(schedule, side[..., :0], side[..., :0]), 0.0)


@pytest.mark.parametrize("block_size", [1, 2, 3, 6])
@pytest.mark.parametrize("spoiled", [0.0, np.nan, np.inf])
def test_broken_lanes_leave_the_bits_of_others(block_size: int, spoiled: float):
    schedule = analysed(8, block_size, seed=7)
    values, side = _operands(schedule, 11, 1, 8)
    broken = values.at[..., 3].set(spoiled).at[..., 9].set(spoiled)
    others = np.array([lane for lane in range(11) if lane not in (3, 9)])

    def both(values: jax.Array) -> tuple[np.ndarray, np.ndarray]:
        blocks = native.factor(schedule, values)
        return np.asarray(blocks), np.asarray(native.substitute(schedule, values, blocks, side, transpose=False))

    for before, after, lane_axis in zip(both(values), both(broken), (3, 2), strict=True):
        kept, found = (np.moveaxis(each, lane_axis, 0)[others] for each in (before, after))
        np.testing.assert_array_equal(found.view(np.uint64), kept.view(np.uint64))
    assert np.all(np.isnan(both(broken)[1][:, :, [3, 9]]))


def test_inside_loops():
    schedule = analysed(6, 1, seed=9)
    values, side = jnp.asarray(regular_values(schedule, 1)), jnp.ones((6, 1))

    def scanned(values: jax.Array) -> jax.Array:
        def step(x: jax.Array, _: None) -> tuple[jax.Array, jax.Array]:
            x = solve(schedule, values, x, implementation="native")
            return x, jnp.sum(x)

        return jnp.sum(jax.lax.scan(step, side, None, length=3)[1])

    def looped(values: jax.Array) -> jax.Array:
        return jax.lax.while_loop(
            lambda state: state[0] < 3,
            lambda state: (state[0] + 1, solve(schedule, values, state[1], implementation="native")),
            (0, side),
        )[1]

    expected, x = 0.0, side
    for _ in range(3):
        x = solve(schedule, values, x, implementation="xla")
        expected += float(jnp.sum(x))
    np.testing.assert_allclose(jax.jit(scanned)(values), expected, rtol=1e-14)
    np.testing.assert_allclose(jax.jit(jax.vmap(looped))(jnp.stack([values, values]))[1], x, rtol=1e-14)
    assert np.all(np.isfinite(jax.jit(jax.grad(scanned))(values)))


def test_on_two_devices_at_once():
    schedule = analysed(6, 2, seed=10)
    values, side = _operands(schedule, 6, 1, 11)
    values, side = jnp.moveaxis(values, -1, 0), jnp.moveaxis(side[..., 0], -1, 0)
    lanes = PartitionSpec("lane")
    mesh = Mesh(np.array(jax.devices()[:2]), ("lane",))
    mapped = jax.vmap(lambda v, r: solve(schedule, v, r))
    split = jax.jit(jax.shard_map(mapped, mesh=mesh, in_specs=(lanes, lanes), out_specs=lanes, check_vma=False))
    assert "voltherm_factor" in split.lower(values, side).as_text()
    np.testing.assert_array_equal(split(values, side), jax.jit(mapped)(values, side))


def test_call_of_native_code_is_in_the_program():
    schedule = analysed(5, 1, seed=12)
    factors = jax.jit(lambda v: factor(schedule, v))
    text = factors.lower(jnp.ones((schedule.entries, 1, 1))).as_text()
    assert "voltherm_factor" in text
    sides = jax.jit(jax.vmap(lambda v, r: solve_factored(schedule, factor(schedule, v, "xla"), r, False, "xla")))
    assert "voltherm_" not in sides.lower(jnp.ones((2, schedule.entries, 1, 1)), jnp.ones((2, 5))).as_text()


_FRESH = """
import os
os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[0]})
import jax, numpy as np
from voltherm_kernels import analyse, native, solve
assert not jax.config.jax_enable_x64
assert native.processors() == 1, native.processors()
schedule = analyse([0, 0, 1, 1], [0, 1, 0, 1], 2)
x = jax.jit(jax.vmap(lambda v: solve(schedule, v, np.array([3.0, 3.0], np.float32), implementation="native")))(
    np.tile(np.array([2.0, 1.0, 1.0, 2.0], np.float32), (1000, 1)))
assert x.dtype == np.float32 and np.allclose(x, 1.0)
"""


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system has no processor affinity")
def test_processor_affinity_and_single_precision_process():
    done = subprocess.run([sys.executable, "-c", _FRESH], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_operands_that_do_not_fit_are_refused():
    schedule, other = analyse(*chain(4), 4), analyse(*chain(5), 5)
    values, _ = _operands(schedule, 2, 1, 13)
    with pytest.raises(jax.errors.JaxRuntimeError, match="do not fit together"):
        jax.block_until_ready(native.factor(other, values))
