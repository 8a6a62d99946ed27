import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from voltherm.numerics import ResultCode, newton
from voltherm.numerics.nan_max import nan_max


def test_the_maximum_and_its_lower_bound():
    assert float(nan_max(jnp.array([1.0, -3.0, 2.0]), 0.0)) == 2.0
    assert float(nan_max(jnp.array([-1.0, -3.0]), 0.0)) == 0.0
    assert float(nan_max(jnp.zeros((0,)), -1.0)) == -1.0
    assert float(nan_max(jnp.array([1.0, jnp.inf]), 0.0)) == np.inf


@pytest.mark.parametrize("shape", [(100_000,), (4096, 10), (128, 1000)])
def test_nan_is_not_forgotten_in_large_arrays_and_batches(shape: tuple[int, ...]):
    values = np.ones(shape)
    values[..., shape[-1] // 2] = np.nan
    found = functools.partial(nan_max, initial=0.0)
    for _ in shape[1:]:
        found = jax.vmap(found)
    assert np.all(np.isnan(jax.jit(found)(jnp.asarray(values))))


def test_a_lane_ends_the_same_alone_and_among_thousands():
    # Newton's first step leaves the domain of the root, and so does every shorter one: the residual is NaN there
    def residual(y, target):
        return jnp.where(y > 0.9, y - target, jnp.nan * y)

    def linear_solve(y, target, right):
        return right

    def solved(target):
        return newton(residual, jnp.ones(64), target, linear_solve=linear_solve, tolerance=1e-9).status.result

    targets = jnp.where(jnp.arange(2048)[:, None] % 3 == 0, -2000.0, 1.5) * jnp.ones((1, 64))
    together = jax.jit(jax.vmap(solved))(targets)
    assert int(together[1]) == ResultCode.CONVERGED == int(solved(targets[1]))
    assert int(together[0]) == int(solved(targets[0])) != ResultCode.CONVERGED
    np.testing.assert_array_equal(together[::3], together[0])
