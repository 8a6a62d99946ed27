"""Two-port admittances against complex arithmetic."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.power.cases import BASE_POWER, branches, network_of, ring
from voltherm.power import Load, PowerParameters, concatenate, steady, two_port


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


def test_groups_with_names_may_stand_in_any_order():
    network = network_of([(0, 1), (1, 2), (2, 3)], 4)
    load = Load.from_fractions(jnp.array([0.0, 1e6, 2e6, 3e6]), jnp.zeros(4))

    def group(names, resistance):
        return dataclasses.replace(branches(len(names), resistance=resistance), names=names, base_power=BASE_POWER)

    groups = [group(("l1",), 0.02), group(("l0", "l2"), 0.01)]
    both = [PowerParameters.passive(network, concatenate(order), load) for order in (groups, groups[::-1])]
    for parameters in both:
        np.testing.assert_array_equal(parameters.branches.resistance, [0.01, 0.02, 0.01])
        assert parameters.branches.names == ()
    for wrong, words in (
        ([groups[0]], "branch 'l0' has no numbers; branch 'l2' has no numbers"),
        ([*groups, groups[0]], "branch 'l1' is given twice"),
        ([*groups, group(("l9",), 0.1)], "the network has no branch 'l9'"),
        ([branches(2)], "numbers of 2 branches are given, and the network has 3"),
        ([dataclasses.replace(branches(3), base_power=1e6)], r"per unit on 1e\+06 VA, the network on 1e\+07 VA"),
        ([dataclasses.replace(groups[0], base_power=1e6), groups[1]], "different bases"),
        ([branches(1), groups[1]], "some groups of branches have names and some have none"),
    ):
        with pytest.raises(ValueError, match=words):
            PowerParameters.passive(network, concatenate(wrong), load)


def test_numbers_that_no_branch_has_are_refused():
    sound = branches(2)
    for field, number, words in (
        ("in_service", 25.0, "branch number 2: in service 25 must lie between 0 and 1"),
        ("tap_ratio", -1.0, "branch number 2: tap ratio -1 must be positive"),
        ("rating", 0.0, "branch number 2: rating 0 must be positive"),
        ("susceptance", jnp.inf, "branch number 2: susceptance inf must be a finite number"),
    ):
        with pytest.raises(ValueError, match=words):
            dataclasses.replace(sound, **{field: getattr(sound, field).at[1].set(number)})
    none = {"resistance": jnp.array([0.01, 0.0]), "reactance": jnp.array([0.03, 0.0])}
    with pytest.raises(ValueError, match="branch number 2: it has no impedance"):
        dataclasses.replace(sound, **none)
    dataclasses.replace(sound, **none, in_service=jnp.array([1.0, 0.0]))
    # a branch out of service before it does not move a branch's number
    with pytest.raises(ValueError, match="branch number 2: resistance inf must be"):
        dataclasses.replace(sound, resistance=jnp.array([jnp.inf, jnp.inf]), in_service=jnp.array([0.0, 1.0]))


def test_numbers_of_another_network_are_refused():
    network, parameters = ring()
    other = network_of([(0, 1), (1, 2)], 3)
    with pytest.raises(ValueError, match=r"numbers of \(5,\) branches are given, and the network has 2"):
        steady(other, parameters)
    with pytest.raises(ValueError, match=r"loads of the shape \(3,\) are given, and the network has 5 buses"):
        PowerParameters.passive(network, parameters.branches, Load.none(3))
    load = Load.from_fractions(jnp.array([1e6, 2e6]), jnp.zeros(2)).on(network, ["b4", "b1"])
    np.testing.assert_array_equal(load.active_constant_power, [0.0, 2e6, 0.0, 0.0, 1e6])
    with pytest.raises(KeyError, match="no bus 'b9'"):
        load.on(network, ["b9"])
