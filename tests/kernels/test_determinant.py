"""The sign of a determinant against dense LU."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from voltherm_kernels import analyse
from voltherm_kernels.determinant import signs

from tests.kernels.patterns import both_ways, dense, random_graph


def _expected(schedule, values: np.ndarray) -> np.ndarray:
    return np.array([np.linalg.slogdet(dense(schedule, lane))[0] for lane in np.moveaxis(values, -1, 0)])


@pytest.mark.parametrize("implementation", ["xla", "auto"])
@pytest.mark.parametrize("block", [1, 2, 3])
def test_signs_are_those_of_dense_matrices(block: int, implementation: str):
    schedule = analyse(*random_graph(7, 10, block), 7, block)
    values = np.random.default_rng(block).normal(size=(schedule.entries, block, block, 40))
    expected = _expected(schedule, values)
    assert set(expected) == {-1.0, 1.0}
    found = jax.jit(lambda values: signs(schedule, values, implementation))(jnp.asarray(values))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("implementation", ["xla", "auto"])
def test_exchanges_of_pivoting_count(implementation: str):
    schedule = analyse(*both_ways(4, np.arange(4), np.array([1, 2, 3, 0])), 4)
    values = np.random.default_rng(7).normal(size=(schedule.entries, 1, 1, 30))
    values[:4] = 0.0  # no pivot to begin with, in any order
    expected = _expected(schedule, values)
    assert set(expected) == {-1.0, 1.0}
    values[..., 0] = 0.0
    values[3, ..., 1] = np.nan
    found = np.asarray(signs(schedule, jnp.asarray(values), implementation))
    np.testing.assert_array_equal(found[2:], expected[2:])
    np.testing.assert_array_equal(found[:2], 0.0)


def test_no_lanes():
    schedule = analyse(*random_graph(7, 10, 2), 7, 2)
    assert signs(schedule, jnp.zeros((schedule.entries, 2, 2, 0))).shape == (0,)
