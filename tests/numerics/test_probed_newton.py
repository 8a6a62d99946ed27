"""Newton's method from probes: order of convergence, kinks, hints, what is not finite."""

import jax
import jax.numpy as jnp
import numpy as np

from voltherm.numerics.probed_newton import Point, probed_newton

SIZE = 6
COUPLING = jnp.asarray(0.2 * np.random.default_rng(5).normal(size=(SIZE, SIZE)))


def _image(z: jax.Array) -> jax.Array:
    return -2.0 * jnp.tanh(z) + COUPLING @ z + jnp.linspace(-1.0, 1.0, SIZE)


def _whole(residual: jax.Array, differences: jax.Array) -> jax.Array:
    """The step where every unknown has a probe of its own."""
    return jnp.linalg.solve(jnp.eye(residual.size, dtype=residual.dtype) - differences.T, residual)


def _solve(image, initial, tolerance=1e-12, step=_whole, **options) -> Point:
    return probed_newton(
        lambda z, hint: (image(z), hint + 1),
        initial,
        lambda count: count,
        jnp.zeros((), jnp.int32),
        probes=jnp.eye(initial.size, dtype=initial.dtype),
        step=step,
        tolerance=jnp.asarray(tolerance, initial.dtype),
        **options,
    )


def test_a_map_that_repels_is_solved_in_a_few_steps():
    found = jax.jit(lambda z: _solve(_image, z))(jnp.zeros(SIZE))
    assert np.max(np.abs(np.linalg.eigvals(jax.jacobian(_image)(found.z)))) > 1.0
    np.testing.assert_allclose(found.image, found.z, rtol=0.0, atol=1e-12)
    np.testing.assert_allclose(_image(found.z), found.image, rtol=1e-14)
    assert found.norm <= 1e-12
    # the hint of an evaluation is what the one before found: it has counted them
    assert found.auxiliary <= 8


def test_one_probe_may_serve_unknowns_that_hardly_touch():
    def image(z):
        return 0.8 * jnp.sin(3.0 * z) + 1e-3 * jnp.sum(z) + jnp.linspace(0.0, 0.3, SIZE)

    found = probed_newton(
        lambda z, hint: (image(z), None),
        jnp.full(SIZE, 0.5),
        lambda _: None,
        None,
        probes=jnp.ones((1, SIZE)),
        step=lambda residual, differences: residual / (1.0 - differences[0]),
        tolerance=jnp.asarray(1e-12),
    )
    assert found.norm <= 1e-12


def test_a_step_that_brings_no_gain_is_shortened():
    # full steps from here leave the root farther and farther behind
    found = _solve(lambda z: z - jnp.arctan(4.0 * (z - 1.0)), jnp.asarray([2.0]))
    np.testing.assert_allclose(found.z, 1.0, rtol=1e-11)


def test_past_a_fold_it_goes_on_to_where_the_map_stops():
    # the residual has a minimum at 0.5 and no root before the end at 1: Newton's steps are thrown back there. Whoever
    # solves for z again and again goes on from where it stopped.
    for least in (1e-3, 1e-2):

        def image(z, least=least):
            return jnp.minimum(z + least + 0.5 * (z - 0.5) ** 2, 1.0)

        solve = jax.jit(lambda z, image=image: _solve(image, z, maximum_evaluations=20))
        for start in (0.1, 0.3, 0.45, 0.55, 0.7, 0.9):
            z = jnp.full(1, start)
            for _ in range(3):
                found = solve(z)
                z = found.z
            assert found.norm <= 1e-12, (least, start)
            np.testing.assert_allclose(found.z, 1.0, rtol=0, atol=1e-12)


def test_what_is_not_finite_ends_at_once_or_is_stepped_back_from():
    lost = _solve(lambda z: z * jnp.nan, jnp.zeros(2))
    assert jnp.isinf(lost.norm)
    # beyond 3 the map is undefined, and the first step goes there
    found = _solve(lambda z: jnp.where(z < 3.0, z - jnp.tanh(2.0 * (z - 1.0)), jnp.nan), jnp.asarray([0.2]))
    np.testing.assert_allclose(found.z, 1.0, rtol=1e-11)


def test_lanes_end_each_for_itself():
    starts = jnp.stack([jnp.zeros(SIZE), jnp.linspace(-1.0, 1.0, SIZE), jnp.full(SIZE, jnp.nan)])
    solve = jax.jit(jax.vmap(lambda z: _solve(_image, z)))
    found = solve(starts)
    assert jnp.isinf(found.norm[2])
    assert jnp.all(found.norm[:2] <= 1e-12)
    np.testing.assert_array_equal(found.z[0], solve(starts.at[1:].set(0.3)).z[0])


def test_single_precision():
    found = _solve(lambda z: jnp.tanh(0.5 * z) + jnp.asarray([0.3, -0.2], z.dtype), jnp.zeros(2, jnp.float32), 1e-5)
    assert found.norm <= 1e-5
    assert found.z.dtype == jnp.float32
