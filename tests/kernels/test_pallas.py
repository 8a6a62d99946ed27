"""What the test class of all implementations does not ask of the Pallas kernels: tiles, masks, memory, CUDA.

The kernels are interpreted here and lowered for CUDA; no GPU is needed, and none is used.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from voltherm_kernels import analyse, factor, multiply, pallas, solve, solve_factored, xla
from voltherm_kernels.pallas import calls, tables

from tests.kernels.exported import named_gpu, triton_calls, triton_code_sizes
from tests.kernels.patterns import analysed, chain, regular_values


def _operands(schedule, lanes: int, sides: int, dtype: type = np.float64):
    values = np.stack([regular_values(schedule, lane, dtype) for lane in range(lanes)], axis=-1)
    side = np.random.default_rng(0).normal(size=(schedule.size, schedule.block_size, lanes, sides)).astype(dtype)
    return jnp.asarray(values), jnp.asarray(side)


def _near(found: jax.Array, expected: jax.Array) -> None:
    assert found.dtype == expected.dtype
    scale = float(np.max(np.abs(expected), initial=1.0))
    np.testing.assert_allclose(found, expected, rtol=0, atol=50 * np.finfo(expected.dtype).eps * scale)


@pytest.mark.parametrize(("lanes", "width", "programs"), [(5, 2, 2), (3, 8, 1)])
def test_lanes_that_do_not_fill_their_tiles(lanes: int, width: int, programs: int):
    schedule = analysed(5, 1, seed=1)
    values, side = _operands(schedule, lanes, 1)
    blocks = xla.factor(schedule, values)
    _near(jax.jit(lambda v: calls.factor(schedule, v, interpret=True, width=width))(values), blocks)
    expected = xla.substitute(schedule, values, blocks, side, transpose=False)
    options = {"transpose": False, "interpret": True, "width": width}
    _near(jax.jit(lambda b, r: calls.substitute_factors(schedule, b, r, **options))(blocks, side), expected)
    found = jax.jit(lambda v, r: calls.factor_and_solve(schedule, v, r, **options, programs=programs))
    _near(found(values, side), expected)


@pytest.mark.parametrize(("lanes", "sides", "transpose"), [(1, 7, True), (3, 2, False)])
def test_right_hand_sides_share_the_factors_of_their_lane(lanes: int, sides: int, transpose: bool):
    schedule = analysed(6, 2, seed=2)
    values, side = _operands(schedule, lanes, sides)
    blocks = xla.factor(schedule, values)
    expected = xla.substitute(schedule, values, blocks, side, transpose=transpose)
    found = jax.jit(lambda *given: pallas.substitute(schedule, *given, transpose=transpose))
    _near(found(values, blocks, side), expected)
    expected = xla.multiply(schedule, values, side, transpose=transpose)
    _near(jax.jit(lambda *given: pallas.multiply(schedule, *given, transpose=transpose))(values, side), expected)
    _near(jax.jit(lambda r: pallas.outer(schedule, r, r))(side), xla.outer(schedule, side, side))


def test_broken_lanes_leave_the_bits_of_others():
    schedule = analysed(6, 2, seed=3)
    values, side = _operands(schedule, 6, 1)
    broken = values.at[..., 1].set(0.0).at[..., 3].set(np.nan).at[..., 4].set(np.inf)
    others = np.array([0, 2, 5])

    @jax.jit
    def both(values: jax.Array) -> tuple[jax.Array, jax.Array]:
        solution = pallas.factor_and_solve(schedule, values, side, transpose=False)
        return pallas.factor(schedule, values), solution

    for before, after, lane_axis in zip(both(values), both(broken), (3, 2), strict=True):
        kept, found = (np.moveaxis(np.asarray(each), lane_axis, 0) for each in (before, after))
        np.testing.assert_array_equal(found[others], kept[others])
    blocks, solution = both(broken)
    assert np.all(np.isnan(blocks[: schedule.size + 2 * schedule.fill, ..., [1, 3, 4]]))
    assert np.all(np.isnan(solution[:, :, [1, 3, 4]]))


def test_no_lanes_and_no_sides():
    schedule = analysed(4, 2, seed=4)
    values, side = _operands(schedule, 2, 1)
    blocks = pallas.factor(schedule, values[..., :0])
    assert blocks.shape == (schedule.slots, 2, 2, 0)
    empty = side[:, :, :0]
    for found in (
        pallas.substitute(schedule, values[..., :0], blocks, empty, transpose=False),
        pallas.factor_and_solve(schedule, values[..., :0], empty, transpose=False),
        pallas.multiply(schedule, values[..., :0], empty, transpose=False),
    ):
        assert found.shape == empty.shape
    np.testing.assert_array_equal(pallas.outer(schedule, side[..., :0], side[..., :0]), 0.0)


def test_a_lane_that_is_no_number_has_no_small_error_in_a_large_batch():
    schedule = analyse(np.arange(64), np.arange(64), 64, 2)
    values = jnp.broadcast_to(jnp.eye(2)[None, :, :, None], (64, 2, 2, 256))
    side = jnp.ones((64, 2, 256, 1))
    solution = side.at[3, 1, 5].set(np.nan)
    error = jax.jit(lambda *given: pallas.backward_error(schedule, *given, transpose=False))(values, solution, side)
    assert np.flatnonzero(np.isnan(error[:, 0])).tolist() == [5]


def test_walk_visits_every_product_of_the_schedule_once():
    schedule = analysed(20, 1, seed=5)
    walk = tables.tables(schedule)
    # ordered pairs of one front: those of one number are in its row, the others come in mirrored couples
    assert schedule.fill + 2 * walk.pair_start[schedule.fill] == schedule.products
    target = np.repeat(np.arange(schedule.fill), np.diff(walk.pair_start)[: schedule.fill])
    left, right = (numbers[: target.size] for numbers in (walk.left, walk.right))
    np.testing.assert_array_equal(schedule.fill_pivot[left], schedule.fill_pivot[right])
    np.testing.assert_array_equal(schedule.fill_neighbour[left], schedule.fill_neighbour[target])
    np.testing.assert_array_equal(schedule.fill_neighbour[right], schedule.fill_pivot[target])


def test_programs_have_room_in_memory(monkeypatch: pytest.MonkeyPatch):
    schedule = analysed(50, 2, seed=6)
    numbers = (schedule.slots - 2) * 4
    monkeypatch.setattr(calls, "_memory", lambda: 20.0 * numbers * 8 * calls.WIDTH)
    assert calls.programs_at_once(numbers, np.float64) == 20 * calls.MEMORY_SHARE
    assert calls.programs_at_once(numbers, np.float32) == 40 * calls.MEMORY_SHARE
    monkeypatch.setattr(calls, "_memory", lambda: 1.0)
    assert calls.programs_at_once(numbers, np.float64) == 1
    shape = jax.eval_shape(
        lambda v, r: calls.factor_and_solve(schedule, v, r, transpose=False, interpret=False),
        *_operands(schedule, 99, 1),
    )
    assert shape.shape == (50, 2, 99, 1)


class TestLoweredForCuda:
    @pytest.mark.parametrize(
        ("block_size", "dtype"), [(1, np.float64), (2, np.float32), (2, np.float64), (3, np.float32), (6, np.float64)]
    )
    def test_every_operation(self, block_size: int, dtype: type):
        schedule = analysed(7, block_size, seed=7)
        values = jnp.asarray(regular_values(schedule, 0, dtype))
        side = jnp.ones((7, block_size), dtype)

        def factored(values: jax.Array, side: jax.Array) -> jax.Array:
            return solve_factored(schedule, factor(schedule, values), side, True)

        names = triton_calls(factored, values, side)
        assert names[:2] == ["voltherm_factor", "voltherm_substitute"]
        assert set(names[2:]) == {"voltherm_multiply"}  # the check of the solution
        assert triton_calls(lambda v, r: multiply(schedule, v, r), values, side) == ["voltherm_multiply"]
        # 40 lanes do not fill their tiles: masks are lowered too
        lanes = jax.vmap(lambda v, r: solve(schedule, v, r))
        repeated = jnp.broadcast_to(values, (40, *values.shape)), jnp.broadcast_to(side, (40, *side.shape))
        assert triton_calls(lanes, *repeated)[0] == "voltherm_factor_and_solve"

    def test_many_right_hand_sides(self):
        schedule = analysed(7, 2, seed=7)
        values = jnp.asarray(regular_values(schedule, 0))
        names = triton_calls(jax.vmap(lambda r: solve(schedule, values, r)), jnp.ones((40, 7, 2)))
        assert names[:2] == ["voltherm_factor", "voltherm_substitute"]

    def test_gradient_of_a_batch(self):
        schedule = analysed(7, 2, seed=8)
        gradient = jax.vmap(jax.grad(lambda v, r: jnp.sum(solve(schedule, v, r) ** 2), (0, 1)))
        names = triton_calls(gradient, jnp.ones((64, schedule.entries, 2, 2)), jnp.ones((64, 7, 2)))
        kinds = [name for name in names if name != "voltherm_multiply"]
        assert kinds == ["voltherm_factor", "voltherm_substitute", "voltherm_substitute", "voltherm_outer"]

    def test_code_does_not_grow_with_the_matrix(self):
        def length(size: int) -> int:
            schedule = analyse(*chain(size), size)
            operands = (jnp.ones((schedule.entries, 1, 1, 64)), jnp.ones((size, 1, 64, 1)))
            call = functools.partial(calls.factor_and_solve, schedule, transpose=False, interpret=False)
            (found,) = triton_code_sizes(call, *operands)
            return found

        # numbers of more digits take a few characters more
        assert abs(length(2000) - length(20)) < 0.01 * length(20)

    def test_offsets_beyond_32_bits(self):
        schedule = analyse(*chain(1000), 1000, 2)
        lanes = 200_000  # values alone are 77 GB
        shapes = (schedule.entries, 2, 2, lanes), (1000, 2, lanes, 1)
        operands = [jax.ShapeDtypeStruct(shape, np.float64) for shape in shapes]
        call = functools.partial(calls.factor_and_solve, schedule, transpose=False, interpret=False)
        assert triton_calls(call, *operands) == ["voltherm_factor_and_solve"]

    def test_one_program_for_both_platforms(self):
        schedule = analysed(5, 1, seed=9)
        values = jnp.ones(schedule.entries)
        function = jax.jit(lambda v: multiply(schedule, v, jnp.ones(5), implementation="auto"))
        for platform, wanted in (("cuda", True), ("cpu", False)):
            with named_gpu():
                text = function.trace(values).lower(lowering_platforms=(platform,)).as_text()
            assert ("xla.gpu.triton" in text) == wanted
