import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.coolant.cases import DENSITY, NETWORK, RACKS, VISCOSITY, check_gradient, loop_laws, pump, solve_loop
from voltherm.coolant import (
    BranchGroup,
    CheckValve,
    Network,
    NetworkState,
    Pipe,
    Pump,
    QuadraticLoss,
    Series,
    flow,
)
from voltherm.numerics import ResultCode

SOLVE = jax.jit(solve_loop)


def _branch(name: str) -> int:
    return NETWORK.branch_index(name)


def test_balances_and_branch_laws_hold():
    laws = loop_laws()
    solution = SOLVE(laws)
    state = solution.value
    assert solution.status.result == ResultCode.CONVERGED
    mass = NETWORK.gather_at_nodes(state.mass_flow, -state.mass_flow)
    assert jnp.max(jnp.abs(mass)) < 1e-9
    drop = NETWORK.difference(state.pressure)
    for law, part in zip(laws, NETWORK.group_slices, strict=True):
        flows = state.mass_flow[part]
        expected = law.pressure_drop(flows, jnp.full_like(flows, DENSITY), jnp.full_like(flows, VISCOSITY))
        np.testing.assert_allclose(drop[part], expected, atol=1e-3)
    np.testing.assert_allclose(drop[0], -1.0e5, rtol=1e-5)
    np.testing.assert_allclose(state.pressure[NETWORK.node_index("R0")], 3.0e5)
    assert jnp.abs(state.mass_flow[_branch("dead leg")]) < 1e-9


def test_everything_at_rest():
    still = Pump(pump().curve, jnp.zeros(1))
    solution = SOLVE((still, *loop_laws()[1:]))
    assert solution.status.result == ResultCode.CONVERGED
    assert jnp.max(jnp.abs(solution.value.mass_flow)) < 1e-6


def test_closed_valves_leak_and_open_ones_share_the_rest():
    opening = jnp.asarray([0.0, 1.0, 1.0])
    flows = SOLVE(loop_laws(opening=opening)).value.mass_flow
    racks = flows[NETWORK.group_slices[2]]
    assert 0.0 < float(racks[0]) < 1e-3 * float(racks[1])
    all_closed = SOLVE(loop_laws(opening=jnp.zeros(RACKS)))
    assert all_closed.status.result == ResultCode.CONVERGED
    assert jnp.max(jnp.abs(all_closed.value.mass_flow)) < 1e-2


def test_set_points_beyond_the_pump_saturate():
    high, low = SOLVE(loop_laws(set_point=4.0e5)), SOLVE(loop_laws(set_point=1.0e2))
    assert high.status.result == low.status.result == ResultCode.CONVERGED
    full_speed = -NETWORK.difference(high.value.pressure)[0]
    least_speed = -NETWORK.difference(low.value.pressure)[0]
    assert 1.0e5 < full_speed < 2.5e5
    assert 1.0e2 < least_speed < 0.09 * 2.5e5


def test_gradients_with_respect_to_every_kind_of_number():
    def first_rack(x):
        laws = loop_laws(set_point=1.0e5 * x[0], opening=0.7 * x[1:4], diameter=0.06 * x[4])
        return solve_loop(laws, demand=jnp.zeros(12).at[2].set(0.1 * x[5])).value.mass_flow[_branch("plate 0")]

    check_gradient(first_rack, jnp.asarray([1.0, 0.9, 1.0, 1.1, 1.0, 1.0]))


def test_second_derivative():
    def total(set_point):
        return solve_loop(loop_laws(set_point=set_point)).value.mass_flow[0]

    slope, curvature = jax.jit(jax.grad(total)), jax.jit(jax.grad(jax.grad(total)))
    at, step = jnp.asarray(1.0e5), 10.0
    np.testing.assert_allclose(curvature(at), (slope(at + step) - slope(at - step)) / (2.0 * step), rtol=1e-5)


def test_a_failed_lane_is_nan_without_gradient_and_alone():
    def total(set_point):
        solution = solve_loop(loop_laws(set_point=set_point))
        return solution.value.mass_flow[0], solution.status.result

    set_points = jnp.asarray([1.0e5, jnp.nan, 1.2e5])
    (flows, results), gradients = jax.jit(jax.vmap(lambda x: (total(x), jax.grad(total, has_aux=True)(x)[0])))(
        set_points
    )
    assert results[1] != ResultCode.CONVERGED
    np.testing.assert_array_equal(jnp.isnan(flows), [False, True, False])
    assert gradients[1] == 0.0
    np.testing.assert_allclose(flows[0], SOLVE(loop_laws()).value.mass_flow[0], rtol=1e-12)
    assert gradients[0] > gradients[2] > 0.0


def test_warm_start_takes_no_step_and_a_failed_start_is_replaced():
    cold = SOLVE(loop_laws())
    warm = SOLVE(loop_laws(), initial=cold.value)
    assert warm.status.iterations <= 1
    lost = jax.tree.map(lambda part: jnp.full_like(part, jnp.nan), cold.value)
    again = SOLVE(loop_laws(), initial=lost)
    np.testing.assert_allclose(again.value.mass_flow, cold.value.mass_flow, atol=1e-9)


def test_ten_designs_compile_once():
    traces = []

    @jax.jit
    def compiled(laws):
        traces.append(laws)
        return solve_loop(laws)

    for design in range(10):
        compiled(loop_laws(set_point=1.0e5 + 1e3 * design, diameter=0.06 + 0.001 * design))
    assert len(traces) == 1


def test_single_precision():
    single = jax.tree.map(
        lambda leaf: leaf.astype(jnp.float32) if eqx.is_array(leaf) else leaf,
        (Pump(pump().curve, jnp.full(1, 0.8)), *loop_laws()[1:]),
    )
    one = jnp.asarray(1.0, jnp.float32)
    solution = flow(NETWORK, single, DENSITY * one, VISCOSITY * one, reference_pressure=3.0e5 * one)
    double = SOLVE((Pump(pump().curve, jnp.full(1, 0.8)), *loop_laws()[1:]))
    assert solution.value.mass_flow.dtype == jnp.float32
    assert solution.status.result == ResultCode.CONVERGED
    np.testing.assert_allclose(solution.value.mass_flow, double.value.mass_flow, rtol=1e-3, atol=1e-3)


def _pump_pair(speeds):
    """Two pumps with check valves in parallel before one resistance."""
    network = Network.build(
        ["suction", "discharge"],
        [
            BranchGroup(["P1", "P2"], ["suction"] * 2, ["discharge"] * 2),
            BranchGroup(["load"], ["discharge"], ["suction"]),
        ],
        "suction",
    )
    two = jnp.ones(2)
    curve = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (2,)) if eqx.is_array(leaf) else leaf, pump().curve)
    laws = (
        Series((Pump(curve, speeds), CheckValve(10.0 * two, 5e3 * two))),
        QuadraticLoss(15.0 * two[:1], 1.5e5 * two[:1]),
    )
    return flow(network, laws, jnp.asarray(DENSITY), jnp.asarray(VISCOSITY), reference_pressure=jnp.asarray(3.0e5))


@pytest.mark.parametrize(("speeds", "shares"), [((1.0, 1.0), (0.5, 0.5)), ((1.0, 0.0), (1.0, 0.0))])
def test_parallel_pumps_with_check_valves(speeds, shares):
    solution = _pump_pair(jnp.asarray(speeds))
    assert solution.status.result == ResultCode.CONVERGED
    flows = solution.value.mass_flow
    np.testing.assert_allclose(flows[:2] / flows[2], shares, atol=1e-3)


def test_elevation_and_buoyancy():
    """A loop of a warm and a cold leg 10 m high circulates by itself."""
    network = Network.build(
        ["bottom", "top"], [BranchGroup(["warm", "cold"], ["bottom", "top"], ["top", "bottom"])], "bottom"
    )
    two = jnp.ones(2)
    pipes = (Pipe(10.0 * two, 0.1 * two, 1e-5 * two, 0.0 * two),)
    solution = flow(
        network,
        pipes,
        jnp.asarray([980.0, 1000.0]),
        jnp.asarray(VISCOSITY),
        reference_pressure=jnp.asarray(2.0e5),
        elevation=jnp.asarray([0.0, 10.0]),
    )
    flows = solution.value.mass_flow
    drops = pipes[0].pressure_drop(flows, jnp.asarray([980.0, 1000.0]), VISCOSITY * two)
    assert flows[0] > 0.0
    np.testing.assert_allclose(jnp.sum(drops), 9.80665 * 10.0 * 20.0, rtol=1e-6)


def test_one_branch_between_two_reservoirs():
    network = Network.build(["a", "b"], [BranchGroup(["p"], ["a"], ["b"])], ["a", "b"])
    one = jnp.ones(1)
    law = (QuadraticLoss(2.0 * one, 1e4 * one),)
    solution = flow(
        network, law, jnp.asarray(DENSITY), jnp.asarray(VISCOSITY), reference_pressure=jnp.asarray([3.0e5, 2.6e5])
    )
    np.testing.assert_allclose(solution.value.mass_flow, 4.0, rtol=1e-7)
    assert isinstance(solution.value, NetworkState)
