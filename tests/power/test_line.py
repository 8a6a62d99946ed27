"""Line data per length to per unit."""

import math

import jax.numpy as jnp
import numpy as np

from voltherm.power import Line


def _line(length=2000.0, parallel=1.0):
    one = jnp.ones(1)
    return Line(2e-4 * one, 1.2e-4 * one, 2.6e-10 * one, length * one, parallel * one, 400.0 * one)


def test_per_unit_and_rating():
    voltage, base = 34.5e3, 100e6
    model = _line().branches(jnp.array([voltage]), base, frequency=60.0)
    impedance_base = voltage**2 / base
    np.testing.assert_allclose(model.resistance, 0.4 / impedance_base, rtol=1e-14)
    np.testing.assert_allclose(model.reactance, 0.24 / impedance_base, rtol=1e-14)
    np.testing.assert_allclose(model.susceptance, 2 * math.pi * 60 * 2.6e-10 * 2000 * impedance_base, rtol=1e-14)
    np.testing.assert_allclose(model.rating, math.sqrt(3) * voltage * 400.0, rtol=1e-14)
    assert float(model.in_service[0]) == float(model.tap_ratio[0]) == 1.0


def test_two_circuits_are_half_the_impedance_and_twice_the_rating():
    one, two = (_line(parallel=count).branches(jnp.array([13.8e3]), 10e6) for count in (1.0, 2.0))
    np.testing.assert_allclose(two.resistance, one.resistance / 2, rtol=1e-14)
    np.testing.assert_allclose(two.susceptance, one.susceptance * 2, rtol=1e-14)
    np.testing.assert_allclose(two.rating, one.rating * 2, rtol=1e-14)
