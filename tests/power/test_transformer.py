"""Nameplate to per unit; short-circuit and no-load tests reproduce the nameplate."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from voltherm.power import Load, Network, PowerParameters, Transformer, steady


def _unit(parallel=1.0, no_load_loss=3.2e3, no_load_current=0.005):
    one = jnp.ones(1)
    return Transformer(
        rated_power=2.5e6 * one,
        short_circuit_voltage=0.0575 * one,
        short_circuit_resistance=0.0085 * one,
        no_load_loss=no_load_loss * one,
        no_load_current=no_load_current * one,
        tap_ratio=one,
        phase_shift=0.0 * one,
        parallel=parallel * one,
    )


def test_short_circuit_impedance_on_its_own_base():
    model = _unit().branches(2.5e6)
    np.testing.assert_allclose(jnp.hypot(model.resistance, model.reactance), 0.0575, rtol=1e-14)
    np.testing.assert_allclose(model.resistance, 0.0085, rtol=1e-14)
    np.testing.assert_allclose(model.rating, 2.5e6)


def test_rated_current():
    np.testing.assert_allclose(_unit().rated_current(jnp.array([480.0])), 3007.0, atol=0.1)
    np.testing.assert_allclose(_unit(parallel=2.0).rated_current(jnp.array([415.0])), 2 * 3478.0, atol=0.1)


def test_open_secondary_draws_the_no_load_loss_and_current():
    network = Network.build(["high", "low"], [34.5e3, 480.0], [("t", "high", "low")], ["high"], base_power=2.5e6)
    parameters = PowerParameters.passive(network, _unit().branches(network.base_power), Load.none(2))
    state = steady(network, parameters).value
    # half of the magnetising admittance sits behind the series impedance: a shift of order z times i_0
    np.testing.assert_allclose(state.active_source[0], 3.2e3, rtol=1e-3)
    np.testing.assert_allclose(state.loading[0], 0.005, rtol=1e-3)


def test_parallel_units_share():
    one, two = _unit().branches(1e6), _unit(parallel=2.0).branches(1e6)
    np.testing.assert_allclose(two.reactance, one.reactance / 2, rtol=1e-14)
    np.testing.assert_allclose(two.conductance, one.conductance * 2, rtol=1e-14)
    np.testing.assert_allclose(two.susceptance, one.susceptance * 2, rtol=1e-14)


def test_an_ideal_core_has_finite_derivatives():
    gradient = jax.grad(lambda unit: jnp.sum(unit.branches(1e6).susceptance))(
        _unit(no_load_loss=0.0, no_load_current=0.0)
    )
    assert all(bool(jnp.isfinite(leaf).all()) for leaf in jax.tree.leaves(gradient))


def test_numbers_that_no_transformer_has_are_refused_by_name():
    one = jnp.ones(2)
    sound = {
        "rated_power": 2.5e6 * one,
        "short_circuit_voltage": 0.0575 * one,
        "short_circuit_resistance": 0.0085 * one,
        "no_load_loss": 3.2e3 * one,
        "no_load_current": 0.005 * one,
        "tap_ratio": one,
        "phase_shift": 0.0 * one,
        "parallel": one,
        "names": ("T1", "T2"),
    }
    Transformer(**sound)
    for field, number, words in (
        ("short_circuit_voltage", 5.75, "'T2': short circuit voltage 5.75 must be above 0 and at most 1"),
        (
            "short_circuit_resistance",
            0.1,
            "'T2': short circuit resistance 0.1 exceeds the short circuit voltage 0.0575",
        ),
        ("no_load_loss", 3.2e4, "'T2': no load loss 32000 W exceeds the no-load power 12500 VA"),
        ("rated_power", -2.5e6, "'T2': rated power -2.5e[+]06 must be positive"),
        ("tap_ratio", 0.0, "'T2': tap ratio 0 must be positive"),
        ("phase_shift", jnp.nan, "'T2': phase shift nan must be a finite number"),
    ):
        with pytest.raises(ValueError, match=words):
            Transformer(**{**sound, field: sound[field].at[1].set(number)})
    with pytest.raises(ValueError, match="transformer number 1: parallel 0 must be positive; transformer number 2"):
        Transformer(**{**sound, "parallel": 0.0 * one, "names": ()})


def test_numbers_in_a_traced_program_are_not_looked_at():
    loss = jax.jit(lambda power: eqx.tree_at(lambda unit: unit.rated_power, _unit(), power).branches(1e6).rating)
    np.testing.assert_array_equal(loss(jnp.array([-1.0])), [-1.0])
