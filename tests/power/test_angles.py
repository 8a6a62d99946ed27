"""Start angles against a dense solution and against the power flow itself."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from tests.power.cases import BASE_POWER, branches, network_of, ring, solve
from voltherm.power import Load, PowerParameters
from voltherm.power.angles import angles_matter, start_angles

ALL = jnp.ones(4, bool)


def mesh() -> tuple:
    """A ring of four with a phase shifter of 5 degrees and a tap, loads and generation."""
    network = network_of([(0, 1), (1, 2), (2, 3), (3, 0)], 4, voltage_controlled=(2,))
    load = Load.from_fractions(BASE_POWER * jnp.array([0.0, 0.8, 0.3, 0.5]), jnp.zeros(4))
    numbers = eqx.tree_at(
        lambda tree: (tree.phase_shift, tree.tap_ratio),
        branches(4, resistance=0.001, reactance=0.1),
        (jnp.deg2rad(jnp.array([0.0, 5.0, 0.0, 0.0])), jnp.array([1.0, 1.0, 0.95, 1.0])),
    )
    parameters = PowerParameters.passive(network, numbers, load)
    generation = BASE_POWER * jnp.array([0.0, 0.0, 1.1, 0.0])
    return network, eqx.tree_at(lambda tree: tree.active_generation, parameters, generation)


def test_angles_solve_the_linear_equations():
    network, parameters = mesh()
    flat = jnp.array([0.2, 0.2, 0.2, 0.2])
    found = np.asarray(jax.jit(lambda numbers: start_angles(network, numbers, ALL, flat))(parameters))
    assert found[0] == 0.2
    susceptance = 1.0 / (0.1 * np.asarray(parameters.branches.tap_ratio))
    across = found[network.from_bus] - found[network.to_bus] - np.asarray(parameters.branches.phase_shift)
    injected = np.array([0.0, -0.8, 1.1 - 0.3, -0.5])
    np.add.at(injected, network.from_bus, -susceptance * across)
    np.add.at(injected, network.to_bus, susceptance * across)
    np.testing.assert_allclose(injected[1:], 0.0, atol=1e-12)


def test_they_are_near_the_angles_of_the_power_flow():
    network, parameters = mesh()
    found = start_angles(network, parameters, ALL, jnp.zeros(4))
    np.testing.assert_allclose(found, solve(network, parameters).value.voltage_angle, atol=2e-3)


def test_what_is_not_sensible_is_left():
    network, parameters = mesh()
    flat = jnp.array([0.0, 0.1, 0.2, 0.3])
    heavy = eqx.tree_at(lambda tree: tree.load, parameters, jax.tree.map(lambda part: 100.0 * part, parameters.load))
    np.testing.assert_array_equal(start_angles(network, heavy, ALL, flat), flat)
    cut = eqx.tree_at(lambda tree: tree.branches.in_service, parameters, jnp.array([1.0, 1.0, 0.0, 0.0]))
    found = start_angles(network, cut, ALL.at[3].set(False), flat)
    assert float(found[3]) == float(flat[3])
    assert np.all(np.isfinite(found))


def test_they_matter_in_meshes_and_with_generators():
    assert angles_matter(ring()[0])
    assert angles_matter(network_of([(0, 1)], 2, voltage_controlled=(1,)))
    assert not angles_matter(network_of([(0, 1), (1, 2)], 3))
