"""One test class for every implementation: whatever is added to the table is held to it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings, strategies
from voltherm_kernels import Schedule, analyse, factor, multiply, solve, solve_factored
from voltherm_kernels.dispatch import IMPLEMENTATIONS, unavailable

from tests.kernels.patterns import analysed, chain, dense, random_tree, regular_values

IMPLEMENTATION_NAMES = [
    pytest.param(name, marks=pytest.mark.skipif(bool(unavailable(name)), reason=unavailable(name) or "runs"))
    for name in sorted(IMPLEMENTATIONS)
]


def _side(schedule: Schedule, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(schedule.size, schedule.block_size))


def _dense_solve(schedule: Schedule, values: jax.Array, side: jax.Array) -> jax.Array:
    """The same solve by a dense method that JAX differentiates itself."""
    size, block = schedule.size, schedule.block_size
    matrix = jnp.zeros((size, block, size, block)).at[schedule.rows, :, schedule.columns, :].add(values)
    return jnp.linalg.solve(matrix.reshape(size * block, -1), side.reshape(-1)).reshape(side.shape)


@pytest.mark.parametrize("implementation", IMPLEMENTATION_NAMES)
class TestImplementation:
    @pytest.mark.parametrize("block_size", [1, 2, 3, 6])
    @pytest.mark.parametrize("transpose", [False, True])
    def test_matches_dense(self, implementation: str, block_size: int, transpose: bool):
        schedule = analysed(11, block_size, seed=block_size)
        values, side = regular_values(schedule, 1), _side(schedule, 2)
        matrix = dense(schedule, values)
        expected = np.linalg.solve(matrix.T if transpose else matrix, side.ravel()).reshape(side.shape)
        found = solve(schedule, values, side, transpose, implementation)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14)
        product = multiply(schedule, values, found, transpose, implementation)
        np.testing.assert_allclose(product, side, rtol=0, atol=1e-13)

    def test_matches_dense_on_any_pattern(self, implementation: str):
        patterns = {"size": strategies.integers(1, 12), "block_size": strategies.sampled_from([1, 2])}
        # each pattern compiles the interpreted kernels of `pallas` anew, which takes seconds
        examples = 3 if implementation == "pallas" else 10

        @settings(max_examples=examples, deadline=None)
        @given(**patterns, seed=strategies.integers(0, 99))
        def check(size: int, block_size: int, seed: int):
            schedule = analysed(size, block_size, seed)
            values, side = regular_values(schedule, seed), _side(schedule, seed)
            expected = np.linalg.solve(dense(schedule, values), side.ravel()).reshape(side.shape)
            found = solve(schedule, values, side, implementation=implementation)
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13)

        check()

    def test_tree_and_scalar_shapes(self, implementation: str):
        schedule = analyse(*random_tree(40, seed=7), 40, slack=0)
        assert schedule.fill == 39
        values, side = regular_values(schedule, 3)[:, 0, 0], _side(schedule, 4)[:, 0]
        found = solve(schedule, values, side, implementation=implementation)
        assert found.shape == (40,)
        np.testing.assert_allclose(found, np.linalg.solve(dense(schedule, values), side), rtol=0, atol=1e-14)

    def test_one_node(self, implementation: str):
        schedule = analyse(np.array([0, 0]), np.array([0, 0]), 1)
        found = solve(schedule, jnp.array([1.0, 3.0]), jnp.array([8.0]), implementation=implementation)
        np.testing.assert_allclose(found, [2.0])

    def test_missing_mirrored_entry_is_zero(self, implementation: str):
        schedule = analyse(np.array([0, 1, 0]), np.array([0, 1, 1]), 2)
        found = solve(schedule, jnp.array([2.0, 4.0, 1.0]), jnp.array([3.0, 4.0]), implementation=implementation)
        np.testing.assert_allclose(found, [1.0, 1.0])

    def test_zero_inside_a_pivot_block_is_regular(self, implementation: str):
        for block_size in (2, 3, 6):
            schedule = analyse(np.array([0]), np.array([0]), 1, block_size)
            matrix = np.roll(np.eye(block_size), 1, axis=1)
            side = np.arange(1.0, block_size + 1.0)[None]
            found = solve(schedule, matrix[None], side, implementation=implementation)
            np.testing.assert_allclose(found[0], matrix.T @ side[0], atol=1e-15)

    @pytest.mark.parametrize("block_size", [1, 2])
    def test_derivatives_match_dense(self, implementation: str, block_size: int):
        schedule = analysed(6, block_size, seed=8)
        values, side = jnp.asarray(regular_values(schedule, 5)), jnp.asarray(_side(schedule, 6))

        def ours(values: jax.Array, side: jax.Array) -> jax.Array:
            return jnp.sum(jnp.sin(5.0 * solve(schedule, values, side, implementation=implementation)))

        def reference(values: jax.Array, side: jax.Array) -> jax.Array:
            return jnp.sum(jnp.sin(5.0 * _dense_solve(schedule, values, side)))

        tangents = (jnp.cos(values), jnp.sin(side))
        found, expected = (jax.jvp(f, (values, side), tangents)[1] for f in (ours, reference))
        np.testing.assert_allclose(found, expected, rtol=1e-12)
        found, expected = (jax.jit(jax.grad(f, (0, 1)))(values, side) for f in (ours, reference))
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=0, atol=1e-13)

        def directional(f):
            """Second derivatives along one direction, forward over reverse and reverse over reverse."""
            gradient = jax.grad(f, (0, 1))
            forward = jax.jvp(gradient, (values, side), tangents)[1]

            def product(*at: jax.Array) -> jax.Array:
                return sum(jnp.vdot(part, tangent) for part, tangent in zip(gradient(*at), tangents, strict=True))

            return forward, jax.grad(product, (0, 1))(values, side)

        (forward, reverse), (expected, _) = (
            jax.jit(lambda: directional(ours))(),
            jax.jit(lambda: directional(reference))(),
        )
        for one, two, other in zip(forward, reverse, expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=0, atol=1e-12)
            np.testing.assert_allclose(two, other, rtol=0, atol=1e-12)

    def test_transposed_solve_and_factored_solve_differentiate(self, implementation: str):
        schedule = analysed(6, 2, seed=9)
        values, side = jnp.asarray(regular_values(schedule, 7)), jnp.asarray(_side(schedule, 8))

        def ours(values: jax.Array) -> jax.Array:
            factors = factor(schedule, values, implementation)
            once = solve_factored(schedule, factors, side, True, implementation)
            return jnp.sum(jnp.sin(solve_factored(schedule, factors, once, False, implementation)))

        def reference(values: jax.Array) -> jax.Array:
            matrix = jax.jacobian(lambda x: multiply(schedule, values, x))(side).reshape(side.size, side.size)
            once = jnp.linalg.solve(matrix.T, side.ravel())
            return jnp.sum(jnp.sin(jnp.linalg.solve(matrix, once)))

        found, expected = jax.jit(jax.grad(ours))(values), jax.jit(jax.grad(reference))(values)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13)

    def test_nested_vmaps_match_a_loop(self, implementation: str):
        schedule = analysed(7, 2, seed=10)
        values = jnp.stack([jnp.asarray(regular_values(schedule, seed)) for seed in range(3)])
        sides = jnp.stack([jnp.asarray(_side(schedule, seed)) for seed in range(4)])

        def one(values: jax.Array, side: jax.Array) -> jax.Array:
            return solve(schedule, values, side, implementation=implementation)

        expected = np.array([[one(value, side) for side in sides] for value in values])
        sides_inside = jax.vmap(jax.vmap(one, (None, 0)), (0, None))(values, sides)
        values_inside = jax.vmap(jax.vmap(one, (0, None)), (None, 0))(values, sides)
        last_axes = jax.vmap(jax.vmap(one, (None, -1), -1), (1, None), 1)(
            jnp.moveaxis(values, 0, 1), jnp.moveaxis(sides, 0, -1)
        )
        np.testing.assert_allclose(sides_inside, expected, rtol=0, atol=1e-15)
        np.testing.assert_allclose(values_inside, expected.swapaxes(0, 1), rtol=0, atol=1e-15)
        np.testing.assert_allclose(last_axes, expected.transpose(2, 0, 3, 1), rtol=0, atol=1e-15)

        def loss(values: jax.Array, side: jax.Array) -> jax.Array:
            return jnp.sum(one(values, side) ** 2)

        gradients = jax.vmap(jax.vmap(jax.grad(loss, (0, 1)), (None, 0)), (0, None))(values, sides)
        alone = jax.grad(loss, (0, 1))(values[1], sides[2])
        for batch, single in zip(gradients, alone, strict=True):
            np.testing.assert_allclose(batch[1, 2], single, rtol=0, atol=1e-15)

    @pytest.mark.parametrize("block_size", [1, 2, 3])
    def test_singular_lane_is_nan_and_its_neighbours_are_untouched(self, implementation: str, block_size: int):
        schedule = analysed(8, block_size, seed=11)
        good = jnp.stack([jnp.asarray(regular_values(schedule, seed)) for seed in range(3)])
        side = jnp.asarray(_side(schedule, 12))
        batched = jax.jit(jax.vmap(lambda values: solve(schedule, values, side, implementation=implementation)))
        before = np.asarray(batched(good))
        after = np.asarray(batched(good.at[1].set(0.0)))
        assert np.all(np.isnan(after[1]))
        np.testing.assert_array_equal(after[[0, 2]], before[[0, 2]])

    def test_no_lanes_at_all(self, implementation: str):
        schedule = analysed(5, 1, seed=13)

        def solved(values: jax.Array, side: jax.Array) -> jax.Array:
            return solve_factored(schedule, factor(schedule, values, implementation), side, False, implementation)

        for lanes in ((0,), (2, 0)):
            mapped, inside = solved, jax.vmap(solved, (None, 0))
            for _ in lanes:
                mapped = jax.vmap(mapped)
            values, sides = jnp.ones((*lanes, schedule.entries)), jnp.ones((*lanes, 5))
            assert jax.jit(mapped)(values, sides).shape == (*lanes, 5)
            assert inside(jnp.ones(schedule.entries), jnp.ones((0, 5))).shape == (0, 5)

    def test_single_precision(self, implementation: str):
        schedule = analysed(9, 2, seed=13)
        values, side = regular_values(schedule, 14), _side(schedule, 15)
        found = solve(schedule, values.astype(np.float32), side.astype(np.float32), implementation=implementation)
        assert found.dtype == jnp.float32
        np.testing.assert_allclose(found, solve(schedule, values, side), rtol=0, atol=1e-6)

    def test_program_size_does_not_depend_on_the_levels(self, implementation: str):
        def equations(size: int, slack: int) -> int:
            schedule = analyse(*chain(size), size, slack=slack)
            lowered = jax.jit(jax.grad(lambda v, r: jnp.sum(solve(schedule, v, r, implementation=implementation))))
            text = lowered.lower(jnp.ones(schedule.entries), jnp.ones(size)).as_text()
            return sum(" = " in line for line in text.splitlines())

        assert equations(10, 0) == equations(1000, 0) == equations(1000, 1)

    def test_ten_designs_compile_once(self, implementation: str):
        traces = []

        @jax.jit
        def compiled(values: jax.Array, side: jax.Array) -> jax.Array:
            traces.append(None)
            return solve(analysed(8, 1, seed=16), values, side, implementation=implementation)

        schedule = analysed(8, 1, seed=16)
        for seed in range(10):
            compiled(regular_values(schedule, seed)[:, 0, 0], _side(schedule, seed)[:, 0])
        assert len(traces) == 1


def _complex_values(schedule: Schedule, seed: int) -> np.ndarray:
    turned = regular_values(schedule, seed) * np.exp(0.4j)
    return turned + 0.3j * np.random.default_rng(seed).uniform(-1.0, 1.0, turned.shape)


class TestComplex:
    """`auto` is `xla` for complex numbers, on every platform."""

    @pytest.mark.parametrize(
        ("block_size", "dtype"), [(1, np.complex128), (2, np.complex64), (3, np.complex128), (6, np.complex128)]
    )
    def test_matches_dense(self, block_size: int, dtype: type):
        tolerance = 1e-6 if dtype == np.complex64 else 1e-14
        schedule = analysed(9, block_size, seed=18)
        values = _complex_values(schedule, 19).astype(dtype)
        side = (_side(schedule, 20) + 1j * _side(schedule, 21)).astype(dtype)
        for transpose in (False, True):
            matrix = dense(schedule, values)
            expected = np.linalg.solve(matrix.T if transpose else matrix, side.ravel()).reshape(side.shape)
            found = solve(schedule, values, side, transpose)
            assert found.dtype == dtype
            np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)
            product = multiply(schedule, values, found, transpose)
            np.testing.assert_allclose(product, side, rtol=0, atol=100 * tolerance)

    @pytest.mark.parametrize("block_size", [1, 2])
    def test_derivatives(self, block_size: int):
        schedule = analysed(6, block_size, seed=22)
        values = jnp.asarray(_complex_values(schedule, 23))
        side = jnp.asarray(_side(schedule, 24) + 1j * _side(schedule, 25))
        generator = np.random.default_rng(26)
        weight = jnp.asarray(generator.normal(size=side.shape))

        def loss_of(solution: jax.Array) -> jax.Array:
            return jnp.sum(weight * jnp.sin(5.0 * solution.real) * solution.imag)

        def ours(values: jax.Array, side: jax.Array) -> jax.Array:
            return loss_of(solve(schedule, values, side))

        def reference(values: jax.Array, side: jax.Array) -> jax.Array:
            size = side.size
            matrix = jnp.zeros((schedule.size, block_size) * 2, values.dtype)
            matrix = matrix.at[schedule.rows, :, schedule.columns, :].add(values)
            return loss_of(jnp.linalg.solve(matrix.reshape(size, size), side.reshape(-1)).reshape(side.shape))

        found, expected = (jax.jit(jax.grad(f, (0, 1)))(values, side) for f in (ours, reference))
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=0, atol=1e-13)
        # By central differences along one direction; a gradient g means a change of Re sum(g t).
        tangents = [
            jnp.asarray(generator.normal(size=each.shape) + 1j * generator.normal(size=each.shape))
            for each in (values, side)
        ]
        step = 1e-5
        ahead, behind = (
            ours(*(each + sign * step * tangent for each, tangent in zip((values, side), tangents, strict=True)))
            for sign in (1.0, -1.0)
        )
        change = sum(float(jnp.sum(part * tangent).real) for part, tangent in zip(found, tangents, strict=True))
        np.testing.assert_allclose(change, (ahead - behind) / (2.0 * step), rtol=1e-7)

    def test_singular_lane_is_nan_and_its_neighbours_are_untouched(self):
        schedule = analysed(7, 2, seed=27)
        good = jnp.stack([jnp.asarray(_complex_values(schedule, seed)) for seed in range(3)])
        side = jnp.asarray(_side(schedule, 28) * (1.0 + 1.0j))
        batched = jax.jit(jax.vmap(lambda values: solve(schedule, values, side)))
        before, after = np.asarray(batched(good)), np.asarray(batched(good.at[1].set(0.0)))
        assert np.all(np.isnan(after[1]))
        np.testing.assert_array_equal(after[[0, 2]], before[[0, 2]])


@settings(max_examples=25, deadline=None)
@given(
    size=strategies.integers(1, 14),
    entries=strategies.integers(0, 50),
    block_size=strategies.sampled_from([1, 2, 3, 6]),
    slack=strategies.sampled_from([None, 0, 2]),
    transpose=strategies.booleans(),
    seed=strategies.integers(0, 9999),
)
def test_any_list_of_entries_is_solved(
    size: int, entries: int, block_size: int, slack: int | None, transpose: bool, seed: int
):
    """One-sided entries, duplicates, loops, isolated nodes, a diagonal in pieces or only where it is needed."""
    generator = np.random.default_rng(seed)
    rows, columns = generator.integers(0, size, entries), generator.integers(0, size, entries)
    rows, columns = np.concatenate([rows, np.arange(size)]), np.concatenate([columns, np.arange(size)])
    values = generator.uniform(-1.0, 1.0, (rows.size, block_size, block_size))
    values[entries:] += 2.0 * block_size * (1 + entries) * np.eye(block_size)
    mixed = generator.permutation(rows.size)
    schedule = analyse(rows[mixed], columns[mixed], size, block_size, slack=slack)
    side = _side(schedule, seed)
    matrix = dense(schedule, values[mixed])
    expected = np.linalg.solve(matrix.T if transpose else matrix, side.ravel()).reshape(side.shape)
    found = solve(schedule, values[mixed], side, transpose)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14)


def test_missing_diagonal_entry_is_a_zero():
    # Unknown 1 has no diagonal entry; eliminating 0 first gives it one.
    schedule = analyse(np.array([0, 0, 1]), np.array([0, 1, 0]), 2, slack=0)
    matrix, side = np.array([[2.0, 3.0], [4.0, 0.0]]), np.array([1.0, 2.0])
    np.testing.assert_array_equal(schedule.order, [0, 1])
    found = solve(schedule, jnp.array([2.0, 3.0, 4.0]), side)
    np.testing.assert_allclose(found, np.linalg.solve(matrix, side), rtol=1e-15)


def test_numbers_of_two_kinds_are_refused():
    schedule = analysed(4, 1, seed=29)
    values, side = jnp.ones(schedule.entries), jnp.ones(4)
    for other in (side.astype(jnp.float32), side.astype(jnp.complex128), side.astype(jnp.int64)):
        for function in (solve, multiply):
            with pytest.raises(ValueError, match=f"numbers of one kind, not float64 and {other.dtype}"):
                function(schedule, values, other)
    with pytest.raises(ValueError, match="floating-point or complex numbers, not int64"):
        solve(schedule, values.astype(jnp.int64), side.astype(jnp.int64))


def test_shapes_that_do_not_fit_are_refused():
    schedule = analysed(4, 2, seed=17)
    with pytest.raises(ValueError, match="values must have the shape"):
        solve(schedule, jnp.ones(schedule.entries), jnp.ones((4, 2)))
    with pytest.raises(ValueError, match="a vector must have the shape"):
        solve(schedule, jnp.ones((schedule.entries, 2, 2)), jnp.ones(4))
