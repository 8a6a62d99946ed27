"""Power flow: closed forms, invariances, degenerate networks, failures as codes."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.power.cases import BASE_POWER, branches, network_of, ring, solve, two_bus, two_bus_voltage
from voltherm.numerics import ResultCode, sentence
from voltherm.power import Load, Network, PowerParameters, steady


@pytest.fixture(scope="module")
def ring_solution():
    network, parameters = ring()
    return network, parameters, solve(network, parameters)


def test_two_bus_closed_form():
    network, parameters = two_bus(0.0, 0.0)
    loads = BASE_POWER * jnp.array([[0.5, 0.2], [3.0, 0.5], [-1.0, 0.3], [0.0, 0.0]])

    def voltage(power):
        load = Load.from_fractions(jnp.stack([0.0 * power[0], power[0]]), jnp.stack([0.0 * power[1], power[1]]))
        loaded = eqx.tree_at(lambda tree: tree.load, parameters, load)
        return steady(network, loaded).value.voltage_magnitude[1]

    expected = [two_bus_voltage(*(float(part) for part in power / BASE_POWER)) for power in loads]
    np.testing.assert_allclose(jax.jit(jax.vmap(voltage))(loads), expected, rtol=1e-12)


def test_balances_close(ring_solution):
    _, parameters, solution = ring_solution
    state = solution.value
    assert int(solution.status.result) == ResultCode.CONVERGED
    assert int(solution.status.iterations) <= 5
    consumed = float(state.active_load.sum())
    assert abs(float(state.active_balance)) < 1e-9 * consumed
    assert float(jnp.abs(state.active_mismatch).max()) < 1e-10 * BASE_POWER
    assert float(jnp.abs(state.reactive_mismatch).max()) < 1e-10 * BASE_POWER
    assert float(state.active_loss.min()) >= 0.0
    np.testing.assert_allclose(state.active_load, parameters.load.active_power(state.voltage_magnitude))
    np.testing.assert_allclose(state.voltage_magnitude[jnp.array([0, 3])], 1.0, rtol=1e-15)


def test_losses_are_current_squared_times_resistance():
    network, parameters = ring()
    parameters = eqx.tree_at(lambda tree: tree.branches.susceptance, parameters, jnp.zeros(5))
    state = solve(network, parameters).value
    resistance = parameters.branches.resistance * 13.8e3**2 / BASE_POWER
    np.testing.assert_allclose(state.active_loss, 3 * resistance * state.current_from**2, rtol=1e-9)
    np.testing.assert_allclose(state.current_from, state.current_to, rtol=1e-9)
    rated = 10e6 / (np.sqrt(3) * 13.8e3)
    np.testing.assert_allclose(state.loading, state.current_from / rated, rtol=1e-9)


def test_permuted_buses_give_the_same_answer(ring_solution):
    network, parameters, solution = ring_solution
    order = np.array([3, 0, 4, 2, 1])
    branch_order = np.array([2, 4, 0, 3, 1])
    permuted = Network.build(
        [network.buses[index] for index in order],
        network.base_voltages[order].tolist(),
        [
            (network.branches[k], network.buses[network.from_bus[k]], network.buses[network.to_bus[k]])
            for k in branch_order
        ],
        ["b0"],
        ["b3"],
        base_power=network.base_power,
    )
    numbers = eqx.tree_at(
        lambda tree: tree.branches,
        jax.tree.map(lambda leaf: leaf[order], parameters),
        jax.tree.map(lambda leaf: leaf[branch_order], parameters.branches),
    )
    state = solve(permuted, numbers).value
    np.testing.assert_allclose(state.voltage_magnitude, solution.value.voltage_magnitude[order], rtol=1e-13)
    np.testing.assert_allclose(
        state.active_power_to, solution.value.active_power_to[branch_order], rtol=1e-9, atol=1e-6
    )


def test_reversed_branch_mirrors_its_ends(ring_solution):
    _, parameters, solution = ring_solution
    mirrored = network_of([(1, 0), (1, 2), (2, 3), (3, 0), (2, 4)], 5, voltage_controlled=(3,))
    state = solve(mirrored, parameters).value
    np.testing.assert_allclose(state.voltage_magnitude, solution.value.voltage_magnitude, rtol=1e-13)
    np.testing.assert_allclose(state.active_power_from[0], solution.value.active_power_to[0], rtol=1e-10)


def test_splitting_a_branch_changes_nothing():
    network, parameters = two_bus(2.0, 0.5)
    split = network_of([(0, 1), (1, 2)], 3)
    half = branches(2, resistance=0.005, reactance=0.015)
    load = jax.tree.map(lambda part: jnp.concatenate([part[:1], jnp.zeros(1), part[1:]]), parameters.load)
    whole = solve(network, parameters).value
    parts = solve(split, PowerParameters.passive(split, half, load)).value
    np.testing.assert_allclose(parts.voltage_magnitude[2], whole.voltage_magnitude[1], rtol=1e-13)
    np.testing.assert_allclose(parts.active_loss.sum(), whole.active_loss[0], rtol=1e-11)


def test_no_load_is_flat_and_lossless():
    network, parameters = two_bus(0.0, 0.0)
    solution = solve(network, parameters)
    assert int(solution.status.iterations) == 0
    np.testing.assert_array_equal(solution.value.voltage_magnitude, 1.0)
    np.testing.assert_array_equal(solution.value.current_from, 0.0)
    gradient = jax.jit(jax.grad(lambda numbers: jnp.sum(steady(network, numbers).value.loading)))(parameters)
    assert all(bool(jnp.isfinite(leaf).all()) for leaf in jax.tree.leaves(gradient))


@pytest.mark.parametrize("slack", [(0,), (0, 1)])
def test_one_bus_and_slack_only(slack):
    count = len(slack)
    network = network_of([(0, 1)] if count == 2 else [], count, slack=slack)
    load = Load.from_fractions(jnp.full(count, 1e6), jnp.full(count, 2e5))
    solution = solve(network, PowerParameters.passive(network, branches(count - 1), load))
    assert int(solution.status.result) == ResultCode.CONVERGED
    np.testing.assert_allclose(solution.value.active_source, 1e6)
    np.testing.assert_allclose(solution.value.reactive_source, 2e5)


def test_bus_without_source_is_named(ring_solution):
    network, parameters, _ = ring_solution
    cut = eqx.tree_at(lambda tree: tree.branches.in_service, parameters, jnp.array([1.0, 1.0, 1.0, 1.0, 0.0]))
    solution = solve(network, cut)
    assert int(solution.status.result) == ResultCode.NOT_SUPPLIED
    assert network.buses[int(solution.status.worst)] == "b4"
    assert "bus b4" in sentence(int(solution.status.result), "bus b4")
    state = solution.value
    np.testing.assert_array_equal(np.isnan(state.voltage_magnitude), [False] * 4 + [True])
    np.testing.assert_array_equal(np.isnan(state.active_source), [False] * 4 + [True])
    # the open branch carries nothing, and the rest is what it is without the bus
    np.testing.assert_array_equal(state.active_power_from[4], 0.0)
    without = network_of([(0, 1), (1, 2), (2, 3), (3, 0)], 4, voltage_controlled=(3,))
    kept = jax.tree.map(lambda leaf: leaf[:4], parameters)
    expected = solve(without, kept).value
    for name in ("voltage_magnitude", "active_source", "reactive_source", "active_load"):
        np.testing.assert_allclose(getattr(state, name)[:4], getattr(expected, name), rtol=1e-12)
    np.testing.assert_allclose(state.active_loss[:4], expected.active_loss, rtol=1e-9)
    assert abs(float(state.active_balance)) < 1e-9 * float(jnp.nansum(state.active_load))


def test_gradients_where_a_bus_is_cut_off_are_those_of_the_rest(ring_solution):
    network, parameters, _ = ring_solution
    cut = eqx.tree_at(lambda tree: tree.branches.in_service, parameters, jnp.array([1.0, 1.0, 1.0, 1.0, 0.0]))
    without = network_of([(0, 1), (1, 2), (2, 3), (3, 0)], 4, voltage_controlled=(3,))

    def loss(numbers, network):
        return jnp.nansum(steady(network, numbers).value.active_loss)

    gradient = eqx.filter_jit(jax.grad(loss))(cut, network)
    expected = eqx.filter_jit(jax.grad(loss))(jax.tree.map(lambda leaf: leaf[:4], parameters), without)
    for one, other in zip(jax.tree.leaves(gradient.load), jax.tree.leaves(expected.load), strict=True):
        np.testing.assert_allclose(one[:4], other, rtol=1e-9)
        assert float(one[4]) == 0.0
    assert all(bool(jnp.isfinite(leaf).all()) for leaf in jax.tree.leaves(gradient))


@pytest.mark.parametrize("implementation", ["auto", "xla"])
def test_a_branch_out_of_service_is_none_whatever_its_numbers(ring_solution, implementation: str):
    network, parameters, _ = ring_solution
    open_ring = eqx.tree_at(lambda tree: tree.branches.in_service, parameters, jnp.array([1.0, 1.0, 0.0, 1.0, 1.0]))
    blank = eqx.tree_at(
        lambda tree: (tree.branches.resistance, tree.branches.reactance, tree.branches.tap_ratio),
        open_ring,
        (
            parameters.branches.resistance.at[2].set(0.0),
            parameters.branches.reactance.at[2].set(0.0),
            parameters.branches.tap_ratio.at[2].set(jnp.nan),
        ),
    )

    def loss(numbers):
        solution = steady(network, numbers, implementation=implementation)
        return jnp.sum(solution.value.active_loss), solution

    run = jax.jit(jax.value_and_grad(loss, has_aux=True))
    ((found, solution), gradient), ((expected, _), reference) = run(blank), run(open_ring)
    assert int(solution.status.result) == ResultCode.CONVERGED
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert float(solution.value.active_power_from[2]) == 0.0
    assert all(bool(jnp.isfinite(leaf).all()) for leaf in jax.tree.leaves(gradient))
    np.testing.assert_allclose(gradient.load.active_constant_power, reference.load.active_constant_power, rtol=1e-9)


def test_two_sources_may_run_as_two_islands():
    network = network_of([(0, 1), (1, 2), (2, 3)], 4, slack=(0, 3))
    load = Load.from_fractions(jnp.array([0.0, 1e6, 2e6, 0.0]), jnp.zeros(4))
    parameters = PowerParameters.passive(network, branches(3), load)
    parameters = eqx.tree_at(lambda tree: tree.branches.in_service, parameters, jnp.array([1.0, 0.0, 1.0]))
    state = solve(network, parameters).value
    np.testing.assert_allclose(state.active_source[0], 1e6 + state.active_loss[0], rtol=1e-9)
    np.testing.assert_allclose(state.active_source[3], 2e6 + state.active_loss[2], rtol=1e-9)


def test_load_beyond_the_nose_is_a_code_and_leaves_its_neighbours_alone():
    network, parameters = two_bus(1.0, 0.0)
    # the nose of a 0.01 + j0.03 branch at unity power factor is at 12.0 p.u.
    scales = jnp.array([1.0, 11.9, 12.2, 40.0])

    def scaled(scale):
        load = jax.tree.map(lambda part: scale * part, parameters.load)
        return steady(network, eqx.tree_at(lambda tree: tree.load, parameters, load))

    solution = jax.jit(jax.vmap(scaled))(scales)
    good = np.asarray(solution.status.result) == ResultCode.CONVERGED
    np.testing.assert_array_equal(good, [True, True, False, False])
    np.testing.assert_array_equal(np.isfinite(solution.value.voltage_magnitude).all(axis=1), good)
    np.testing.assert_allclose(solution.value.voltage_magnitude[1, 1], two_bus_voltage(11.9, 0.0), rtol=1e-6)


def test_phase_shifters_cancel_and_start_the_iteration():
    network = network_of([(0, 1), (1, 2), (2, 3)], 4)
    load = Load.from_fractions(jnp.array([0.0, 0.0, 0.0, 5e6]), jnp.array([0.0, 0.0, 0.0, 1e6]))
    plain = PowerParameters.passive(network, branches(3), load)
    shifted = eqx.tree_at(
        lambda tree: tree.branches.phase_shift, plain, jnp.array([np.pi / 6, np.pi / 6, 5 * np.pi / 6])
    )
    expected, solution = solve(network, plain), solve(network, shifted)
    assert int(solution.status.iterations) == int(expected.status.iterations)
    np.testing.assert_allclose(solution.value.voltage_magnitude, expected.value.voltage_magnitude, rtol=1e-13)


def test_tap_raises_the_voltage():
    network, parameters = two_bus(1.0, 0.3)
    tapped = eqx.tree_at(lambda tree: tree.branches.tap_ratio, parameters, jnp.array([0.95]))
    # at constant power behind an ideal ratio the source looks like 1 / 0.95 p.u.
    voltage = solve(network, tapped, tolerance=1e-13).value.voltage_magnitude[1]
    scale = 1.0 / 0.95
    expected = scale * two_bus_voltage(1.0 / scale**2, 0.3 / scale**2)
    np.testing.assert_allclose(voltage, expected, rtol=1e-12)


def test_warm_start_and_failed_warm_start(ring_solution):
    network, parameters, solution = ring_solution
    warm = solve(network, parameters, initial=solution.value)
    assert int(warm.status.iterations) == 0
    broken = jax.tree.map(lambda leaf: jnp.full_like(leaf, jnp.nan), solution.value)
    np.testing.assert_allclose(
        solve(network, parameters, initial=broken).value.voltage_magnitude,
        solution.value.voltage_magnitude,
        rtol=1e-13,
    )


def test_single_precision(ring_solution):
    _, _, solution = ring_solution
    network, parameters = ring(jnp.float32)
    single = solve(network, parameters, tolerance=3e-6)
    assert int(single.status.result) == ResultCode.CONVERGED
    assert all(leaf.dtype == jnp.float32 for leaf in jax.tree.leaves(single.value))
    np.testing.assert_allclose(single.value.voltage_magnitude, solution.value.voltage_magnitude, rtol=1e-5)


def test_ten_designs_compile_once():
    network, parameters = ring()
    count = 0

    @jax.jit
    def voltage(numbers):
        nonlocal count
        count += 1
        return steady(network, numbers).value.voltage_magnitude

    for design in range(10):
        tapped = eqx.tree_at(lambda tree: tree.branches.tap_ratio, parameters, jnp.full(5, 1.0 + 0.001 * design))
        voltage(tapped)
    assert count == 1


@pytest.mark.parametrize("implementation", ["auto", "xla"])
def test_a_small_base_and_single_precision_take_no_more_steps(ring_solution, implementation: str):
    _, parameters, solution = ring_solution
    base = 1.0  # VA: the powers of a bus's branches are 1e9 p.u., a mismatch of 1e-10 p.u. is far below their round-off
    network = network_of([(0, 1), (1, 2), (2, 3), (3, 0), (2, 4)], 5, voltage_controlled=(3,), base_power=base)
    ratio = base / BASE_POWER
    numbers = eqx.tree_at(
        lambda tree: (tree.branches.resistance, tree.branches.reactance, tree.branches.susceptance),
        parameters,
        (
            ratio * parameters.branches.resistance,
            ratio * parameters.branches.reactance,
            parameters.branches.susceptance / ratio,
        ),
    )
    run = jax.jit(lambda numbers: steady(network, numbers, implementation=implementation))
    for given, accuracy in ((numbers, 1e-12), (jax.tree.map(lambda leaf: leaf.astype(jnp.float32), numbers), 1e-5)):
        for found in (run(given), jax.tree.map(lambda leaf: leaf[1], jax.jit(jax.vmap(run))(_twice(given)))):
            assert int(found.status.result) == ResultCode.CONVERGED
            assert int(found.status.iterations) <= int(solution.status.iterations) + 1
            np.testing.assert_allclose(found.value.voltage_magnitude, solution.value.voltage_magnitude, rtol=accuracy)


def _twice(tree):
    return jax.tree.map(lambda leaf: jnp.stack([leaf, leaf]), tree)
