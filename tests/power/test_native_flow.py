"""The fused iteration in C++ against the one in plain JAX: same equations, same criteria, lane by lane."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from voltherm_kernels import native, newton, power_flow

from tests.power.cases import branches, network_of
from voltherm.numerics import ResultCode
from voltherm.power import Branches, Load, Network, PowerParameters, steady
from voltherm.power.equations import equations_of
from voltherm.power.flow_problem import LinearProblem, RootProblem
from voltherm.power.flow_problem import operands_of as shared_operands

pytestmark = pytest.mark.skipif(bool(native.why_not()), reason=native.why_not() or "built")

TOLERANCE = 1e-12
CHORDS = power_flow.Plan(shared_steps=2, chords=1, single_factors=True)
PLANS = {
    "exact": power_flow.EXACT,
    "auto": power_flow.AUTO,
    "chords": CHORDS,
}


def random_case(count: int, seed: int, *, tree: bool = False) -> tuple[Network, PowerParameters]:
    """A connected network with taps, phase shifts, shunts, mixed loads and voltage-controlled buses."""
    random = np.random.default_rng(seed)
    edges = [(int(random.integers(max(0, bus - 4), bus)), bus) for bus in range(1, count)]
    if not tree and count > 2:
        more = random.integers(0, count, (count, 2))
        edges += [(int(one), int(other)) for one, other in more if one != other]  # some of them parallel
    controlled = tuple(range(3, count, 5))
    network = network_of(edges, count, voltage_controlled=controlled)
    some = len(edges)
    branches = Branches(
        resistance=jnp.asarray(random.uniform(0.001, 0.01, some)),
        reactance=jnp.asarray(random.uniform(0.01, 0.03, some)),
        conductance=jnp.asarray(random.uniform(0.0, 0.01, some)),
        susceptance=jnp.asarray(random.uniform(0.0, 0.02, some)),
        tap_ratio=jnp.asarray(random.uniform(0.95, 1.05, some)),
        phase_shift=jnp.asarray(random.choice([0.0, 0.02, -0.01], some)),
        in_service=jnp.ones(some),
        rating=jnp.full(some, 10e6),
    )
    load = Load(*(jnp.asarray(random.uniform(0.0, size, count)) for size in (1e6, 3e5, 3e5, 3e5, 1e5, 1e5)))
    parameters = PowerParameters.passive(network, branches, load)
    return network, eqx.tree_at(
        lambda parameters: (parameters.shunt_susceptance, parameters.voltage_set_point),
        parameters,
        (jnp.asarray(random.uniform(0.0, 1e5, count)), jnp.asarray(random.uniform(0.98, 1.02, count))),
    )


def operands_of(network: Network, parameters: PowerParameters, lanes: int = 1) -> list[jax.Array]:
    """Operands of a flat start; with several lanes the constant loads differ between them."""
    everywhere = jnp.ones(len(network.buses), bool)
    equations = equations_of(network, parameters, everywhere)
    start = jnp.where(equations.fixed > 0.0, equations.set_point, 0.0)
    operands = shared_operands(start, equations)
    if lanes > 1:
        scale = np.random.default_rng(lanes).uniform(0.5, 1.5, (len(network.buses), lanes))
        for number in (12, 15):
            operands[number] = operands[number] * jnp.asarray(scale, operands[number].dtype)
    return operands


def solved(network, operands, plan=power_flow.EXACT, *, tolerance=TOLERANCE, maximum=30, wanted=None):
    tables = power_flow.tables(network.topology.schedule, network.from_bus, network.to_bus)
    results = jax.jit(
        lambda *given: power_flow.solve(
            tables, given, plan, tolerance, maximum, base_power=network.base_power, wanted=wanted
        )
    )(*operands)
    return [np.asarray(result) for result in results]


def oracle(network, operands, *, tolerance=TOLERANCE, maximum=30):
    problem = RootProblem(network.topology, network.base_power, tolerance, maximum, "xla")
    return [np.asarray(result) for result in newton(problem, operands, implementation="xla")]


@pytest.fixture(scope="module")
def meshed():
    network, parameters = random_case(14, 1)
    operands = operands_of(network, parameters, 19)
    return network, operands, oracle(network, operands)


def agree(found, expected, tolerance: float) -> None:
    np.testing.assert_array_equal(found[3], expected[3])
    np.testing.assert_allclose(found[0], expected[0], rtol=0, atol=tolerance)
    good = expected[3] == ResultCode.CONVERGED
    assert np.all(found[1][good] <= TOLERANCE)


@pytest.mark.parametrize(("count", "seed", "tree"), [(1, 0, False), (2, 1, False), (9, 2, True), (30, 3, False)])
def test_random_networks(count: int, seed: int, tree: bool):
    network, parameters = random_case(count, seed, tree=tree)
    operands = operands_of(network, parameters, 3)
    expected = oracle(network, operands)
    assert np.all(expected[3] == ResultCode.CONVERGED)
    exact = solved(network, operands)
    agree(exact, expected, 1e-12)
    np.testing.assert_array_equal(exact[2], expected[2])
    agree(solved(network, operands, PLANS["auto"]), expected, 1e-11)
    agree(solved(network, operands, CHORDS), expected, 1e-11)


@pytest.mark.parametrize("wanted", native.INSTRUCTIONS)
@pytest.mark.parametrize("plan", PLANS)
def test_every_instruction_set(meshed, wanted: str, plan: str):
    network, operands, expected = meshed
    agree(solved(network, operands, PLANS[plan], wanted=wanted), expected, 1e-11)


@pytest.mark.parametrize("wanted", native.INSTRUCTIONS)
def test_single_precision(meshed, wanted: str):
    network, operands, expected = meshed
    single = [operand.astype(jnp.float32) for operand in operands]
    found = solved(network, single, PLANS["auto"], tolerance=1e-5, wanted=wanted)
    assert found[0].dtype == np.float32
    assert np.all(found[3] == ResultCode.CONVERGED)
    np.testing.assert_allclose(found[0], expected[0], rtol=0, atol=1e-4)


@pytest.mark.parametrize("lanes", [1, 7, 8, 9, 17])
def test_shared_operands_are_the_same_as_repeated_ones(meshed, lanes: int):
    network, operands, expected = meshed
    some = [operand[..., :lanes] for operand in operands]
    repeated = [jnp.broadcast_to(operand, (*operand.shape[:-1], lanes)) for operand in some]
    for plan in PLANS.values():
        agree(solved(network, some, plan), [part[..., :lanes] for part in expected], 1e-11)
        agree(solved(network, repeated, plan), [part[..., :lanes] for part in expected], 1e-11)


def test_no_lanes(meshed):
    network, operands, _ = meshed
    empty = [operand[..., :0] if operand.shape[-1] > 1 else operand for operand in operands]
    assert [part.shape for part in solved(network, empty)] == [(14, 2, 0), (0,), (0,), (0,), (0,)]


@pytest.mark.parametrize("plan", PLANS)
def test_failing_lanes_leave_the_bits_of_others(meshed, plan: str):
    network, operands, expected = meshed
    spoiled = list(operands)
    for lane, load in ((2, np.nan), (5, 1e3), (9, np.inf), (18, 200.0)):
        spoiled[12] = spoiled[12].at[6, lane].set(load * network.base_power)
    found, before = (solved(network, given, PLANS[plan]) for given in (spoiled, operands))
    kept = [lane for lane in range(19) if lane not in (2, 5, 9, 18)]
    for one, other in zip(found, before, strict=True):
        np.testing.assert_array_equal(*(np.ascontiguousarray(part[..., kept]).view(np.uint32) for part in (one, other)))
    reference = oracle(network, spoiled)
    np.testing.assert_array_equal(found[3], reference[3])
    assert found[3][2] == found[3][9] == ResultCode.NOT_FINITE
    assert found[3][5] in (ResultCode.NO_DESCENT, ResultCode.MAXIMUM_ITERATIONS)
    assert found[4][2] == found[4][9] == 6
    for lane in (2, 5, 9, 18):
        np.testing.assert_array_equal(found[0][..., lane], operands[0][..., 0])
    assert np.all(np.isfinite(expected[0]))


def test_too_few_iterations(meshed):
    network, operands, _ = meshed
    for maximum in (0, 2):
        found, expected = solved(network, operands, maximum=maximum), oracle(network, operands, maximum=maximum)
        for one, other in zip(found[1:], expected[1:], strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-9)


def test_a_tolerance_below_round_off_ends_at_the_floor(meshed):
    network, operands, expected = meshed
    for plan in PLANS.values():
        found = solved(network, operands, plan, tolerance=1e-30)
        assert np.all(found[3] == ResultCode.CONVERGED)
        np.testing.assert_allclose(found[0], expected[0], rtol=0, atol=1e-12)


def test_line_search_from_a_bad_start(meshed):
    network, operands, expected = meshed
    far = list(operands)
    free = operands[1] == 0.0
    far[0] = jnp.where(free, jnp.linspace(-1.0, 0.6, 28).reshape(14, 2, 1), operands[0])
    found, reference = solved(network, far), oracle(network, far)
    assert np.any(reference[2] > expected[2])
    np.testing.assert_array_equal(found[3], reference[3])
    good = reference[3] == ResultCode.CONVERGED
    np.testing.assert_array_equal(found[2][good], reference[2][good])
    np.testing.assert_allclose(found[0][..., good], reference[0][..., good], atol=1e-11)


def test_angles_of_many_turns(meshed):
    network, operands, expected = meshed
    turned = [operands[0].at[:, 0].add(1000.0), *operands[1:]]
    for plan in PLANS.values():
        found = solved(network, turned, plan, tolerance=1e-11)
        np.testing.assert_allclose(found[0][:, 0] - 1000.0, expected[0][:, 0], atol=1e-10)
        np.testing.assert_allclose(found[0][:, 1], expected[0][:, 1], atol=1e-10)


@pytest.mark.parametrize("wanted", [None, *native.INSTRUCTIONS])
@pytest.mark.parametrize("transpose", [False, True])
def test_linear_solve(meshed, wanted: str | None, transpose: bool):
    network, operands, expected = meshed
    tables = power_flow.tables(network.topology.schedule, network.from_bus, network.to_bus)
    side = jnp.asarray(np.random.default_rng(3).normal(size=(14, 2, 19)))
    at = [jnp.asarray(expected[0]), *operands[1:]]
    found = jax.jit(
        lambda given, side: power_flow.step(
            tables, given, side, transpose, base_power=network.base_power, wanted=wanted
        )
    )(at, side)
    problem = LinearProblem(network.topology, network.base_power, transpose, "xla")
    (reference,) = newton(problem, [*at, side], implementation="xla")
    np.testing.assert_allclose(found, reference, rtol=0, atol=1e-11 * float(jnp.abs(reference).max()))


def test_a_linear_solve_that_is_asked_for_nothing_or_has_no_answer():
    network, operands = one_line(4)
    tables = power_flow.tables(network.topology.schedule, network.from_bus, network.to_bus)
    side = jnp.ones((2, 2, 4)).at[..., 2].set(0.0).at[0, 0, 3].set(jnp.nan)
    # without the only line's admittance the load's voltage is anybody's guess, and what NaN asks for is NaN
    cut = [jnp.zeros((1, 4)).at[:, 0].set(part[:, 0]) for part in operands[4:12]]
    given = [*operands[:4], *cut, *operands[12:]]
    before = native.recoveries()
    found = power_flow.step(tables, given, side, False, base_power=network.base_power)
    assert np.all(np.isfinite(found[..., 0]))
    assert np.all(np.isnan(found[..., 1]))
    assert np.all(found[..., 2] == 0.0)
    assert np.all(np.isnan(found[..., 3]))
    after = native.recoveries()
    assert (after.pivoted - before.pivoted, after.singular - before.singular) == (0, 1)


def one_line(lanes: int) -> tuple[Network, list[jax.Array]]:
    network = network_of([(0, 1)], 2)
    load = Load(*(jnp.asarray([0.0, size]) for size in (1e6, 0.0, 0.0, 3e5, 0.0, 0.0)))
    return network, operands_of(network, PowerParameters.passive(network, branches(1), load), lanes)


def test_a_shortened_step_starts_from_the_unknowns_before_it():
    network, operands = one_line(100)
    start = jnp.broadcast_to(operands[0], (2, 2, 100)).at[1, 1].set(jnp.linspace(-11.5, -10.2, 100))
    # from so low a voltage steps are some thousand long, of which a thousandth is taken
    given = [start, *operands[1:]]
    found, expected = (solve(network, given, tolerance=0.08, maximum=1) for solve in (solved, oracle))
    good = expected[3] == ResultCode.CONVERGED
    assert np.sum(good) > 10
    np.testing.assert_array_equal(found[3], expected[3])
    assert np.max(np.abs(found[0] - expected[0])[1, 1, good]) <= 4 * np.spacing(6.0)


@pytest.mark.parametrize("plan", PLANS)
def test_a_trial_that_is_nowhere_a_number_has_not_converged(plan: str):
    network, operands = one_line(3)
    # next to no voltage: a step so long that the voltage after it is infinite, and the mismatch NaN
    far = [operands[0].at[1, 1].set(-30.0), *operands[1:]]
    found, expected = solved(network, far, PLANS[plan]), oracle(network, far)
    assert np.all(expected[3] == ResultCode.NO_DESCENT)
    np.testing.assert_array_equal(found[3], expected[3])
    np.testing.assert_array_equal(found[0], np.broadcast_to(far[0], found[0].shape))


def test_what_has_converged_meets_the_tolerance(meshed):
    network, operands, _ = meshed
    random = np.random.default_rng(0)
    start = jnp.where(operands[1] == 0.0, jnp.asarray(random.normal(size=(14, 2, 1))), operands[0])
    load = operands[12][..., :1] * jnp.asarray(random.uniform(0.0, 30.0, (14, 2000)))
    given = [start, *operands[1:12], load, *operands[13:15], operands[15][..., :1], *operands[16:]]
    # among so many starts some steps with kept factors meet it while the sum of squares does not fall
    for tolerance in (10.0, 30.0):
        for plan in PLANS.values():
            found = solved(network, given, plan, tolerance=tolerance)
            good = found[3] == ResultCode.CONVERGED
            assert np.any(good)
            assert np.all(found[1][good] <= tolerance)


@pytest.mark.parametrize("plan", PLANS)
def test_numbers_that_a_set_point_makes_irrelevant(meshed, plan: str):
    network, operands, expected = meshed
    fixed = np.asarray(operands[1]) > 0.0
    slack, controlled = 0, 3
    assert fixed[slack].all()
    assert list(fixed[controlled, :, 0]) == [False, True]
    spoiled = list(operands)
    for number in (2, 3):  # generation, shunt: active and reactive side by side
        spoiled[number] = spoiled[number].at[slack].set(jnp.nan).at[controlled, 1].set(jnp.nan)
    for number in range(12, 18):
        spoiled[number] = spoiled[number].at[slack].set(jnp.inf if number == 12 else jnp.nan)
    for number in range(15, 18):
        spoiled[number] = spoiled[number].at[controlled].set(jnp.nan)
    reference = oracle(network, spoiled)
    np.testing.assert_array_equal(reference[3], ResultCode.CONVERGED)
    agree(solved(network, spoiled, PLANS[plan]), expected, 1e-11)


@pytest.mark.parametrize("plan", PLANS)
def test_a_set_point_that_is_not_a_number(plan: str):
    network = network_of([], 2, slack=(0, 1))
    load = Load(*(jnp.zeros(2) for _ in range(6)))
    operands = operands_of(network, PowerParameters.passive(network, branches(0), load), 3)
    spoiled = [jnp.broadcast_to(operands[0], (2, 2, 3)).at[1, 0, 2].set(jnp.nan), *operands[1:]]
    codes = [ResultCode.CONVERGED, ResultCode.CONVERGED, ResultCode.NOT_FINITE]
    np.testing.assert_array_equal(oracle(network, spoiled)[3], codes)
    np.testing.assert_array_equal(solved(network, spoiled, PLANS[plan])[3], codes)


def test_operands_that_do_not_fit(meshed):
    network, operands, _ = meshed
    for number, operand, error, message in (
        (0, operands[0][:-1], jax.errors.JaxRuntimeError, "voltherm_kernels"),
        (5, operands[5].astype(jnp.float32), jax.errors.JaxRuntimeError, "voltherm_kernels"),
        (12, operands[12][:, :4], ValueError, "number of lanes"),
    ):
        wrong = [*operands[:number], operand, *operands[number + 1 :]]
        with pytest.raises(error, match=message):
            solved(network, wrong)


# The public function.
# -------------------------------------------------------------------------------------------------------------------


def test_outages_and_islands_in_a_batch():
    network, parameters = random_case(6, 4, tree=True)
    in_service = jnp.ones((3, 5)).at[1, 4].set(0.0)
    batch = eqx.tree_at(lambda parameters: parameters.branches.in_service, parameters, in_service)
    axes = eqx.tree_at(
        lambda parameters: parameters.branches.in_service, jax.tree.map(lambda _: None, parameters), 0, is_leaf=_none
    )
    both = [
        jax.jit(jax.vmap(lambda one, name=name: steady(network, one, implementation=name), in_axes=(axes,)))(batch)
        for name in ("native", "xla")
    ]
    codes = [np.asarray(solution.status.result) for solution in both]
    np.testing.assert_array_equal(codes[0], [ResultCode.CONVERGED, ResultCode.NOT_SUPPLIED, ResultCode.CONVERGED])
    np.testing.assert_array_equal(codes[0], codes[1])
    np.testing.assert_array_equal(*(solution.status.worst for solution in both))
    np.testing.assert_allclose(*(solution.value.voltage_magnitude for solution in both), atol=1e-9)


def _none(leaf: object) -> bool:
    return leaf is None


def test_derivatives_are_those_of_the_plain_iteration():
    network, parameters = random_case(7, 5)

    def losses(scale: jax.Array, implementation: str) -> jax.Array:
        scaled = eqx.tree_at(
            lambda parameters: (parameters.load, parameters.branches.tap_ratio),
            parameters,
            (
                jax.tree.map(lambda part: part * scale, parameters.load),
                parameters.branches.tap_ratio * (1.1 - scale / 10),
            ),
        )
        return jnp.sum(steady(network, scaled, implementation=implementation, tolerance=1e-12).value.active_loss) / 1e4

    scales = jnp.array([[0.8, 1.0], [1.2, 1.5]])

    def everything(implementation: str):
        def value(scale):
            return losses(scale, implementation)

        gradient = jax.grad(value)
        return (
            jax.vmap(jax.vmap(value))(scales),
            jax.vmap(jax.vmap(gradient))(scales),
            jax.jvp(value, (scales[0, 0],), (jnp.ones(()),))[1],
            jax.grad(gradient)(scales[0, 1]),
        )

    found, expected = (jax.jit(lambda name=name: everything(name))() for name in ("native", "xla"))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9)


def ring(load: jax.Array, implementation: str, left: float = 0.0):
    """A series capacitor cancels a reactance: no pivot without exchanging rows, though the Jacobian is regular.

    `left`: of the reactance, relative.
    """
    network = network_of([(0, 1), (1, 2), (2, 0)], 3)
    reactance = jnp.asarray([0.1, -0.1 * (1.0 + left), 0.1])
    ideal = eqx.tree_at(lambda branches: branches.reactance, branches(3, resistance=0.0), reactance)
    parts = (jnp.array([0.0, 1e5, 2e5]) * load, *(jnp.zeros(3) for _ in range(5)))
    return steady(network, PowerParameters.passive(network, ideal, Load(*parts)), implementation=implementation)


@pytest.mark.parametrize("left", [0.0, 1e-13, 1e-9])
def test_derivatives_where_a_pivot_vanishes_or_nearly(left: float):
    def angle(load: jax.Array, implementation: str) -> jax.Array:
        solution = ring(load, implementation, left)
        return jnp.sum(solution.value.voltage_angle * jnp.array([0.0, 1.0, 2.0])), solution.status.result

    loads = jnp.array([0.0, 1.0])
    before = native.recoveries()
    (native_gradient, native_code), (gradient, code) = (
        jax.jit(jax.vmap(jax.grad(lambda load, name=name: angle(load, name), has_aux=True)))(loads)
        for name in ("native", "xla")
    )
    np.testing.assert_array_equal(code, ResultCode.CONVERGED)
    np.testing.assert_array_equal(native_code, ResultCode.CONVERGED)
    assert np.all(gradient != 0.0)
    np.testing.assert_allclose(native_gradient, gradient, rtol=1e-9)
    for load in loads:
        found, expected = (ring(load, name, left).value.voltage_angle for name in ("native", "xla"))
        np.testing.assert_allclose(found, expected, atol=1e-12)
    after = native.recoveries()
    assert after.pivoted > before.pivoted
    assert after.singular == before.singular


def test_xla_calls_nothing_native():
    network, parameters = random_case(5, 6)

    def loss(scale: jax.Array, implementation: str) -> jax.Array:
        load = jax.tree.map(lambda part: part * scale, parameters.load)
        scaled = eqx.tree_at(lambda parameters: parameters.load, parameters, load)
        return jnp.sum(steady(network, scaled, implementation=implementation).value.active_loss)

    programs = {
        name: jax.jit(jax.grad(lambda scale, name=name: loss(scale, name))).lower(1.0).as_text()
        for name in ("native", "xla")
    }
    assert "voltherm_power_flow" in programs["native"]
    assert "voltherm_" not in programs["xla"].replace("voltherm_newton", "")
