import jax.numpy as jnp
import numpy as np
from voltherm_kernels import analyse, xla

from tests.kernels.patterns import both_ways


def test_worked_example_of_the_documentation():
    ring = analyse(*both_ways(4, np.arange(4), np.array([1, 2, 3, 0])), 4)
    assert (ring.levels, ring.fill, ring.products, ring.slots) == (3, 5, 9, 16)
    np.testing.assert_array_equal(ring.order, [0, 2, 1, 3])
    np.testing.assert_array_equal(ring.pivot_steps[0, 0], [0, 1, 14, 14])
    np.testing.assert_array_equal(ring.product_steps[0, 3], [2, 13, 8, 3])
    np.testing.assert_array_equal(ring.level_steps, [[0, 1, 0, 2], [1, 2, 2, 3], [2, 3, 3, 3]])
    values = jnp.concatenate([jnp.full(4, 4.0), jnp.full(8, -1.0)])[:, None, None, None]
    blocks = xla.factor(ring, values).ravel()
    np.testing.assert_allclose(1.0 / blocks[:4], [4.0, 4.0, 3.5, 3.5 - 0.25 / 3.5])
    side = jnp.array([1.0, 0.0, 0.0, 0.0])[:, None, None, None]
    x = xla.substitute(ring, values, blocks[:, None, None, None], side, transpose=False).ravel()
    np.testing.assert_allclose(x, [7 / 24, 1 / 12, 1 / 24, 1 / 12], rtol=1e-15)


def test_inverse_exchanges_rows_inside_a_block():
    generator = np.random.default_rng(1)
    for size in (1, 2, 3, 6):
        matrix = generator.normal(size=(2, size, size, 4))
        matrix[:, 0, 0] = 0.0 if size > 1 else 1.0
        expected = np.moveaxis(np.linalg.inv(np.moveaxis(matrix, -1, 1)), 1, -1)
        np.testing.assert_allclose(xla._inverse(jnp.asarray(matrix)), expected, rtol=1e-9, atol=1e-12)
