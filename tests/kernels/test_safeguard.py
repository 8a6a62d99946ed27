"""Matrices that elimination in a fixed order cannot do: found by the check, solved by pivoting, or NaN."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings, strategies
from voltherm_kernels import analyse, multiply, native, recovery, solve, xla
from voltherm_kernels.dispatch import IMPLEMENTATIONS, implementation_named, unavailable
from voltherm_kernels.safeguard import tolerance

from tests.kernels.exported import triton_calls
from tests.kernels.patterns import analysed, chain, dense, random_tree, regular_values

IMPLEMENTATION_NAMES = [
    pytest.param(name, marks=pytest.mark.skipif(bool(unavailable(name)), reason=unavailable(name) or "runs"))
    for name in sorted(IMPLEMENTATIONS)
]
FULL = analyse([0, 0, 1, 1], [0, 1, 0, 1], 2)


@pytest.mark.parametrize("implementation", IMPLEMENTATION_NAMES)
class TestSafeguard:
    @pytest.mark.parametrize("corner", [0.0, 1e-20, 1e-14, 1e-9])
    def test_pivot_that_vanishes_or_lets_entries_grow(self, implementation: str, corner: float):
        values = jnp.array([corner, 2.0, 3.0, corner])
        for transpose in (False, True):
            matrix = np.array([[corner, 2.0], [3.0, corner]])
            expected = np.linalg.solve(matrix.T if transpose else matrix, [1.0, 1.0])
            found = jax.jit(lambda v, t=transpose: solve(FULL, v, jnp.ones(2), t, implementation))(values)
            np.testing.assert_allclose(found, expected, rtol=1e-14)

    def test_singular_to_round_off_is_nan_once_a_pivot_vanished(self, implementation: str):
        rows, columns = np.divmod(np.arange(9), 3)
        one, two = np.array([0.0, 0.1, 0.3]), np.array([0.7, 0.2, 0.9])
        values = np.concatenate([one, two, 3.0 * one + two / 7.0])
        found = solve(analyse(rows, columns, 3), values, np.ones(3), False, implementation)
        assert np.all(np.isnan(found))

    def test_neighbours_of_a_recovered_lane_keep_their_bits(self, implementation: str):
        good = jnp.array([[4.0, 1.0, 2.0, 5.0]] * 9) * jnp.arange(1.0, 10.0)[:, None]
        batched = jax.jit(jax.vmap(lambda values: solve(FULL, values, jnp.ones(2), False, implementation)))
        before = np.asarray(batched(good))
        bad = good.at[2].set(jnp.array([0.0, 2.0, 4.0, 0.0])).at[7].set(1.0)
        after = np.asarray(batched(bad))
        np.testing.assert_allclose(after[2], [0.25, 0.5], rtol=1e-15)
        assert np.all(np.isnan(after[7]))
        others = [lane for lane in range(9) if lane not in (2, 7)]
        np.testing.assert_array_equal(after[others], before[others])

    def test_thousands_of_lanes_are_recovered(self, implementation: str):
        if implementation == "pallas":
            pytest.skip("interpreted: the check and the recovery are those of xla")
        values = jnp.array([[0.0, 2.0, 4.0, 0.0]]) * jnp.arange(1.0, 4097.0)[:, None]
        found = jax.jit(jax.vmap(lambda v: solve(FULL, v, jnp.ones(2), False, implementation)))(values)
        np.testing.assert_allclose(found * jnp.arange(1.0, 4097.0)[:, None], [[0.25, 0.5]] * 4096, rtol=1e-14)

    @pytest.mark.parametrize("transpose", [False, True])
    @pytest.mark.parametrize("sides", [1, 2])
    def test_large_matrices_are_recovered(self, implementation: str, transpose: bool, sides: int):
        if implementation == "pallas" and (sides > 1 or transpose):
            pytest.skip("interpreted: the recovery is that of xla")
        nodes = recovery.DENSE_LIMIT // 2 + 1
        pairs = np.arange(0, nodes - 1, 2)
        ends = np.r_[pairs, pairs + 1], np.r_[pairs + 1, pairs]
        schedule = analyse(np.r_[np.arange(nodes), ends[0]], np.r_[np.arange(nodes), ends[1]], nodes, block_size=2)
        random = np.random.default_rng(1)
        values = np.broadcast_to(random.normal(size=(schedule.entries, 2, 2)), (4, schedule.entries, 2, 2)).copy()
        values[:, :nodes] += 4.0 * np.eye(2)
        # nodes 0 and 1 of the second lane have pivots of zero only, those of the third no entries
        values[1, [0, 1]] = 0.0
        values[2][np.isin(schedule.rows, [0, 1])] = 0.0
        side = random.normal(size=(sides, nodes, 2))

        def solved(values: jax.Array) -> jax.Array:
            return jax.vmap(lambda r: solve(schedule, values, r, transpose, implementation))(side)

        found = np.asarray(jax.jit(jax.vmap(solved))(values))
        for lane in (0, 1, 3):
            product = jax.vmap(functools.partial(multiply, schedule, values[lane], transpose=transpose))(found[lane])
            np.testing.assert_allclose(product, side, rtol=0, atol=1e-11)
        assert np.all(np.isnan(found[2]))

    def test_derivatives_of_a_recovered_lane(self, implementation: str):
        values, side = jnp.array([0.0, 2.0, 3.0, 0.5]), jnp.array([1.0, 4.0])

        def ours(values: jax.Array, side: jax.Array) -> jax.Array:
            return jnp.sum(solve(FULL, values, side, False, implementation) ** 3)

        def reference(values: jax.Array, side: jax.Array) -> jax.Array:
            return jnp.sum(jnp.linalg.solve(values.reshape(2, 2), side) ** 3)

        found, expected = (jax.jit(jax.grad(f, (0, 1)))(values, side) for f in (ours, reference))
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-13)

    @settings(max_examples=5, deadline=None)
    @given(block_size=strategies.sampled_from([1, 2, 3]), seed=strategies.integers(0, 99))
    def test_any_regular_matrix_is_solved(self, implementation: str, block_size: int, seed: int):
        # no dominant diagonal, and every second pivot zero
        schedule = analysed(7, block_size, seed)
        random = np.random.default_rng(seed)
        values = random.normal(size=(schedule.entries, block_size, block_size))
        values[(schedule.rows == schedule.columns) & (schedule.rows % 2 == 0)] = 0.0
        matrix, expected = dense(schedule, values), random.normal(size=(7, block_size))
        side = (matrix @ expected.ravel()).reshape(expected.shape)
        found = np.asarray(solve(schedule, values, side, False, implementation))
        if np.linalg.cond(matrix) > 1e12:
            assert np.all(np.isnan(found)) or np.linalg.norm(matrix @ found.ravel() - side.ravel()) < 1e-9
        else:
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13 * np.linalg.cond(matrix))

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("sides", [1, 9])
    def test_error_is_that_of_its_definition(self, implementation: str, dtype: type, sides: int):
        schedule = analyse(*random_tree(9, seed=3), 9, 2)
        random = np.random.default_rng(4)
        values = np.stack([regular_values(schedule, seed, dtype) for seed in range(3)], axis=-1)
        solution, side = random.normal(size=(2, 9, 2, 3, sides)).astype(dtype)
        found = implementation_named(implementation).backward_error(
            schedule, jnp.asarray(values), jnp.asarray(solution), jnp.asarray(side), transpose=False
        )
        for lane in range(3):
            matrix = dense(schedule, values[..., lane])
            for number in range(sides):
                x, r = solution[:, :, lane, number].ravel(), side[:, :, lane, number].ravel()
                size = np.abs(matrix) @ np.abs(x) + np.abs(r)
                expected = np.max(np.abs(r - matrix @ x) / (size + np.sqrt(np.finfo(dtype).eps) * size.max()))
                np.testing.assert_allclose(found[lane, number], expected, rtol=50 * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
@pytest.mark.parametrize("block_size", [1, 2, 3])
def test_without_a_dense_matrix(dtype: type, block_size: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(recovery, "DENSE_LIMIT", 0)
    for seed, transpose in ((0, False), (3, True)):
        schedule = analysed(9, block_size, seed)
        random = np.random.default_rng(seed)
        values = random.normal(size=(schedule.entries, block_size, block_size))
        # a dominant part that is not on the diagonal, where every second pivot vanishes
        values[(schedule.rows == schedule.columns) & (schedule.rows % 2 == 0)] = 0.0
        values = (values * (1.0 + 1.0j) if dtype is np.complex128 else values).astype(dtype)
        matrix, side = dense(schedule, values), random.normal(size=(9, block_size)).astype(dtype)
        found = jax.jit(lambda v, r, s=schedule, t=transpose: solve(s, v, r, t, "xla"))(values, side)
        expected = np.linalg.solve(matrix.T if transpose else matrix, side.ravel())
        error = np.linalg.norm(np.ravel(found) - expected) / np.linalg.norm(expected)
        assert error <= tolerance(np.dtype(dtype)) * np.linalg.cond(matrix)


def test_large_programs_can_be_exported():
    schedule = analyse(*chain(recovery.DENSE_LIMIT + 1), recovery.DENSE_LIMIT + 1)
    exported = jax.export.export(jax.jit(lambda v, r: solve(schedule, v, r, implementation="xla")))(
        jnp.ones(schedule.entries), jnp.ones(schedule.size)
    )
    assert "callback" not in exported.mlir_module()
    batched = jax.vmap(lambda v, r: solve(schedule, v, r))
    shapes = [jnp.ones((32, length)) for length in (schedule.entries, schedule.size)]
    assert triton_calls(batched, *shapes)[0] == "voltherm_factor_and_solve"


def test_good_lanes_are_left_to_elimination():
    """The limit lies far above what elimination leaves, and far below a wrong answer."""
    schedule = analysed(40, 2, seed=5)
    values, side = jnp.asarray(regular_values(schedule, 6)), jnp.asarray(np.random.default_rng(7).normal(size=(40, 2)))
    solution = solve(schedule, values, side, implementation="xla")
    operands = (values[..., None], solution[:, :, None, None], side[:, :, None, None])
    assert float(jnp.max(xla.backward_error(schedule, *operands, transpose=False))) < 1e-3 * tolerance(values.dtype)
    assert 1e-12 < tolerance(values.dtype) < 1e-9


@pytest.mark.skipif(bool(native.why_not()), reason=native.why_not() or "built")
def test_recoveries_are_counted():
    before = native.recoveries()
    values = jnp.array([[4.0, 1.0, 2.0, 5.0], [0.0, 1.0, 1.0, 0.0], [1.0, 1.0, 1.0, 1.0]])
    jax.block_until_ready(jax.vmap(lambda v: solve(FULL, v, jnp.ones(2), implementation="native"))(values))
    after = native.recoveries()
    assert (after.pivoted - before.pivoted, after.singular - before.singular) == (1, 1)


@pytest.mark.skipif(bool(native.why_not()), reason=native.why_not() or "built")
def test_what_is_not_a_number_is_no_case_for_pivoting():
    before = native.recoveries()
    values = jnp.array([[4.0, 1.0, 2.0, 5.0], [jnp.nan, 1.0, 1.0, 4.0], [4.0, 1.0, 1.0, 4.0]])
    sides = jnp.array([[1.0, 1.0], [1.0, 1.0], [1.0, jnp.inf]])
    found = jax.vmap(lambda v, r: solve(FULL, v, r, implementation="native"))(values, sides)
    np.testing.assert_array_equal(np.isnan(found), [[False, False], [True, True], [True, True]])
    assert native.recoveries() == before
