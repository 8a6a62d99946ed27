"""A map in an expensive and a cheap part: root and derivatives of the whole, in fewer evaluations of the first."""

import jax
import jax.numpy as jnp
import numpy as np

from voltherm.numerics import NestedMap, ResultCode, Solution, fixed_point, nested_fixed_point

OUTER, INNER = 5, 4
_RANDOM = np.random.default_rng(2)
INTO = jnp.asarray(0.2 * _RANDOM.normal(size=(OUTER, OUTER + INNER)))
SELF = jnp.asarray(0.4 * _RANDOM.normal(size=(INNER, INNER)))
SHIFT = jnp.asarray(_RANDOM.normal(size=OUTER))


def _heavy(x, args, hint):
    return {"heat": jnp.tanh(x) * args, "calls": hint + 1}


def _light(x, z, found, args, hint):
    image_x = INTO @ jnp.concatenate([found["heat"], z]) + args
    image_z = jnp.sin(SELF @ z) + 0.5 * jnp.mean(found["heat"])
    return image_x, image_z, jnp.sum(z**2)


def _gather(x, z, found, auxiliary, args):
    return {"sum": jnp.sum(found["heat"]) + auxiliary * args[0], "calls": found["calls"]}


PARTS = NestedMap(
    heavy=_heavy,
    light=_light,
    gather=_gather,
    hints=lambda wanted: (wanted["calls"], None),
    light_hint=lambda auxiliary: None,
)


def _solve(shift, **options) -> Solution:
    return nested_fixed_point(
        PARTS,
        jnp.zeros(OUTER + INNER),
        OUTER,
        shift,
        (jnp.zeros((), jnp.int32), None),
        probes=jnp.eye(INNER),
        step=lambda residual, differences: jnp.linalg.solve(jnp.eye(INNER) - differences.T, residual),
        **({"tolerance": 1e-12} | options),
    )


def _whole(shift) -> Solution:
    def image(y, shift):
        image, wanted = PARTS.evaluate(y, OUTER, shift, (jnp.zeros((), jnp.int32), None))
        return image, wanted["sum"]

    return fixed_point(image, jnp.zeros(OUTER + INNER), shift, tolerance=1e-13, has_aux=True)


def test_finds_the_root_of_the_whole_with_few_evaluations_of_the_dear_part():
    solution, whole = jax.jit(_solve)(SHIFT), jax.jit(_whole)(SHIFT)
    assert solution.status.result == ResultCode.CONVERGED
    y, wanted = solution.value
    np.testing.assert_allclose(y, whole.value[0], rtol=0.0, atol=1e-11)
    np.testing.assert_allclose(wanted["sum"], whole.value[1], rtol=1e-11)
    assert wanted["calls"] == solution.status.iterations + 1
    assert solution.status.iterations < whole.status.iterations
    image, _ = PARTS.evaluate(y, OUTER, SHIFT, (jnp.zeros((), jnp.int32), None))
    assert jnp.max(jnp.abs(image - y)) <= 1e-12


def test_derivatives_are_those_of_the_whole():
    def loss(solution):
        return jnp.sum(solution.value[0] ** 3)

    expected = jax.jit(jax.grad(lambda shift: loss(_whole(shift)) + _whole(shift).value[1]))(SHIFT)
    reverse = jax.jit(jax.grad(lambda shift: loss(_solve(shift)) + _solve(shift).value[1]["sum"]))(SHIFT)
    forward = jax.jit(jax.jacfwd(lambda shift: loss(_solve(shift)) + _solve(shift).value[1]["sum"]))(SHIFT)
    np.testing.assert_allclose(reverse, expected, rtol=1e-10)
    np.testing.assert_allclose(forward, expected, rtol=1e-10)


def test_failed_lanes_are_nan_with_zero_gradient_and_leave_the_rest_alone():
    good = jnp.stack([SHIFT, SHIFT, 2.0 * SHIFT])
    batched = jax.jit(jax.vmap(jax.value_and_grad(lambda shift: jnp.sum(_solve(shift).value[0] ** 3))))
    (value, gradient), (before, gradient_before) = batched(good.at[1, 3].set(jnp.nan)), batched(good)
    assert jnp.isnan(value[1])
    np.testing.assert_array_equal(gradient[1], 0.0)
    lanes = jnp.array([0, 2])
    np.testing.assert_array_equal(value[lanes], before[lanes])
    np.testing.assert_array_equal(gradient[lanes], gradient_before[lanes])


def test_codes_of_failure():
    assert _solve(SHIFT * jnp.nan).status.result == ResultCode.NOT_FINITE
    short = _solve(SHIFT, maximum_iterations=1)
    assert short.status.result == ResultCode.MAXIMUM_ITERATIONS
    assert jnp.all(jnp.isnan(short.value[0]))


def test_a_start_at_the_solution_takes_no_step():
    found = _solve(SHIFT).value[0]
    again = nested_fixed_point(
        PARTS,
        found,
        OUTER,
        SHIFT,
        (jnp.zeros((), jnp.int32), None),
        probes=jnp.eye(INNER),
        step=lambda residual, differences: residual,
        tolerance=1e-11,
    )
    assert again.status.iterations == 0


def test_residual_and_worst_are_those_of_one_point():
    # x_0 moves on by 0.1, further on by 10, where z has no root: the best point is an early one, and x_0 its worst
    def light(x, z, found, step, hint):
        near = jnp.abs(x[0]) < 3.0
        image_x = jnp.stack([x[0] + jnp.where(near, 0.1, 10.0) * step, 0.5 * x[1] + 0.1])
        return image_x, jnp.where(near, 0.5 * z + 1.0, z + 100.0 + z * z), None

    runaway = NestedMap(
        heavy=lambda x, step, hint: None,
        light=light,
        gather=lambda x, z, found, auxiliary, step: x,
        hints=lambda wanted: (None, None),
        light_hint=lambda auxiliary: None,
    )
    for limit in (5, 30, 50):
        status = nested_fixed_point(
            runaway,
            jnp.zeros(3),
            2,
            jnp.ones(()),
            (None, None),
            probes=jnp.eye(1),
            step=lambda residual, differences: jnp.linalg.solve(jnp.eye(1) - differences.T, residual),
            tolerance=1e-10,
            maximum_iterations=limit,
        ).status
        assert status.result != ResultCode.CONVERGED
        np.testing.assert_allclose(status.residual, 0.1, rtol=1e-12)
        assert status.worst == 0
