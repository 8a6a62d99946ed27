"""The fused iterations of a coolant network against the plain one: laws, networks, lanes and derivatives."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from voltherm_kernels import native

from tests.coolant.cases import pump
from voltherm.coolant import (
    AbstractBranchLaw,
    BranchGroup,
    CheckValve,
    ControlValve,
    Network,
    Pipe,
    Pump,
    PumpCurve,
    QuadraticLoss,
    Series,
    flow,
)
from voltherm.coolant.global_gradient import Equations, iterate
from voltherm.coolant.network_root import NetworkIteration, NetworkStep, _Operands
from voltherm.coolant.pipe import HazenWilliamsPipe
from voltherm.numerics import ResultCode

compiled = pytest.mark.skipif(bool(native.why_not()), reason=native.why_not() or "built")
fused = pytest.mark.parametrize("implementation", [pytest.param("native", marks=compiled), "pallas"])

DENSITY, VISCOSITY = 1000.0, 1.0e-3
BRANCHES = 9
# of a pipe of 50 mm: laminar below 0.08 kg/s, turbulent above 0.16 kg/s; both ways and through zero
FLOWS = np.array([0.0, 1e-9, -1e-4, 0.05, 0.1, -0.13, 0.3, -4.0, 60.0])


def _laws(count: int = BRANCHES, dtype: type = np.float64) -> dict[str, AbstractBranchLaw]:
    random = np.random.default_rng(5)

    def between(low: float, high: float) -> jax.Array:
        return jnp.asarray(random.uniform(low, high, count), dtype)

    one = jnp.ones(count, dtype)
    curve = PumpCurve(3e5 * one, -1e4 * one, -between(1e9, 2e9), DENSITY * one)
    power = PumpCurve(3e5 * one, 0.0 * one, -between(1e8, 2e8), DENSITY * one, exponent=1.8)
    pipe = Pipe(between(1.0, 50.0), 0.05 * one, between(0.0, 1e-4), between(0.0, 20.0))
    valve = ControlValve(between(1.0, 40.0), jnp.asarray(np.linspace(-0.1, 1.1, count), dtype))
    losses = QuadraticLoss(between(0.5, 5.0), between(1e3, 1e5), 1.85, DENSITY, VISCOSITY)
    controlled = jax.tree.map(lambda leaf: leaf * one, pump(2e5))
    return {
        "pipe": pipe,
        "smooth pipe": Pipe(pipe.length, pipe.diameter, 0.0 * one, 0.0 * one),
        "pipe as in EPANET": Pipe(pipe.length, pipe.diameter, pipe.roughness, pipe.loss_coefficient, "epanet"),
        "Hazen-Williams": HazenWilliamsPipe(pipe.length, pipe.diameter, between(90.0, 140.0)),
        "loss": losses,
        "quadratic loss": QuadraticLoss(between(0.5, 5.0), between(1e3, 1e5)),
        "valve": valve,
        "linear valve": ControlValve(valve.flow_coefficient, valve.opening, trim="linear"),
        "check valve": CheckValve(between(0.5, 5.0), between(1e3, 1e5)),
        "pump": Pump(curve, between(0.0, 1.1)),
        "pump of a power curve": Pump(power, between(0.5, 1.1), 2.0 * one),
        "series": Series((pipe, valve, losses, pipe)),
        "tight valve": ControlValve(valve.flow_coefficient, valve.opening, leakage=0.0),
        "pipe without length": Pipe(0.0 * one, pipe.diameter, pipe.roughness, 0.0 * one),
        "controlled pump": controlled,
        "controlled pump in series": Series((losses, controlled)),
    }


def _parallel(law: AbstractBranchLaw, count: int, dtype: type, drive: jax.Array | float = 0.0) -> Equations:
    """Branches side by side between two reference nodes: each law is alone with its drive."""
    names = [f"branch {number}" for number in range(count)]
    network = Network.build(["a", "b"], [BranchGroup(names, ["a"] * count, ["b"] * count)], ["a", "b"])
    one = jnp.ones(count, dtype)
    demand = jnp.zeros(2, dtype)
    return Equations(network, (law,), DENSITY * one, VISCOSITY * one, jnp.asarray(drive) * one, demand)


def _compiled(given, tolerance: float, steps: int, wanted: str | None = None) -> tuple[jax.Array, ...]:
    """The compiled iteration of one lane."""
    operands, arrays = _Operands.split(given)
    problem = NetworkIteration(operands, tolerance, steps)
    assert problem.native is not None
    return tuple(part[..., 0] for part in problem.compiled(*(array[..., None] for array in arrays), wanted=wanted))


@compiled
def test_every_law_and_its_slope_are_those_of_the_plain_path():
    laws = _laws()
    groups = [
        BranchGroup([f"{name} {n}" for n in range(BRANCHES)], ["a"] * BRANCHES, ["b"] * BRANCHES) for name in laws
    ]
    network = Network.build(["a", "b"], groups, ["a", "b"])
    one = jnp.ones(BRANCHES * len(laws))
    equations = Equations(
        network, tuple(laws.values()), DENSITY * one, VISCOSITY * one, jnp.zeros(one.size), jnp.zeros(2)
    )
    flows = jnp.asarray(np.tile(FLOWS, len(laws)))
    drops, slopes = jax.jit(lambda flows: equations.drops_and_slopes(flows))(flows)
    operands, arrays = _Operands.split((equations, flows, (one, jnp.zeros(0))))
    lanes = [jnp.stack([array, array], -1) for array in arrays]  # packs are for two lanes and more
    for wanted in native.INSTRUCTIONS:
        # a step for ones is one over the slope
        steps, _ = jax.jit(functools.partial(NetworkStep(operands).compiled, wanted=wanted))(*lanes)
        # one step of Newton's method gives the drop away
        given = (equations, (flows, jnp.zeros(0)), jnp.asarray(1.0))
        moved = jax.jit(functools.partial(_compiled, tolerance=0.0, steps=1, wanted=wanted))(given)[0]
        for name, part in zip(laws, network.group_slices, strict=True):
            expected = np.maximum(slopes[part], 1e-6)
            # the slope of a pump that holds its pressure is a small difference of large ones
            within = {"rtol": 2e-12, "atol": 1e-13 * float(np.max(expected))}
            np.testing.assert_allclose(1.0 / steps[part, 0], expected, **within, err_msg=f"slope of {name}, {wanted}")
            found, scale = (flows - moved)[part] * expected, np.abs(flows[part]) * expected + np.abs(drops[part])
            assert np.all(np.abs(found - drops[part]) <= 2e-11 * scale), f"drop of {name}, {wanted}"


@compiled
@pytest.mark.parametrize("name", ["pipe", "pipe as in EPANET", "series"])
def test_friction_carried_from_step_to_step_ends_at_the_same_flow(name: str):
    drives = jnp.asarray([1e-3, 1.0, 30.0, 1e3, 1e4, 1e5, 1e6, -1e4, 0.0])
    equations = _parallel(_laws()[name], BRANCHES, np.float64, drives)
    plain = jax.jit(functools.partial(iterate, tolerance=0.0, maximum_iterations=60))
    compiled = jax.jit(functools.partial(_compiled, tolerance=0.0, steps=60))
    for start in (1e-6, 0.1, 1.0, 1e3):
        given = (equations, (start * jnp.ones(BRANCHES), jnp.zeros(0)), jnp.asarray(1.0))
        (expected, _), status = plain(*given)
        found, _, _, _, result, _ = compiled(given)
        assert result == status.result == ResultCode.CONVERGED
        # the residual ends at round-off of the largest drive; slow branches are compared by what they are driven with
        np.testing.assert_allclose(
            equations.drops(found), equations.drops(expected), rtol=1e-10, atol=1e-12 * float(jnp.max(jnp.abs(drives)))
        )


def _random_network(seed: int, nodes: int, references: int) -> tuple[Network, tuple[AbstractBranchLaw, ...]]:
    """A tree, chords and parallel branches of all kinds of laws."""
    random = np.random.default_rng(seed)
    names = [f"node {number}" for number in range(nodes)]
    ends = [(int(random.integers(0, number)), number) for number in range(1, nodes)]
    while len(ends) < 2 * nodes:
        one, other = (int(number) for number in random.integers(0, nodes, 2))
        if one != other:
            ends.append((one, other))
    kinds = ["pipe", "pipe as in EPANET", "loss", "valve", "check valve", "series", "pump"]
    order = random.permutation(len(ends))
    groups, laws, taken = [], [], 0
    for number, kind in enumerate(kinds):
        count = len(ends) // len(kinds) if number < len(kinds) - 1 else len(ends) - taken
        own = [ends[index] for index in order[taken : taken + count]]
        groups.append(
            BranchGroup([f"{kind} {n}" for n in range(count)], [names[a] for a, _ in own], [names[b] for _, b in own])
        )
        laws.append(_laws(count)[kind])
        taken += count
    return Network.build(names, groups, names[:references]), tuple(laws)


@functools.partial(jax.jit, static_argnames=("network", "implementation"))
def _solve(network, laws, demand, pressure, elevation, *, implementation):
    return jax.vmap(
        lambda demand, pressure: flow(
            network,
            laws,
            jnp.asarray(DENSITY, demand.dtype),
            jnp.asarray(VISCOSITY, demand.dtype),
            reference_pressure=pressure,
            demand=demand,
            elevation=elevation,
            implementation=implementation,
            tolerance=1e-11,
        )
    )(demand, pressure)


@fused
@pytest.mark.parametrize(("seed", "nodes", "references", "lanes"), [(0, 12, 1, 1), (1, 20, 3, 11), (2, 7, 2, 37)])
def test_random_networks_give_what_the_plain_path_gives(
    implementation: str, seed: int, nodes: int, references: int, lanes: int
):
    network, laws = _random_network(seed, nodes, references)
    random = np.random.default_rng(seed)
    demand = jnp.asarray(random.uniform(-0.3, 0.3, (lanes, nodes)))
    pressure = jnp.asarray(random.uniform(1e5, 3e5, (lanes, references)))
    elevation = jnp.asarray(random.uniform(0.0, 10.0, nodes))
    plain, found = (
        _solve(network, laws, demand, pressure, elevation, implementation=name) for name in ("xla", implementation)
    )
    np.testing.assert_array_equal(found.status.result, plain.status.result)
    assert np.all(np.asarray(found.status.result) == ResultCode.CONVERGED)
    assert np.max(np.abs(np.asarray(found.status.iterations) - np.asarray(plain.status.iterations))) <= 1
    scale = float(jnp.max(jnp.abs(plain.value.mass_flow)))
    np.testing.assert_allclose(found.value.mass_flow, plain.value.mass_flow, atol=1e-8 * scale)
    np.testing.assert_allclose(found.value.pressure, plain.value.pressure, rtol=1e-9)


def _loop() -> tuple[Network, tuple[AbstractBranchLaw, ...]]:
    network = Network.build(
        ["source", "a", "b", "c"],
        [
            BranchGroup(["in", "ab", "bc", "ac"], ["source", "a", "b", "a"], ["a", "b", "c", "c"]),
            BranchGroup(["valve"], ["c"], ["source"]),
        ],
        "source",
    )
    one = jnp.ones(4)
    return network, (
        Pipe(10.0 * one, 0.05 * one, 1e-5 * one, 0.0 * one),
        ControlValve(jnp.asarray([20.0]), jnp.asarray([0.7])),
    )


def _flows(demand: jax.Array, opening: jax.Array, implementation: str = "auto", **options):
    network, laws = _loop()
    laws = (laws[0], ControlValve(laws[1].flow_coefficient, opening))
    return flow(
        network,
        laws,
        jnp.asarray(DENSITY),
        jnp.asarray(VISCOSITY),
        reference_pressure=jnp.asarray(2e5),
        demand=demand,
        implementation=implementation,
        **options,
    )


@fused
def test_a_failing_lane_has_a_code_and_leaves_its_neighbours_their_bits(implementation: str):
    random = np.random.default_rng(0)
    demand = jnp.asarray(random.uniform(0.0, 1.0, (19, 4)))
    opening = jnp.full((19, 1), 0.7)
    solve = jax.jit(jax.vmap(functools.partial(_flows, implementation=implementation)))
    good = solve(demand, opening)
    spoilt = solve(demand.at[4, 1].set(jnp.nan).at[17, 2].set(1e300), opening.at[9, 0].set(jnp.nan))
    bad = np.array([4, 9, 17])
    assert np.all(np.asarray(good.status.result) == ResultCode.CONVERGED)
    assert np.all(np.asarray(spoilt.status.result)[bad] != ResultCode.CONVERGED)
    assert np.all(np.isnan(np.asarray(spoilt.value.mass_flow)[bad]))
    for one, other in zip(jax.tree.leaves(good), jax.tree.leaves(spoilt), strict=True):
        np.testing.assert_array_equal(np.delete(one, bad, 0), np.delete(other, bad, 0))
    plain = jax.vmap(functools.partial(_flows, implementation="xla"))(
        demand.at[4, 1].set(jnp.nan), opening.at[9, 0].set(jnp.nan)
    )
    np.testing.assert_array_equal(np.asarray(spoilt.status.result)[[4, 9]], np.asarray(plain.status.result)[[4, 9]])
    np.testing.assert_array_equal(
        np.asarray(spoilt.status.iterations)[[4, 9]], np.asarray(plain.status.iterations)[[4, 9]]
    )


@pytest.mark.parametrize("implementation", ["xla", pytest.param("native", marks=compiled), "pallas"])
def test_a_number_that_is_none_is_named_where_it_is(implementation: str):
    demand, opening = jnp.zeros((3, 4)).at[0, 2].set(jnp.nan), jnp.full((3, 1), 0.7).at[2, 0].set(jnp.nan)
    status = jax.vmap(functools.partial(_flows, implementation=implementation))(demand, opening).status
    assert status.result.tolist() == [ResultCode.NOT_FINITE, ResultCode.CONVERGED, ResultCode.NOT_FINITE]
    # five branches, then the free nodes a, b and c; the valve is the fifth branch
    assert status.worst[0] == 5 + 1
    assert status.worst[2] == 4


@fused
def test_a_lane_that_runs_out_of_steps_says_so(implementation: str):
    demand = jnp.asarray([[0.0, 0.1, 0.2, 0.3], [0.0, 0.0, 0.0, 0.0]])
    opening = jnp.asarray([[0.7], [0.7]])
    plain, found = (
        jax.vmap(functools.partial(_flows, implementation=name, maximum_iterations=2))(demand, opening)
        for name in ("xla", implementation)
    )
    np.testing.assert_array_equal(found.status.result, [ResultCode.MAXIMUM_ITERATIONS] * 2)
    np.testing.assert_array_equal(found.status.worst, plain.status.worst)
    np.testing.assert_allclose(found.status.residual, plain.status.residual, rtol=1e-7)


@fused
def test_what_lanes_share_may_as_well_be_each_lane_s_own(implementation: str):
    solve = functools.partial(_flows, implementation=implementation)
    random = np.random.default_rng(1)
    demand = jnp.asarray(random.uniform(0.0, 1.0, (9, 4)))
    opening = jnp.asarray([0.6])
    shared = jax.vmap(solve, in_axes=(0, None))(demand, opening)
    own = jax.vmap(solve)(demand, jnp.broadcast_to(opening, (9, 1)))
    np.testing.assert_allclose(shared.value.mass_flow, own.value.mass_flow, rtol=1e-13)
    nested = jax.vmap(jax.vmap(solve, in_axes=(None, 0)), in_axes=(0, None))(demand, jnp.stack([opening] * 3))
    np.testing.assert_allclose(nested.value.mass_flow[:, 2], own.value.mass_flow, rtol=1e-13)


@fused
def test_derivatives_are_those_of_the_plain_path(implementation: str):
    demand, opening = jnp.asarray([0.0, 0.1, 0.2, 0.3]), jnp.asarray([0.6])

    def pressures(demand, opening, implementation):
        return jnp.sum(_flows(demand, opening, implementation, tolerance=1e-12).value.pressure ** 2) * 1e-10

    plain, found = (functools.partial(pressures, implementation=name) for name in ("xla", implementation))
    batch = jnp.stack([demand, 2.0 * demand])
    for transform, at in (
        (lambda function: jax.grad(function, (0, 1)), demand),
        (lambda function: jax.jacfwd(function, (0, 1)), demand),
        (lambda function: jax.hessian(function, (0, 1)), demand),
        (lambda function: jax.vmap(jax.grad(function, (0, 1)), in_axes=(0, None)), batch),
    ):
        expected = jax.tree.leaves(jax.jit(transform(plain))(at, opening))
        for one, other in zip(jax.tree.leaves(jax.jit(transform(found))(at, opening)), expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-7, atol=1e-12)


@fused
def test_single_precision(implementation: str):
    network, laws = _random_network(3, 8, 1)
    narrow = jax.tree.map(lambda leaf: leaf.astype(np.float32) if isinstance(leaf, jax.Array) else leaf, laws)
    laws, narrow = laws[:-1], narrow[:-1]  # without pumps: groups and laws go together
    network = Network.build(network.nodes, network.groups[:-1], network.reference_nodes)
    demand = jnp.asarray(np.random.default_rng(3).uniform(-0.3, 0.3, (17, 8)))
    pressure, elevation = jnp.full((17, 1), 1e5), jnp.zeros(8)
    wide = _solve(network, laws, demand, pressure, elevation, implementation=implementation)
    single = [array.astype(np.float32) for array in (demand, pressure, elevation)]
    found = _solve(network, narrow, *single, implementation=implementation)
    assert found.value.mass_flow.dtype == np.float32
    assert np.all(np.asarray(found.status.result) == ResultCode.CONVERGED)
    np.testing.assert_allclose(found.value.mass_flow, wide.value.mass_flow, rtol=2e-3, atol=2e-4)


@pytest.mark.parametrize("implementation", ["xla", pytest.param("native", marks=compiled), "pallas"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_pipes_without_length_and_tight_valves_solve(implementation: str, dtype: type):
    """One mesh of drags of nearly nothing and of nearly everything: the open valve alone decides."""
    network = Network.build(
        ["source", "a", "b", "sink"],
        [
            BranchGroup(["in", "out", "across"], ["source", "b", "a"], ["a", "sink", "b"]),
            BranchGroup(["open", "shut"], ["a", "a"], ["b", "b"]),
        ],
        ["source", "sink"],
    )
    one = jnp.ones(3, dtype)
    valves = ControlValve(36.0 * one[:2], jnp.asarray([1.0, 0.0], dtype), leakage=0.0)

    @jax.jit
    def solve(length, opening):
        laws = (Pipe(length, 0.05 * one, 1e-5 * one, 0.0 * one), ControlValve(36.0 * one[:2], opening, leakage=0.0))
        solution = flow(
            network,
            laws,
            jnp.asarray(DENSITY, dtype),
            jnp.asarray(VISCOSITY, dtype),
            reference_pressure=jnp.asarray([2e5, 1e5], dtype),
            implementation=implementation,
            maximum_iterations=60,
        )
        return solution.value.mass_flow[0], solution

    lengths = jnp.asarray([0.0, 0.0, 1e9], dtype)
    (total, solution), slopes = jax.value_and_grad(solve, (0, 1), has_aux=True)(lengths, valves.opening)
    assert solution.status.result == ResultCode.CONVERGED
    assert all(jnp.all(jnp.isfinite(slope)) for slope in slopes)
    # 36 m3/h at 1 bar; both short pipes take some 7 kPa at this speed of 5 m/s
    assert 9.0 < total < 10.0
    assert 0.0 <= solution.value.mass_flow[4] < 1e-5


@fused
def test_one_lane_in_single_precision(implementation: str):
    for nodes in (6, 7, 8):
        network, laws = _random_network(nodes, nodes, 1)
        narrow = jax.tree.map(lambda leaf: leaf.astype(np.float32) if isinstance(leaf, jax.Array) else leaf, laws)
        single = [jnp.asarray(array, np.float32) for array in (np.full((1, nodes), 0.1), [[1e5]], np.zeros(nodes))]
        found = _solve(network, narrow, *single, implementation=implementation)
        assert np.all(np.asarray(found.status.result) == ResultCode.CONVERGED)


@fused
def test_what_every_branch_is_given_decides_over_the_precision(implementation: str):
    network, laws = _loop()
    single = jax.tree.map(lambda leaf: leaf.astype(np.float32) if isinstance(leaf, jax.Array) else leaf, laws[0])
    demand = jnp.asarray([0.0, 0.1, 0.2, 0.3], np.float32)
    with jax.numpy_dtype_promotion("standard"):
        found, plain = (
            flow(
                network,
                (single, laws[1]),
                jnp.asarray(DENSITY, np.float32),
                jnp.asarray(VISCOSITY, np.float32),
                reference_pressure=jnp.asarray(2e5, np.float32),
                demand=demand,
                implementation=name,
            )
            for name in (implementation, "xla")
        )
    assert found.value.mass_flow.dtype == found.value.pressure.dtype == np.float64
    np.testing.assert_allclose(found.value.mass_flow, plain.value.mass_flow, rtol=1e-9)


class _Cubic(AbstractBranchLaw):
    """A law that the compiled iteration does not know."""

    stiffness: jax.Array

    def pressure_drop(self, mass_flow, density, viscosity):
        return self.stiffness * (mass_flow + mass_flow**3)

    def starting_mass_flow(self, density, viscosity):
        return jnp.ones_like(density)


def test_a_network_of_unknown_laws_alone_is_iterated_in_plain_jax(caplog: pytest.LogCaptureFixture):
    network = Network.build(["a", "b"], [BranchGroup(["ab"], ["a"], ["b"])], ["a", "b"])

    def solve(implementation: str) -> jax.Array:
        return flow(
            network,
            (_Cubic(jnp.asarray([2.0])),),
            jnp.asarray(DENSITY),
            jnp.asarray(VISCOSITY),
            reference_pressure=jnp.asarray([20.0, 0.0]),
            implementation=implementation,
        ).value.mass_flow

    np.testing.assert_allclose(solve("auto"), 2.0, rtol=1e-9)
    assert "_Cubic has no compiled form, so the whole network is solved in plain JAX" in caplog.text
    with pytest.raises(ValueError, match="no implementation 'pallas'"):
        solve("pallas")
