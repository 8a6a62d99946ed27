"""The fused iteration in Pallas against the plain power flow, interpreted; and its lowering for NVIDIA GPUs."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from voltherm_kernels import analyse
from voltherm_kernels.pallas import iteration, newton
from voltherm_kernels.pallas.newton import Operands

from tests.kernels.exported import triton_calls
from tests.kernels.power_flow_physics import PHYSICS, operands
from tests.power.cases import ring, two_bus
from voltherm.numerics import ResultCode
from voltherm.power import Load, Network, PowerParameters, steady


def _batch(network: Network, parameters: PowerParameters, factors: np.ndarray) -> tuple[Operands, PowerParameters]:
    """Scenarios whose loads are multiplied; whatever else there is is shared by the lanes."""
    scaled = jax.vmap(lambda factor: jax.tree.map(lambda part: factor * part, parameters.load))(jnp.asarray(factors))
    one = operands(network, parameters)
    loads = jax.vmap(lambda load: operands(network, _with_load(parameters, load)).nodes[0], out_axes=-1)(scaled)
    lanes = jax.tree.map(lambda array: array[..., None], one)
    return lanes._replace(nodes=[loads, *lanes.nodes[1:]]), _with_load(parameters, scaled)


def _with_load(parameters: PowerParameters, load: Load) -> PowerParameters:
    return eqx.tree_at(lambda given: given.load, parameters, load)


def _plain(network: Network, parameters: PowerParameters):
    axes = jax.tree.map(lambda _: None, parameters)
    axes = _with_load(axes, jax.tree.map(lambda _: 0, parameters.load))
    return jax.jit(jax.vmap(lambda given: steady(network, given, tolerance=1e-10), in_axes=(axes,)))(parameters)


def _fused(network: Network, given: Operands, **options):
    return jax.jit(
        lambda given: newton.newton(
            network.topology.schedule,
            PHYSICS,
            given,
            **{"tolerance": 1e-10, "maximum_iterations": 30, "interpret": True} | options,
        )
    )(given)


def test_lanes_end_as_the_plain_power_flow_does():
    network, parameters = ring()
    factors = np.array([1.0, 0.5, 40.0, 1.5, np.nan, 3.0])
    given, batch = _batch(network, parameters, factors)
    found, expected = _fused(network, given, width=3, programs=1), _plain(network, batch)
    codes = np.asarray(expected.status.result)
    assert ResultCode.NOT_FINITE in codes
    assert np.count_nonzero(codes == ResultCode.CONVERGED) == 4
    np.testing.assert_array_equal(found.result, codes)
    np.testing.assert_array_equal(found.iterations, expected.status.iterations)
    solved = codes == ResultCode.CONVERGED
    voltages = jnp.exp(found.unknowns[:, 1]).T
    np.testing.assert_allclose(voltages[solved], expected.value.voltage_magnitude[solved], rtol=0, atol=1e-14)
    np.testing.assert_allclose(found.unknowns[:, 0].T[solved], expected.value.voltage_angle[solved], rtol=0, atol=1e-14)
    # a residual is the difference of entry powers of some 30 p.u.
    np.testing.assert_allclose(found.residual[solved], expected.status.residual[solved], rtol=0, atol=1e-13)
    assert np.all(found.residual[solved] <= 1e-10)


def test_a_lane_keeps_its_bits_whatever_its_neighbours_do():
    network, parameters = ring()
    first, _ = _batch(network, parameters, np.array([1.0, 1.2, 0.8]))
    second, _ = _batch(network, parameters, np.array([1.0, 60.0, np.nan]))
    before, after = (_fused(network, given) for given in (first, second))
    np.testing.assert_array_equal(before.unknowns[..., 0], after.unknowns[..., 0])
    assert before.iterations[0] == after.iterations[0]


def test_singular_lane():
    network, parameters = two_bus(0.5, 0.1)
    given, _ = _batch(network, parameters, np.array([1.0, 1.0]))
    cut = given.couplings[0][..., 0]
    cut = jnp.stack([cut, 0.0 * cut], axis=-1)
    found = _fused(network, given._replace(couplings=[cut]))
    assert found.result.tolist() == [ResultCode.CONVERGED, ResultCode.SINGULAR]


def test_result_codes_are_those_of_the_project():
    for name in ("CONVERGED", "MAXIMUM_ITERATIONS", "NOT_FINITE", "SINGULAR", "NO_DESCENT"):
        assert getattr(iteration, name) == ResultCode[name]


def test_entries_must_be_the_diagonal_and_then_couplings():
    schedule = analyse(np.array([0, 0, 1]), np.array([1, 0, 1]), 2, 2)
    network, parameters = two_bus(0.5, 0.1)
    given, _ = _batch(network, parameters, np.ones(1))
    with pytest.raises(ValueError, match="the diagonal, then couplings"):
        newton.newton(schedule, PHYSICS, given, tolerance=1e-8, maximum_iterations=9, interpret=True)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_lowers_for_nvidia_gpus(dtype: type):
    network, parameters = ring(dtype)
    given, _ = _batch(network, parameters, np.linspace(0.5, 1.5, 40).astype(dtype))
    schedule = network.topology.schedule
    options = {"tolerance": 1e-6, "maximum_iterations": 9, "interpret": False}
    assert triton_calls(lambda given: newton.newton(schedule, PHYSICS, given, **options), given) == ["voltherm_newton"]
