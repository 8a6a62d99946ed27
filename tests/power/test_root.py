"""Which root a power flow ends in: the same alone and in a batch, by every plan and implementation."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from voltherm_kernels import native, newton, power_flow
from voltherm_kernels.determinant import signs

from tests.power.cases import BASE_POWER, branches, network_of, two_bus, two_bus_voltage
from voltherm.numerics import ResultCode, sentence
from voltherm.power import Branches, BusVoltages, Load, Network, PowerParameters, steady
from voltherm.power.equations import equations_of, jacobian
from voltherm.power.flow_problem import RootProblem, operands_of

IMPLEMENTATIONS = ["xla", pytest.param("native", marks=pytest.mark.skipif(bool(native.why_not()), reason="not built"))]


def lower_root(active: float, reactive: float, *, resistance=0.01, reactance=0.03) -> BusVoltages:
    """The state of `two_bus` below the nose: magnitude from V^4 + (2 (R P + X Q) - 1) V^2 + Z^2 S^2 = 0."""
    half = 0.5 - (resistance * active + reactance * reactive)
    square = half - np.sqrt(half**2 - (resistance**2 + reactance**2) * (active**2 + reactive**2))
    voltage = np.sqrt(square)
    # from V_2 conj(I) = S and I = (1 - V_2) / Z:  V_2 = V_2^2 + conj(Z) S, whose angle is that of V_2
    angle = np.angle(square + (resistance - 1j * reactance) * (active + 1j * reactive))
    return BusVoltages(jnp.array([1.0, voltage]), jnp.array([0.0, angle]))


def test_the_determinant_is_negative_at_the_lower_root_alone():
    network, parameters = two_bus(6.0, 1.0)
    equations = equations_of(network, parameters, jnp.ones(2, bool))
    upper, lower = steady(network, parameters).value, lower_root(6.0, 1.0)
    at = [jnp.stack([one.voltage_angle, jnp.log(one.voltage_magnitude)], axis=-1) for one in (upper, lower)]
    values = jnp.stack([jacobian(network, unknowns, equations) for unknowns in at], axis=-1)
    np.testing.assert_array_equal(signs(network.topology.schedule, values), [1.0, -1.0])


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_a_root_across_the_nose_is_left_for_the_one_that_operates(implementation: str):
    network, parameters = two_bus(6.0, 1.0)
    starts = [lower_root(6.0, 1.0), BusVoltages(jnp.ones(2), jnp.zeros(2))]

    def one(start):
        return steady(network, parameters, initial=start, implementation=implementation)

    alone = jax.jit(one)(starts[0])
    batch = jax.jit(jax.vmap(one))(jax.tree.map(lambda *parts: jnp.stack(parts), *starts))
    np.testing.assert_array_equal(batch.status.result, ResultCode.CONVERGED)
    assert int(alone.status.result) == ResultCode.CONVERGED
    for voltage in (alone.value.voltage_magnitude[1], *batch.value.voltage_magnitude[:, 1]):
        np.testing.assert_allclose(voltage, two_bus_voltage(6.0, 1.0), rtol=1e-10)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_a_root_that_no_network_runs_at_is_refused_by_name(implementation: str):
    """A ring behind low taps: from 1 p.u. Newton ends below the nose, from nearer to operation above it."""
    network = network_of([(0, 1), (1, 2), (2, 3), (1, 4), (3, 4)], 5)
    reactance, tap = jnp.array([0.14, 0.28, 0.21, 0.26, 0.09]), jnp.array([1.0, 0.81, 0.8, 0.73, 1.0])
    active, reactive = (BASE_POWER * jnp.array(part) for part in ([0.0, 0.4, 0.8, 0.1, 0.7], [0.0, 0.6, 0.3, 0.3, 0.0]))
    numbers = dataclasses.replace(branches(5), resistance=0.1 * reactance, reactance=reactance, tap_ratio=tap)
    load = Load.from_fractions(active, reactive)
    parameters = PowerParameters.passive(network, numbers, load, voltage_set_point=1.27)

    def one(start):
        return steady(network, parameters, initial=start, implementation=implementation)

    refused = jax.jit(lambda: steady(network, parameters, implementation=implementation))()
    assert int(refused.status.result) == ResultCode.INOPERABLE
    assert network.buses[int(refused.status.worst)] == "b2"
    assert np.all(np.isnan(refused.value.voltage_magnitude))
    assert "lowest voltage is at bus 'b2'" in sentence(int(refused.status.result), "bus 'b2'")
    nearer = jax.jit(one)(BusVoltages(jnp.full(5, 1.2), jnp.zeros(5)))
    assert int(nearer.status.result) == ResultCode.CONVERGED
    assert float(nearer.value.voltage_magnitude.min()) > 1.0


# Series capacitors may turn the sign at flat voltages already: then nothing follows from it.
# -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_a_sign_that_flat_voltages_have_too_refuses_nothing(implementation: str):
    network = network_of([(0, 1), (1, 2), (2, 0)], 3, voltage_controlled=(1,))
    reactance = jnp.array([0.1, -0.14, 0.1])
    numbers = dataclasses.replace(branches(3), resistance=0.0 * reactance, reactance=reactance)
    parameters = PowerParameters.passive(
        network, numbers, Load.from_fractions(jnp.array([0.0, 1e5, 2e5]), jnp.zeros(3))
    )
    equations = equations_of(network, parameters, jnp.ones(3, bool))
    values = jacobian(network, jnp.zeros((3, 2)), equations)[..., None]
    assert float(signs(network.topology.schedule, values)[0]) == -1.0
    status = steady(network, parameters, implementation=implementation).status
    assert int(status.result) == ResultCode.CONVERGED


# Radial designs with voltages set high: what stands behind two taps is far above 1 p.u.
# -------------------------------------------------------------------------------------------------------------------

_NAMES = ["utility", "intake", "s1", "s2", "m1", "l1", "m2", "l2", "m3", "l3"]
_EDGES = [(0, 1), (1, 2), (1, 3), (2, 4), (4, 5), (4, 6), (6, 7), (3, 8), (8, 9)]
_TRANSFORMERS = np.array([0, 1, 1, 0, 1, 0, 1, 0, 1], bool)


def feeders() -> Network:
    """A utility, two main transformers, three substations."""
    return network_of(_EDGES, len(_NAMES))


def designs(count: int, seed: int) -> dict[str, np.ndarray]:
    """Intake 1.1 to 1.2 p.u., taps 0.81 to 0.92, random impedances and loads up to the nose."""
    random = np.random.default_rng(seed)
    reactance = np.array([0.02, 0.06, 0.06, 0.01, 0.06, 0.01, 0.06, 0.01, 0.06]) * random.uniform(0.5, 3.0, (count, 9))
    load = np.zeros((count, 10))
    load[:, [5, 7, 9]] = random.uniform(0.1, 1.0, (count, 3)) * random.uniform(0.2, 2.0, (count, 1))
    return {
        "reactance": reactance,
        "resistance": reactance * np.array([0.067, 0.03, 0.03, 1.0, 0.1, 1.0, 0.1, 1.0, 0.1]),
        "tap_ratio": np.where(_TRANSFORMERS, random.uniform(0.81, 0.92, (count, 9)), 1.0),
        "load": BASE_POWER * load,
        "voltage": random.uniform(1.1, 1.2, count),
    }


def parameters_of(network: Network, design: dict[str, jax.Array]) -> PowerParameters:
    """Numbers of one design."""
    dtype = design["load"].dtype
    one = jnp.ones(9, dtype)
    numbers = Branches(
        design["resistance"],
        design["reactance"],
        0.0 * one,
        0.001 * one,
        design["tap_ratio"],
        0.0 * one,
        one,
        1e7 * one,
    )
    load = Load.from_fractions(design["load"], 0.3 * design["load"])
    return PowerParameters.passive(network, numbers, load, voltage_set_point=design["voltage"])


def test_three_hundred_designs_alone_and_in_a_batch():
    network = feeders()
    given = {name: jnp.asarray(numbers) for name, numbers in designs(300, 1).items()}

    def one(design):
        solution = steady(network, parameters_of(network, design))
        return solution.status.result, solution.value.voltage_magnitude, jnp.sum(solution.value.active_loss)

    alone = jax.jit(one)
    single = [alone({name: numbers[index] for name, numbers in given.items()}) for index in range(300)]
    expected = [np.stack([np.asarray(part) for part in parts]) for parts in zip(*single, strict=True)]
    found = jax.jit(jax.vmap(one))(given)
    np.testing.assert_array_equal(found[0], expected[0])
    good = expected[0] == ResultCode.CONVERGED
    assert 250 < np.sum(good) < 300
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-9)
    np.testing.assert_allclose(found[2], expected[2], rtol=1e-9)
    # the root of a voltage that has collapsed at one substation is no answer: taps and intake give 1.3 p.u. and more
    assert np.min(expected[1][good]) > 0.75


@pytest.mark.skipif(bool(native.why_not()), reason=native.why_not() or "built")
def test_no_plan_chooses_among_roots():
    """From 1 p.u., far below what taps and set points give, where two plans would end in different roots."""
    network = feeders()
    given = designs(400, 2)
    tables = power_flow.tables(network.topology.schedule, network.from_bus, network.to_bus)

    def operands(design):
        equations = equations_of(network, parameters_of(network, design), jnp.ones(10, bool))
        start = jnp.where(equations.fixed > 0.0, equations.set_point, 0.0)
        return [operand[..., 0] for operand in operands_of(start, equations)]

    lanes = jax.vmap(operands, out_axes=-1)({name: jnp.asarray(numbers) for name, numbers in given.items()})
    plans = (power_flow.EXACT, power_flow.AUTO, power_flow.Plan(0, 3, True), power_flow.Plan(2, 1, True))
    results = [
        [np.asarray(part) for part in power_flow.solve(tables, lanes, plan, 1e-10, 30, base_power=network.base_power)]
        for plan in plans
    ]
    problem = RootProblem(network.topology, network.base_power, 1e-10, 30, "xla")
    results.append([np.asarray(part) for part in newton(problem, lanes, implementation="xla")])
    codes = results[0][3]
    good = codes == ResultCode.CONVERGED
    assert 0.6 < np.mean(good) < 1.0
    # an iteration that went astray is no singular network
    assert not np.any(codes == ResultCode.SINGULAR)
    for found in results[1:]:
        np.testing.assert_array_equal(found[3] == ResultCode.CONVERGED, good)
        np.testing.assert_allclose(found[0][..., good], results[0][0][..., good], atol=1e-9)
