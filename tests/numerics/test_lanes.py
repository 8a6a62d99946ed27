import jax
import jax.numpy as jnp
import numpy as np
import pytest

from voltherm.numerics import over_lanes

FIRST, SECOND = jnp.asarray([0.5, 1.0, 1.5]), {"a": jnp.asarray([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])}


def _lane(first, second):
    return jax.lax.while_loop(lambda x: x < 2.0, lambda x: 2.0 * x, first), jnp.sin(first) * second["a"]


@pytest.mark.parametrize("together", [True, False, None])
def test_lanes_are_single_calls_stacked(together):
    doubled, products = jax.jit(lambda *lanes: over_lanes(_lane, *lanes, together=together))(FIRST, SECOND)
    np.testing.assert_array_equal(doubled, [2.0, 2.0, 3.0])
    np.testing.assert_allclose(products, np.sin(FIRST)[:, None] * SECOND["a"], rtol=1e-15)


@pytest.mark.parametrize("together", [True, False])
def test_both_ways_differentiate_and_nest(together):
    def total(first):
        return jnp.sum(over_lanes(lambda one: jnp.sin(one) ** 2, first, together=together))

    np.testing.assert_allclose(jax.grad(total)(FIRST), jnp.sin(2.0 * FIRST), rtol=1e-14)
    tangent = jax.jvp(total, (FIRST,), (jnp.ones(3),))[1]
    np.testing.assert_allclose(tangent, jnp.sum(jnp.sin(2.0 * FIRST)), rtol=1e-14)
    nested = jax.vmap(jax.grad(total))(jnp.stack([FIRST, 2.0 * FIRST]))
    np.testing.assert_allclose(nested[1], jnp.sin(4.0 * FIRST), rtol=1e-14)
