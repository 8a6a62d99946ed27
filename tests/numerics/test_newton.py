import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from voltherm_kernels import Schedule, analyse, solve

from tests.kernels.patterns import chain
from voltherm.numerics import ResultCode, Solution, newton

SIZE = 6


class Springs(eqx.Module):
    """A chain of nonlinear springs: stiffness and load traced, everything else not."""

    stiffness: jax.Array
    load: jax.Array
    count: jax.Array
    name: str = eqx.field(static=True)
    schedule: Schedule = eqx.field(static=True)


def _springs(dtype: type = jnp.float64) -> Springs:
    return Springs(
        jnp.linspace(1.0, 2.0, SIZE, dtype=dtype),
        jnp.linspace(1.0, -2.0, SIZE, dtype=dtype),
        jnp.arange(3),
        "chain",
        analyse(*chain(SIZE), SIZE),
    )


def _residual(y: jax.Array, springs: Springs) -> jax.Array:
    balance = springs.stiffness * y**3 + 2.0 * y - springs.load
    return balance.at[1:].add(-y[:-1]).at[:-1].add(-jnp.sin(y[1:]))


def _linear_solve(y: jax.Array, springs: Springs, right_hand_side: jax.Array) -> jax.Array:
    diagonal = 3.0 * springs.stiffness * y**2 + 2.0
    # chain() lists the diagonal, then (i, i + 1), then (i + 1, i).
    values = jnp.concatenate([diagonal, -jnp.cos(y[1:]), -jnp.ones_like(y[1:])])
    return solve(springs.schedule, values, right_hand_side)


def _solve(springs: Springs, **options) -> Solution:
    start = jnp.zeros_like(springs.load)
    return newton(_residual, start, springs, linear_solve=_linear_solve, **({"tolerance": 1e-12} | options))


def _loss(stiffness: jax.Array, load: jax.Array) -> jax.Array:
    springs = eqx.tree_at(lambda s: (s.stiffness, s.load), _springs(), (stiffness, load))
    return jnp.sum(_solve(springs).value ** 2)


def _central(function, at: jax.Array, step: float = 1e-6) -> np.ndarray:
    return np.array([(function(at + step * unit) - function(at - step * unit)) / (2 * step) for unit in np.eye(SIZE)])


def test_converges_quadratically_to_the_root():
    solution = jax.jit(_solve)(_springs())
    assert solution.status.result == ResultCode.CONVERGED
    assert solution.status.residual <= 1e-12
    assert solution.status.iterations <= 6
    np.testing.assert_allclose(_residual(solution.value, _springs()), 0.0, atol=1e-12)


def test_gradient_matches_differences_in_both_modes():
    springs = _springs()
    gradient = jax.jit(jax.grad(_loss, (0, 1)))(springs.stiffness, springs.load)
    loss = jax.jit(_loss)
    by_stiffness = _central(lambda k: loss(k, springs.load), springs.stiffness)
    by_load = _central(lambda b: loss(springs.stiffness, b), springs.load)
    np.testing.assert_allclose(gradient[0], by_stiffness, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(gradient[1], by_load, rtol=1e-6, atol=1e-9)
    forward = jax.jit(jax.jacfwd(_loss, (0, 1)))(springs.stiffness, springs.load)
    np.testing.assert_allclose(forward[0], gradient[0], rtol=1e-12)
    np.testing.assert_allclose(forward[1], gradient[1], rtol=1e-12)


def test_second_derivatives_match_differences_in_every_order_of_modes():
    springs = _springs()
    by_load = jax.jit(jax.grad(_loss, 1))
    expected = _central(lambda b: by_load(springs.stiffness, b), springs.load, 1e-5)
    for outer, inner in ((jax.jacfwd, jax.jacrev), (jax.jacrev, jax.jacfwd), (jax.jacrev, jax.jacrev)):
        hessian = jax.jit(outer(inner(_loss, 1), 1))(springs.stiffness, springs.load)
        np.testing.assert_allclose(hessian, expected, rtol=1e-6, atol=1e-8)


def test_closure_is_differentiated_too():
    springs = _springs()

    def through_closure(load: jax.Array) -> jax.Array:
        caught = eqx.tree_at(lambda s: s.load, springs, load)
        solution = newton(
            lambda y, _: _residual(y, caught),
            jnp.zeros(SIZE),
            (),
            linear_solve=lambda y, _, right_hand_side: _linear_solve(y, caught, right_hand_side),
            tolerance=1e-12,
        )
        return jnp.sum(solution.value**2)

    expected = jax.grad(_loss, 1)(springs.stiffness, springs.load)
    np.testing.assert_allclose(jax.grad(through_closure)(springs.load), expected, rtol=1e-12)
    np.testing.assert_allclose(jax.jit(jax.jacfwd(through_closure))(springs.load), expected, rtol=1e-12)


def test_failed_lanes_are_nan_with_zero_gradient_and_leave_the_rest_alone():
    springs = _springs()
    scale = jnp.array([1.0, 1.0, 2.0])
    broken = jnp.array([1.0, jnp.nan, 2.0])

    def of_scale(scale: jax.Array) -> Solution:
        return _solve(eqx.tree_at(lambda s: s.load, springs, scale * springs.load))

    def loss(scale: jax.Array, stiffness: jax.Array) -> jax.Array:
        return _loss(stiffness, scale * springs.load)

    batched = jax.jit(jax.vmap(of_scale))
    before, after = batched(scale), batched(broken)
    assert after.status.result.tolist() == [0, ResultCode.NOT_FINITE, 0]
    assert jnp.all(jnp.isnan(after.value[1]))
    np.testing.assert_array_equal(after.value[jnp.array([0, 2])], before.value[jnp.array([0, 2])])
    gradient = jax.jit(jax.vmap(jax.grad(loss, (0, 1)), (0, None)))
    before, after = gradient(scale, springs.stiffness), gradient(broken, springs.stiffness)
    # d(scale * load) is taken outside the solve; there 0 * load stays 0.
    assert after[0][1] == 0.0
    np.testing.assert_array_equal(after[1][1], 0.0)
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one[jnp.array([0, 2])], other[jnp.array([0, 2])])


def _scalar(residual, initial: float, args: object = (), **options) -> Solution:
    """Newton on one unknown, the derivative by jvp."""

    def linear_solve(y: jax.Array, args: object, right_hand_side: jax.Array) -> jax.Array:
        return right_hand_side / jax.jvp(lambda y: residual(y, args), (y,), (jnp.ones_like(y),))[1]

    return newton(residual, jnp.array([initial]), args, linear_solve=linear_solve, **({"tolerance": 1e-12} | options))


def test_codes_of_failure():
    assert _scalar(lambda y, _: y**2 + 1.0, 0.5).status.result == ResultCode.NO_DESCENT
    assert _scalar(lambda y, _: y**2 + 1.0, 0.0).status.result == ResultCode.SINGULAR
    assert _scalar(lambda y, _: jnp.log(y), -1.0).status.result == ResultCode.NOT_FINITE
    slow = _scalar(lambda y, _: y**3, 1.0, maximum_iterations=3)
    assert slow.status.result == ResultCode.MAXIMUM_ITERATIONS
    assert slow.status.iterations == 3
    assert jnp.isnan(slow.value[0])


def test_line_search_saves_a_start_from_which_full_steps_diverge():
    solution = _scalar(lambda y, _: jnp.arctan(y), 3.0)
    assert solution.status.result == ResultCode.CONVERGED
    np.testing.assert_allclose(solution.value, 0.0, atol=1e-12)


def test_line_search_stays_where_the_residual_is_defined():
    solution = _scalar(lambda y, a: jnp.log(y) - a, 8.0, jnp.asarray(-3.0))
    np.testing.assert_allclose(solution.value, jnp.exp(-3.0), rtol=1e-12)


def test_step_limit_holds():
    limited = _scalar(lambda y, _: y - 10.0, 0.0, step_limit=1.0)
    assert limited.status.iterations == 10
    assert _scalar(lambda y, _: y - 10.0, 0.0).status.iterations == 1


def test_scale_decides_what_converged_means():
    loose = _scalar(lambda y, _: y**3 - 8.0, 3.0, tolerance=1e-3, scale=1e3)
    tight = _scalar(lambda y, _: y**3 - 8.0, 3.0, tolerance=1e-3, scale=jnp.array([1e-6]))
    assert loose.status.iterations < tight.status.iterations
    np.testing.assert_allclose(tight.value, 2.0, rtol=1e-9)


def test_what_is_round_off_counts_as_met_equation_by_equation():
    springs = _springs()
    everywhere = _solve(springs, round_off=1e-3)
    assert int(everywhere.status.result) == ResultCode.CONVERGED
    assert float(everywhere.status.residual) == 0.0
    assert 1e-12 < float(jnp.abs(_residual(everywhere.value, springs)).max()) < 1e-3
    noise = jnp.zeros(SIZE).at[2].set(1e3)
    elsewhere = _solve(springs, round_off=noise)
    assert float(jnp.abs(_residual(elsewhere.value, springs)[jnp.array([0, 1, 3, 4, 5])]).max()) <= 1e-12
    # a floor is no excuse where no step helps: what is above it still fails
    beyond = _solve(springs, round_off=1e-3, maximum_iterations=1)
    assert int(beyond.status.result) == ResultCode.MAXIMUM_ITERATIONS


def test_tolerance_below_round_off_ends_at_round_off():
    solution = _scalar(lambda y, _: 1e6 * (y**2 - 2.0), 1.0, tolerance=0.0)
    assert solution.status.result == ResultCode.CONVERGED
    np.testing.assert_allclose(solution.value, np.sqrt(2.0), rtol=1e-15)


def test_unknowns_may_be_a_pytree_and_worst_names_the_flat_index():
    def residual(y: dict[str, jax.Array], load: jax.Array) -> dict[str, jax.Array]:
        return {"a": y["a"] ** 2 - load, "b": y["b"] - 1.0}

    def linear_solve(y: dict[str, jax.Array], load: jax.Array, side: dict[str, jax.Array]) -> dict[str, jax.Array]:
        return {"a": side["a"] / (2.0 * y["a"]), "b": side["b"]}

    start = {"a": jnp.ones(2), "b": jnp.zeros(1)}
    options = {"linear_solve": linear_solve, "tolerance": 1e-12}
    solution = newton(residual, start, jnp.array([4.0, 9.0]), scale={"a": 1.0, "b": 2.0}, **options)
    np.testing.assert_allclose(solution.value["a"], [2.0, 3.0])
    np.testing.assert_allclose(solution.value["b"], [1.0])
    failed = newton(residual, start, jnp.array([4.0, -9.0]), **options)
    assert failed.status.worst == 1


@pytest.mark.parametrize("tolerance", [1e-5, 1e-12])
def test_single_precision_reaches_what_it_can(tolerance: float):
    solution = _solve(_springs(jnp.float32), tolerance=tolerance)
    assert solution.status.result == ResultCode.CONVERGED
    assert solution.value.dtype == jnp.float32
    np.testing.assert_allclose(solution.value, _solve(_springs()).value, rtol=1e-5, atol=1e-6)


def test_ten_designs_compile_once():
    compiled = eqx.filter_jit(eqx.debug.assert_max_traces(lambda load: _loss(jnp.ones(SIZE), load), max_traces=1))
    for number in range(10):
        compiled(jnp.full(SIZE, 0.1 * number))
