import jax.numpy as jnp
import numpy as np

from voltherm.media.polynomial import collapse, horner, reduced_temperature


def test_horner_against_numpy():
    x = jnp.linspace(-1.0, 2.0, 7)
    np.testing.assert_allclose(horner((1.0, -2.0, 0.5, 3.0), x), np.polyval([3.0, 0.5, -2.0, 1.0], x), rtol=1e-14)


def test_a_constant_takes_the_shape_and_precision_of_its_argument():
    value = horner((2.0,), jnp.zeros((2, 3), jnp.float32))
    assert value.shape == (2, 3)
    assert value.dtype == jnp.float32


def test_collapse_of_a_ragged_table():
    first, second = collapse(((1.0, 2.0, 3.0), (4.0,)), jnp.asarray(0.5))
    assert float(first) == 1.0 + 2.0 * 0.5 + 3.0 * 0.25
    assert float(second) == 4.0


def test_reduced_temperature():
    assert float(reduced_temperature(jnp.asarray(273.15))) == 0.0
    np.testing.assert_allclose(reduced_temperature(jnp.asarray(373.15)), 1.0, rtol=1e-15)
