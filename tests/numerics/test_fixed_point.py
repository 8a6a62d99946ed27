import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from voltherm.numerics import ResultCode, Solution, fixed_point, known_fixed_point

SIZE = 8
COUPLING = jnp.asarray(0.5 * np.random.default_rng(0).normal(size=(SIZE, SIZE)))
SHIFT = jnp.asarray(np.random.default_rng(1).normal(size=SIZE))


def _map(y: jax.Array, args: tuple[jax.Array, jax.Array]) -> jax.Array:
    coupling, shift = args
    return 0.9 * jnp.tanh(coupling @ y) + shift


def _solve(coupling: jax.Array, shift: jax.Array, **options) -> Solution:
    return fixed_point(_map, jnp.zeros_like(shift), (coupling, shift), **({"tolerance": 1e-13} | options))


def _loss(shift: jax.Array) -> jax.Array:
    return jnp.sum(_solve(COUPLING, shift).value ** 3)


def _exact_gradient(shift: jax.Array) -> jax.Array:
    """The same by a dense solve."""
    y = _solve(COUPLING, shift).value
    slope = jax.jacobian(_map)(y, (COUPLING, shift))
    return jnp.linalg.solve((jnp.eye(SIZE) - slope).T, 3.0 * y**2)


def test_finds_the_fixed_point_faster_than_iterating():
    solution = jax.jit(_solve)(COUPLING, SHIFT)
    assert solution.status.result == ResultCode.CONVERGED
    np.testing.assert_allclose(_map(solution.value, (COUPLING, SHIFT)), solution.value, rtol=0, atol=1e-13)
    y, plain = jnp.zeros(SIZE), 0
    while jnp.max(jnp.abs(_map(y, (COUPLING, SHIFT)) - y)) > 1e-13 and plain < 500:
        y, plain = _map(y, (COUPLING, SHIFT)), plain + 1
    assert int(solution.status.iterations) < 0.7 * plain


def test_finds_a_fixed_point_that_repels():
    slope = jnp.array([-3.0, 2.0, -1.5, 0.2])
    solution = fixed_point(lambda y, a: slope * y + a, jnp.zeros(4), jnp.ones(4), tolerance=1e-12)
    assert solution.status.result == ResultCode.CONVERGED
    np.testing.assert_allclose(solution.value, 1.0 / (1.0 - slope), rtol=1e-10)


def test_kinks_on_the_way_do_not_trap_the_acceleration():
    # a controller that saturates on both sides of its set point, a plant that answers late, and a store between them
    def image(y, gain):
        opening = jnp.clip(0.5 - gain * (y[2] - 1.0), 0.1, 1.0)
        flow = jnp.where(y[0] > 0.9, 0.9 + 0.2 * (y[0] - 0.9), y[0])
        reached = jnp.maximum(1.0, 2.0 - 1.6 * flow)
        return jnp.stack([opening, 0.5 * (y[1] + reached), 0.3 * y[2] + 0.7 * y[1]])

    for gain in (0.3, 0.5, 0.6):
        for start in (0.0, 0.6, 2.0):
            solution = fixed_point(image, jnp.full(3, start), jnp.asarray(gain), tolerance=1e-10, maximum_iterations=80)
            assert solution.status.result == ResultCode.CONVERGED, (gain, start)


def test_gradient_is_exact_in_both_modes():
    gradient = jax.jit(jax.grad(_loss))(SHIFT)
    expected = _exact_gradient(SHIFT)
    np.testing.assert_allclose(gradient, expected, rtol=1e-12)
    np.testing.assert_allclose(jax.jit(jax.jacfwd(_loss))(SHIFT), expected, rtol=1e-12)
    step = 1e-6
    loss = jax.jit(_loss)
    central = [(loss(SHIFT + step * unit) - loss(SHIFT - step * unit)) / (2 * step) for unit in np.eye(SIZE)]
    np.testing.assert_allclose(gradient, central, rtol=1e-6, atol=1e-7)


def test_second_derivative_matches_the_dense_one():
    hessian = jax.jit(jax.hessian(_loss))(SHIFT)
    step = 1e-5
    gradient = jax.jit(_exact_gradient)
    central = np.array(
        [(gradient(SHIFT + step * unit) - gradient(SHIFT - step * unit)) / (2 * step) for unit in np.eye(SIZE)]
    )
    np.testing.assert_allclose(hessian, central, rtol=1e-5, atol=1e-5 * np.abs(central).max())


def test_unknowns_of_very_different_size():
    scale = jnp.asarray(10.0 ** np.arange(-4, 4))

    def scaled(y: jax.Array, args: tuple[jax.Array, jax.Array]) -> jax.Array:
        return scale * _map(y / scale, args)

    def loss(shift: jax.Array) -> jax.Array:
        solution = fixed_point(scaled, jnp.zeros(SIZE), (COUPLING, shift), tolerance=1e-13, scale=scale)
        return jnp.sum((solution.value / scale) ** 3)

    np.testing.assert_allclose(jax.jit(jax.grad(loss))(SHIFT), _exact_gradient(SHIFT), rtol=1e-12)


def test_failed_lanes_are_nan_with_zero_gradient_and_leave_the_rest_alone():
    good = jnp.stack([SHIFT, SHIFT, 2.0 * SHIFT])
    broken = good.at[1, 3].set(jnp.nan)
    batched = jax.jit(jax.vmap(jax.value_and_grad(_loss)))
    (value, gradient), (before, gradient_before) = batched(broken), batched(good)
    assert jnp.isnan(value[1])
    np.testing.assert_array_equal(gradient[1], 0.0)
    lanes = jnp.array([0, 2])
    np.testing.assert_array_equal(value[lanes], before[lanes])
    np.testing.assert_array_equal(gradient[lanes], gradient_before[lanes])


def test_auxiliary_is_what_the_last_evaluation_found_and_differentiates():
    def with_auxiliary(y: jax.Array, args: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, dict[str, jax.Array]]:
        image = _map(y, args)
        return image, {"sum": jnp.sum(y**2 * args[1]), "count": jnp.asarray(3)}

    def found(shift: jax.Array) -> Solution:
        return fixed_point(
            with_auxiliary, jnp.zeros(SIZE), (COUPLING, shift), tolerance=1e-13, has_aux=True, maximum_iterations=30
        )

    def expected(shift: jax.Array) -> jax.Array:
        return jnp.sum(_solve(COUPLING, shift).value ** 2 * shift)

    y, auxiliary = found(SHIFT).value
    np.testing.assert_allclose(auxiliary["sum"], jnp.sum(y**2 * SHIFT), rtol=1e-14)
    assert auxiliary["count"] == 3
    batched = jax.jit(jax.vmap(jax.value_and_grad(lambda shift: found(shift).value[1]["sum"])))
    value, gradient = batched(jnp.stack([SHIFT, SHIFT.at[3].set(jnp.nan)]))
    np.testing.assert_allclose(gradient[0], jax.jit(jax.grad(expected))(SHIFT), rtol=1e-11, atol=1e-12)
    assert jnp.isnan(value[1])
    np.testing.assert_array_equal(gradient[1], 0.0)


def test_codes_of_failure():
    assert _solve(COUPLING, SHIFT * jnp.nan).status.result == ResultCode.NOT_FINITE
    short = _solve(COUPLING, SHIFT, maximum_iterations=2)
    assert short.status.result == ResultCode.MAXIMUM_ITERATIONS
    assert jnp.all(jnp.isnan(short.value))


def test_steps_where_the_map_is_undefined_are_shortened():
    solution = fixed_point(lambda y, _: jnp.where(y < 2.0, 8.0 - 5.0 * y, jnp.nan), jnp.zeros(1), (), tolerance=1e-12)
    assert solution.status.result == ResultCode.CONVERGED
    np.testing.assert_allclose(solution.value, 8.0 / 6.0, rtol=1e-10)


def test_one_unknown_and_a_start_at_the_solution():
    solution = fixed_point(lambda y, a: jnp.cos(y) * a, jnp.ones(1), jnp.asarray(1.0), tolerance=1e-13)
    np.testing.assert_allclose(solution.value, 0.7390851332151607, rtol=1e-12)
    again = fixed_point(lambda y, a: jnp.cos(y) * a, solution.value, jnp.asarray(1.0), tolerance=1e-12)
    assert again.status.iterations == 0


def test_single_precision_reaches_what_it_can():
    solution = _solve(COUPLING.astype(jnp.float32), SHIFT.astype(jnp.float32), tolerance=1e-12)
    assert solution.status.result == ResultCode.CONVERGED
    assert solution.value.dtype == jnp.float32
    np.testing.assert_allclose(solution.value, _solve(COUPLING, SHIFT).value, rtol=1e-4, atol=1e-5)


def test_a_known_fixed_point_has_the_derivatives_of_a_solved_one():
    def function(y, shift):
        image = 0.3 * jnp.tanh(y) + shift * jnp.arange(1.0, 4.0)
        return image, jnp.sum(image**2)

    def solved(shift):
        value, auxiliary = fixed_point(function, jnp.zeros(3), shift, tolerance=1e-13, has_aux=True).value
        return jnp.sum(value**3) + auxiliary

    shift = jnp.asarray(0.4)
    value, auxiliary = fixed_point(function, jnp.zeros(3), shift, tolerance=1e-13, has_aux=True).value

    def known(shift):
        again, squares = known_fixed_point(function, value, auxiliary, shift)
        return jnp.sum(again**3) + squares

    np.testing.assert_allclose(known(shift), solved(shift), rtol=1e-15)
    np.testing.assert_allclose(jax.grad(known)(shift), jax.grad(solved)(shift), rtol=1e-12)
    np.testing.assert_allclose(jax.grad(known)(shift), (solved(shift + 1e-5) - solved(shift - 1e-5)) / 2e-5, rtol=1e-8)


def test_the_hint_is_what_the_pass_before_left_and_changes_no_answer():
    def image(y, scale, hint):
        # as an inner solve that starts from the last answer: without one it starts at zero and counts a long way
        steps = jnp.sum(jnp.abs(y - jnp.where(jnp.isnan(hint), 0.0, hint)))
        return scale * jnp.cos(y), (y, steps)

    def solved(scale):
        root = fixed_point(
            image,
            jnp.full(3, 0.2),
            scale,
            tolerance=1e-12,
            has_aux=True,
            hint=lambda auxiliary: auxiliary[0],
            first_hint=jnp.full(3, jnp.nan),
        )
        return root.value[0], (root.value[1][1], root.status.result)

    def plain(scale):
        return fixed_point(lambda y, scale: scale * jnp.cos(y), jnp.full(3, 0.2), scale, tolerance=1e-12).value

    scale = jnp.asarray([0.3, 0.6, 0.9])
    value, (steps, result) = eqx.filter_jit(solved)(scale)
    assert result == ResultCode.CONVERGED
    np.testing.assert_allclose(value, plain(scale), atol=1e-12)
    assert steps < 1e-4
    with_hint, _ = jax.jacrev(solved, has_aux=True)(scale)
    np.testing.assert_allclose(with_hint, jax.jacfwd(plain)(scale), atol=1e-11)

    def known(scale):
        return known_fixed_point(image, value, (value, steps), scale, hint=lambda auxiliary: auxiliary[0])[0]

    np.testing.assert_allclose(jax.jacrev(known)(scale), with_hint, atol=1e-11)


def test_what_ends_at_round_off_is_one_point():
    # no residual is zero for long: the image is moved by a few units of round-off that depend on the point
    def image(y, args):
        noise = 50.0 * jnp.finfo(y.dtype).eps * jnp.sin(1e15 * y)
        return 0.5 * y + 1.0 + noise, y

    found = jax.jit(lambda: fixed_point(image, jnp.zeros(3), None, tolerance=0.0, has_aux=True))()
    value, auxiliary = found.value
    assert found.status.result == ResultCode.CONVERGED
    np.testing.assert_array_equal(value, auxiliary)
    assert found.status.residual <= 1000.0 * jnp.finfo(value.dtype).eps
