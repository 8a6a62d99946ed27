"""The fused iteration in Pallas against the plain power flow, interpreted; and its lowering for NVIDIA GPUs."""

import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.kernels.exported import triton_calls
from tests.power.cases import branches, network_of, ring, two_bus
from voltherm.numerics import ResultCode
from voltherm.power import BusVoltages, Load, Network, PowerParameters, flow_problem, steady
from voltherm.power.branch import two_port
from voltherm.power.flow_on_tiles import solve


def _operands(network: Network, parameters: PowerParameters) -> list[jax.Array]:
    """Of one scenario from a flat start, without the lane axis."""
    scale = 1.0 / network.base_power
    held = np.stack([network.slack, network.slack | network.voltage_controlled], axis=-1)
    fixed = jnp.asarray(held).astype(parameters.branches.resistance.dtype)
    set_point = jnp.stack([parameters.angle_set_point, jnp.log(parameters.voltage_set_point)], axis=-1)
    generation = scale * jnp.stack([parameters.active_generation, parameters.reactive_generation], axis=-1)
    shunt = scale * jnp.stack([parameters.shunt_conductance, parameters.shunt_susceptance], axis=-1)
    start = jnp.where(fixed > 0.0, set_point, 0.0)
    load = [scale * part for part in jax.tree.leaves(parameters.load)]
    return [start, fixed, generation, shunt, *jax.tree.leaves(two_port(parameters.branches)), *load]


def _with_load(parameters: PowerParameters, load: Load) -> PowerParameters:
    return eqx.tree_at(lambda given: given.load, parameters, load)


def _batch(
    network: Network, parameters: PowerParameters, factors: np.ndarray
) -> tuple[list[jax.Array], PowerParameters]:
    """Scenarios whose loads are multiplied; whatever else there is is shared by the lanes."""
    loads = jax.tree.map(lambda part: jnp.asarray(factors)[:, None] * part[None], parameters.load)
    shared = [operand[..., None] for operand in _operands(network, parameters)]
    varied = [jnp.moveaxis(part, 0, -1) / network.base_power for part in jax.tree.leaves(loads)]
    return [*shared[:-6], *varied], _with_load(parameters, loads)


def _plain(network: Network, parameters: PowerParameters):
    axes = _with_load(jax.tree.map(lambda _: None, parameters), jax.tree.map(lambda _: 0, parameters.load))
    count = len(network.buses)
    flat = BusVoltages(jnp.ones(count), jnp.zeros(count))
    options = {"initial": flat, "tolerance": 1e-10, "implementation": "xla"}
    return jax.jit(jax.vmap(lambda given: steady(network, given, **options), in_axes=(axes,)))(parameters)


def _fused(network: Network, operands: list[jax.Array]):
    return jax.jit(lambda *given: solve(network.topology, given, 1e-10, 30))(*operands)


def test_lanes_end_as_the_plain_power_flow_does():
    network, parameters = ring()
    operands, batch = _batch(network, parameters, np.array([1.0, 0.5, 40.0, 1.5, np.nan, 3.0]))
    unknowns, residual, iterations, result, worst = _fused(network, operands)
    expected = _plain(network, batch)
    codes = np.asarray(expected.status.result)
    assert ResultCode.NOT_FINITE in codes
    assert np.count_nonzero(codes == ResultCode.CONVERGED) == 4
    np.testing.assert_array_equal(result, codes)
    np.testing.assert_array_equal(iterations, expected.status.iterations)
    solved = codes == ResultCode.CONVERGED
    value = expected.value
    np.testing.assert_allclose(jnp.exp(unknowns[:, 1]).T[solved], value.voltage_magnitude[solved], rtol=0, atol=1e-14)
    np.testing.assert_allclose(unknowns[:, 0].T[solved], value.voltage_angle[solved], rtol=0, atol=1e-14)
    # a residual is the difference of entry powers of some 30 p.u., and the plain iteration counts round-off as none
    np.testing.assert_allclose(residual[solved], expected.status.residual[solved], rtol=0, atol=3e-13)
    # a lane that cannot be solved stops far from round-off: there the worst bus is the same
    np.testing.assert_array_equal(worst[~solved], expected.status.worst[~solved])


def test_no_scenarios():
    network, parameters = ring()
    operands, _ = _batch(network, parameters, np.zeros(0))
    found = _fused(network, operands)
    assert [each.shape for each in found] == [(*operands[0].shape[:2], 0), *[(0,)] * 4]


def test_a_lane_keeps_its_bits_whatever_its_neighbours_do():
    network, parameters = ring()
    first, _ = _batch(network, parameters, np.array([1.0, 1.2, 0.8]))
    second, _ = _batch(network, parameters, np.array([1.0, 60.0, np.nan]))
    fused = jax.jit(lambda *given: solve(network.topology, given, 1e-10, 30))
    before, after = (fused(*operands) for operands in (first, second))
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one[..., 0], other[..., 0])


def test_singular_lane():
    network, parameters = two_bus(0.5, 0.1)
    operands, _ = _batch(network, parameters, np.array([1.0, 1.0]))
    cut = [jnp.concatenate([operand, 0.0 * operand], axis=-1) for operand in operands[4:12]]
    result = _fused(network, [*operands[:4], *cut, *operands[12:]])[3]
    assert result.tolist() == [ResultCode.CONVERGED, ResultCode.SINGULAR]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_lowers_for_nvidia_gpus(dtype: type):
    network, parameters = ring(dtype)
    operands, _ = _batch(network, parameters, np.linspace(0.5, 1.5, 40).astype(dtype))
    assert triton_calls(lambda *given: solve(network.topology, given, 1e-6, 9), *operands) == ["voltherm_newton"]


def test_steady_and_its_gradient_take_the_fused_iteration_where_it_runs():
    network, parameters = ring()

    def losses(factor: jax.Array, implementation: str) -> jax.Array:
        given = _with_load(parameters, jax.tree.map(lambda part: factor * part, parameters.load))
        return jnp.sum(steady(network, given, implementation=implementation).value.active_loss)

    factors = jnp.array([0.5, 1.0, 40.0, 2.0])
    found, expected = (
        jax.jit(jax.vmap(functools.partial(jax.value_and_grad(losses), implementation=name)))(factors)
        for name in ("pallas", "xla")
    )
    np.testing.assert_allclose(found, expected, rtol=1e-10)
    names = triton_calls(jax.vmap(jax.grad(lambda factor: losses(factor, "auto"))), jnp.ones(64))
    # start angles, the iteration, and the solve of the gradient
    assert {"voltherm_newton", "voltherm_factor_and_solve"} <= set(names)


def test_a_lane_that_needs_pivoting_is_iterated_again():
    # a series capacitor cancels a reactance: the first pivots of the second scenario vanish, of a regular Jacobian
    network = network_of([(0, 1), (1, 2), (2, 0)], 3)
    lossless = branches(3, resistance=0.0)

    def status(reactance: jax.Array, load: jax.Array, implementation: str):
        given = eqx.tree_at(lambda branches: branches.reactance, lossless, reactance)
        parts = (load * jnp.asarray([0.0, 1e5, 2e5]), *(jnp.zeros(3) for _ in range(5)))
        parameters = PowerParameters.passive(network, given, Load(*parts))
        return steady(network, parameters, implementation=implementation).status

    # more lanes than are looked at together
    lanes = flow_problem._LANES_TOGETHER + 4
    pivoted, beyond = lanes - 3, 1
    reactances = jnp.tile(jnp.asarray([0.1, 0.2, 0.1]), (lanes, 1)).at[pivoted, 1].set(-0.1)
    loads = jnp.linspace(0.5, 1.5, lanes).at[beyond].set(1e4)
    found, expected = (
        jax.jit(jax.vmap(functools.partial(status, implementation=name)))(reactances, loads)
        for name in ("pallas", "xla")
    )
    codes = np.zeros(lanes, int)
    codes[beyond] = ResultCode.NO_DESCENT
    np.testing.assert_array_equal(expected.result, codes)
    np.testing.assert_array_equal(found.result, codes)
    np.testing.assert_array_equal(found.iterations, expected.iterations)
    assert np.all(np.delete(found.residual, beyond) <= 1e-10)


def test_the_second_look_takes_the_memory_of_some_lanes():
    network, parameters = ring()

    def scratch(lanes: int) -> int:
        solve = jax.jit(jax.vmap(lambda load: steady(network, _with_load(parameters, load), implementation="pallas")))
        loads = jax.tree.map(lambda part: jnp.ones((lanes, 1)) * part[None], parameters.load)
        return solve.lower(loads).compile().memory_analysis().temp_size_in_bytes

    few, some, many = (scratch(number * flow_problem._LANES_TOGETHER) for number in (1, 2, 3))
    assert many - some < 0.5 * few
