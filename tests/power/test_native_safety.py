"""The fused power flow where elimination in a fixed order fails, where numbers are none, and on random networks."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from voltherm_kernels import native, newton, power_flow

from tests.power.cases import branches, network_of
from tests.power.test_native_flow import PLANS, agree, operands_of, oracle, random_case, solved
from voltherm.numerics import ResultCode
from voltherm.power import Load, Network, PowerParameters, steady
from voltherm.power.flow_problem import LinearProblem

pytestmark = pytest.mark.skipif(bool(native.why_not()), reason=native.why_not() or "built")


def _parameters(network: Network, reactance: jax.Array, load: jax.Array) -> PowerParameters:
    lossless = branches(len(network.branches), resistance=0.0)
    given = eqx.tree_at(lambda branches: branches.reactance, lossless, reactance)
    parts = (load, *(jnp.zeros(len(network.buses)) for _ in range(5)))
    return PowerParameters.passive(network, given, Load(*parts))


def _status(network: Network, reactance: jax.Array, load: jax.Array, implementation: str):
    def one(reactance, load):
        return steady(network, _parameters(network, reactance, load), implementation=implementation).status

    return jax.jit(jax.vmap(one))(reactance, load)


def test_growth_in_the_elimination_of_a_sound_jacobian():
    # series capacitors that nearly cancel reactances: entries of 1e16 on the way through a Jacobian of condition 500
    random = np.random.default_rng(0)
    count, lanes = 12, 4000
    edges = [(bus, bus + 1) for bus in range(count - 1)]
    edges += [(0, 3), (2, 6), (5, 9), (4, 11), (1, 8), (7, 10), (0, 11)]
    network = network_of(edges, count)
    shape = (lanes, len(edges))
    size = random.choice([0.1, -0.1, 0.2, -0.2, 0.05], shape, p=[0.45, 0.2, 0.15, 0.05, 0.15])
    off = random.choice([0, 1e-16, 1e-15, 1e-14, 1e-13, 1e-11, 1e-9], shape) * random.normal(size=shape)
    load = random.uniform(0, 1, (lanes, count)) * 10.0 ** random.uniform(3, 6.5, (lanes, 1))
    some = np.r_[0:12, 229, 3221]
    given = jnp.asarray((size * (1 + off))[some]), jnp.asarray(load[some])
    before = native.recoveries()
    found, expected = (_status(network, *given, name) for name in ("native", "xla"))
    np.testing.assert_array_equal(expected.result[-2:], ResultCode.CONVERGED)
    np.testing.assert_array_equal(found.result, expected.result)
    assert native.recoveries().pivoted > before.pivoted


def test_beyond_the_nose_nothing_is_pivoted():
    network, parameters = random_case(30, 3)
    operands = operands_of(network, parameters, 9)
    operands[12] = operands[12] * 1e3
    before = native.recoveries()
    assert np.all(solved(network, operands, power_flow.AUTO)[3] == ResultCode.NO_DESCENT)
    assert native.recoveries() == before


@pytest.mark.parametrize("wanted", native.INSTRUCTIONS)
@pytest.mark.parametrize("lane", [3, 17])
@pytest.mark.parametrize("transpose", [None, False, True])
def test_a_pivoted_lane_leaves_the_bits_of_others(wanted: str, lane: int, transpose: bool | None):
    """Solve (None) and step, the bad lane in a full group and in the last one; reactances of its own in every lane."""
    network = network_of([(0, 1), (1, 2), (2, 0)], 3)
    load = jnp.asarray([0.0, 1e5, 2e5])

    def results(bad: bool) -> list[np.ndarray]:
        each = [
            operands_of(
                network, _parameters(network, jnp.asarray([0.1, -0.1 if bad and n == lane else 0.2, 0.1]), load)
            )
            for n in range(19)
        ]
        operands = [jnp.concatenate(parts, axis=-1) for parts in zip(*each, strict=True)]
        if transpose is None:
            return solved(network, operands, power_flow.AUTO, wanted=wanted)
        tables = power_flow.tables(network.topology.schedule, network.from_bus, network.to_bus)
        side = jnp.asarray(np.random.default_rng(1).normal(size=(3, 2, 19)))
        options = {"base_power": network.base_power, "wanted": wanted}
        return [np.asarray(power_flow.step(tables, operands, side, transpose, **options))]

    before = native.recoveries()
    found = results(True)
    assert native.recoveries().pivoted > before.pivoted
    kept = np.arange(19) != lane
    for one, other in zip(found, results(False), strict=True):
        assert np.all(np.isfinite(one))
        np.testing.assert_array_equal(*(np.ascontiguousarray(part[..., kept]).view(np.uint32) for part in (one, other)))


@pytest.mark.parametrize("seed", range(6))
def test_random_networks_lanes_and_what_they_share(seed: int):
    random = np.random.default_rng(100 + seed)
    count, lanes = int(random.integers(2, 40)), int(random.integers(1, 36))
    network, parameters = random_case(count, seed, tree=bool(seed % 2))
    operands = operands_of(network, parameters, lanes)
    for number, operand in enumerate(operands):
        if operand.shape[-1] == 1 and random.random() < 0.4:
            own = random.uniform(0.98, 1.02, (*operand.shape[:-1], lanes)) if number > 3 else 1.0
            operands[number] = jnp.broadcast_to(operand, (*operand.shape[:-1], lanes)) * own
    expected = oracle(network, operands)
    for plan in PLANS.values():
        agree(solved(network, operands, plan), expected, 1e-11)
    tables = power_flow.tables(network.topology.schedule, network.from_bus, network.to_bus)
    at = [jnp.asarray(expected[0]), *operands[1:]]
    side = jnp.asarray(random.normal(size=(count, 2, lanes)))
    for transpose in (False, True):
        problem = LinearProblem(network.topology, network.base_power, transpose, "xla")
        (reference,) = newton(problem, [*at, side], implementation="xla")
        size = float(jnp.abs(reference).max())
        options = {"base_power": network.base_power}
        found = power_flow.step(tables, at, side, transpose, **options)
        np.testing.assert_allclose(found, reference, rtol=0, atol=1e-10 * size)
        single = [operand.astype(jnp.float32) for operand in (*at, side)]
        narrow = power_flow.step(tables, single[:-1], single[-1], transpose, **options)
        assert narrow.dtype == jnp.float32
        np.testing.assert_allclose(narrow, reference, rtol=0, atol=2e-3 * size)


@pytest.mark.parametrize("implementation", ["native", "xla"])
@pytest.mark.parametrize(
    ("name", "value"), [("reactance", 0.0), ("reactance", np.nan), ("tap_ratio", 0.0), ("phase_shift", np.inf)]
)
def test_a_branch_without_admittance_fails_with_zero_gradient(implementation: str, name: str, value: float):
    network, parameters = random_case(14, 1)
    without = eqx.tree_at(lambda p: p.branches.resistance, parameters, parameters.branches.resistance.at[3].set(0.0))
    broken = eqx.tree_at(lambda p: getattr(p.branches, name), without, getattr(without.branches, name).at[3].set(value))

    @jax.jit
    @jax.value_and_grad
    def loss(both: PowerParameters):
        solution = jax.vmap(lambda one: steady(network, one, implementation=implementation))(both)
        return jnp.sum(jnp.nan_to_num(solution.value.active_loss))

    both = jax.tree.map(lambda *parts: jnp.stack(parts), broken, parameters)
    value_of_both, gradient = loss(both)
    alone, expected = loss(jax.tree.map(lambda part: part[None], parameters))
    np.testing.assert_allclose(value_of_both, alone, rtol=1e-9)
    for found, one in zip(jax.tree.leaves(gradient), jax.tree.leaves(expected), strict=True):
        assert np.all(found[0] == 0.0)
        # losses do not depend on the angle of the slack bus: what is left there is round-off of watts
        np.testing.assert_allclose(found[1], one[0], rtol=1e-6, atol=1e-9 * float(alone))
    status = steady(network, broken, implementation=implementation).status
    assert status.result == ResultCode.NOT_FINITE
    assert int(status.worst) == network.from_bus[3]


@pytest.mark.parametrize("split_by", ["shard_map", "the compiler"])
def test_on_two_devices_a_lane_is_what_it_is_on_one(split_by: str):
    network, parameters = random_case(20, 5)
    mesh, lanes = Mesh(np.array(jax.devices()[:2]), ("lane",)), PartitionSpec("lane")

    def losses(factor: jax.Array) -> jax.Array:
        loads = jax.tree.map(lambda part: factor * part, parameters.load)
        return jnp.sum(steady(network, eqx.tree_at(lambda p: p.load, parameters, loads)).value.active_loss)

    mapped = jax.vmap(jax.value_and_grad(losses))
    factors = jnp.linspace(0.5, 1.5, 10)
    expected = jax.jit(mapped)(factors)
    if split_by == "shard_map":
        split = jax.jit(jax.shard_map(mapped, mesh=mesh, in_specs=lanes, out_specs=lanes, check_vma=False))
    else:
        sharding = NamedSharding(mesh, lanes)
        split = jax.jit(mapped, in_shardings=sharding, out_shardings=sharding)
    # a custom call cannot be split by the compiler: plain JAX serves there
    assert ("voltherm_power_flow" in split.lower(factors).as_text()) == (split_by == "shard_map")
    found = split(factors)
    assert len(found[0].sharding.device_set) == 2
    # to round-off: XLA may sum over branches in an order that goes with the number of lanes
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-14 if split_by == "shard_map" else 1e-9)
