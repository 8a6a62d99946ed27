"""Two-port admittances against complex arithmetic."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from tests.power.cases import branches
from voltherm.power import concatenate, two_port


def _complex(pair):
    return np.asarray(pair[0]) + 1j * np.asarray(pair[1])


def test_two_port_matches_the_complex_form():
    model = eqx.tree_at(
        lambda tree: (tree.conductance, tree.tap_ratio, tree.phase_shift),
        branches(2, susceptance=0.04),
        (jnp.array([0.0, 0.002]), jnp.array([0.95, 1.02]), jnp.array([0.3, -0.1])),
    )
    series = 1.0 / (np.asarray(model.resistance) + 1j * np.asarray(model.reactance))
    half = 0.5 * (np.asarray(model.conductance) + 1j * np.asarray(model.susceptance))
    tap = np.asarray(model.tap_ratio) * np.exp(1j * np.asarray(model.phase_shift))
    got = two_port(model)
    np.testing.assert_allclose(_complex(got.to_to), series + half, rtol=1e-14)
    np.testing.assert_allclose(_complex(got.from_from), (series + half) / abs(tap) ** 2, rtol=1e-14)
    np.testing.assert_allclose(_complex(got.from_to), -series / np.conj(tap), rtol=1e-14)
    np.testing.assert_allclose(_complex(got.to_from), -series / tap, rtol=1e-14)


def test_out_of_service_is_all_zero():
    model = eqx.tree_at(lambda tree: tree.in_service, branches(3, susceptance=0.1), jnp.zeros(3))
    assert all(float(jnp.abs(leaf).max()) == 0.0 for leaf in jax.tree.leaves(two_port(model)))


def test_concatenate_keeps_the_order():
    joined = concatenate([branches(2, resistance=0.1), branches(1, resistance=0.2)])
    np.testing.assert_array_equal(joined.resistance, [0.1, 0.1, 0.2])
