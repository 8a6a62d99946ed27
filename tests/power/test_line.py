"""Line data per length to per unit."""

import math

import jax.numpy as jnp
import numpy as np
import pytest

from tests.power.cases import network_of
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


def test_numbers_that_no_line_has_are_refused_by_name():
    one = jnp.ones(2)
    sound = (2e-4 * one, 1.2e-4 * one, 2.6e-10 * one, 2000.0 * one, one, 400.0 * one)
    with pytest.raises(ValueError, match="line 'F2': length -5 must be positive"):
        Line(*sound[:3], jnp.array([5.0, -5.0]), *sound[4:], names=("F1", "F2"))
    with pytest.raises(ValueError, match="line number 1: resistance per length nan must not be negative"):
        Line(jnp.array([jnp.nan, 1.0]), *sound[1:])


def test_lines_take_the_bases_of_their_network():
    network = network_of([(0, 1), (1, 2)], 3)
    one = jnp.ones(2)
    numbers = (2e-4 * one, 1.2e-4 * one, 2.6e-10 * one, jnp.array([2000.0, 500.0]), one, 400.0 * one)
    found = Line(*numbers, names=("l1", "l0")).branches_of(network, 50.0)
    expected = Line(*numbers).branches(jnp.full(2, 13.8e3), network.base_power, 50.0)
    np.testing.assert_allclose(found.reactance, expected.reactance, rtol=1e-15)
    np.testing.assert_allclose(found.susceptance, expected.susceptance, rtol=1e-15)
    with pytest.raises(KeyError, match="no branch 'l7'"):
        Line(*numbers, names=("l1", "l7")).branches_of(network)
    with pytest.raises(ValueError, match="lines without names have no place in a network"):
        Line(*numbers).branches_of(network)
