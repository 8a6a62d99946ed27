import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.coolant.cases import NETWORK, check_gradient, loop_laws, solve_loop
from voltherm.coolant import BranchGroup, Network, heat_transport
from voltherm.numerics import ResultCode

HEAT_CAPACITY, AMBIENT = jnp.asarray(4180.0), jnp.asarray(290.0)
MASS_FLOW = jax.jit(solve_loop)(loop_laws(opening=jnp.asarray([0.6, 0.8, 1.0]))).value.mass_flow
BRANCHES = len(NETWORK.branches)
RACK_HEAT = jnp.zeros(BRANCHES).at[NETWORK.group_slices[3]].set(jnp.asarray([40e3, 50e3, 60e3]))
WALL = jnp.zeros(BRANCHES).at[NETWORK.group_slices[1]].set(15.0)


def transport(mass_flow, set_temperature=300.0, heat=RACK_HEAT, wall=WALL):
    return heat_transport(
        NETWORK,
        mass_flow,
        HEAT_CAPACITY,
        ambient_temperature=AMBIENT,
        heat_flow=heat,
        wall_conductance=wall,
        set_branches=("pump",),
        set_temperature=jnp.asarray([set_temperature]),
    )


TRANSPORT = jax.jit(transport)


def test_energy_closes_and_pipes_are_exponential():
    solution = TRANSPORT(MASS_FLOW)
    state = solution.value
    assert solution.status.result == ResultCode.CONVERGED
    assert solution.status.residual < 1e-12
    np.testing.assert_allclose(jnp.sum(state.heat_flow), 0.0, atol=1e-3)
    first = NETWORK.branch_index("supply 0")
    kept = jnp.exp(-WALL[first] / (MASS_FLOW[first] * HEAT_CAPACITY))
    np.testing.assert_allclose(state.outlet_temperature[first], 290.0 + 10.0 * kept, rtol=1e-9)
    plate = NETWORK.branch_index("plate 1")
    rise = state.outlet_temperature[plate] - state.inlet_temperature[plate]
    np.testing.assert_allclose(rise, 50e3 / (MASS_FLOW[plate] * HEAT_CAPACITY), rtol=1e-9)


def test_dead_leg_takes_its_neighbours_temperature():
    state = TRANSPORT(MASS_FLOW.at[NETWORK.branch_index("dead leg")].set(0.0), wall=jnp.zeros(BRANCHES)).value
    end, start = (
        state.node_temperature[NETWORK.node_index("dead end")],
        state.node_temperature[NETWORK.node_index("S3")],
    )
    np.testing.assert_allclose(end, start, rtol=1e-12)


def test_reversed_flow_reverses_the_order():
    """The same network pumped backwards: what was downstream of the racks is upstream."""
    state = TRANSPORT(-MASS_FLOW, wall=jnp.zeros(BRANCHES)).value
    assert state.node_temperature[NETWORK.node_index("R3")] < state.node_temperature[NETWORK.node_index("S3")]
    np.testing.assert_allclose(jnp.sum(state.heat_flow), 0.0, atol=1e-3)


def test_everything_at_rest_is_legal():
    still = jnp.zeros(BRANCHES)
    solution = TRANSPORT(still, heat=still, wall=still)
    assert solution.status.result == ResultCode.CONVERGED
    np.testing.assert_allclose(solution.value.node_temperature, 300.0, atol=1e-6)
    lossy = TRANSPORT(still, heat=still)
    assert lossy.status.result == ResultCode.CONVERGED
    np.testing.assert_allclose(lossy.value.outlet_temperature[NETWORK.group_slices[1]], 290.0, atol=1e-6)


def test_gradient():
    def hottest(x):
        state = transport(MASS_FLOW * x[0], 300.0 * x[1], RACK_HEAT * x[2], WALL * x[3]).value
        return jnp.sum(state.outlet_temperature[NETWORK.group_slices[3]])

    check_gradient(hottest, jnp.ones(4), tolerance=1e-5)


def test_lanes():
    lanes = jax.vmap(lambda set_temperature: transport(MASS_FLOW, set_temperature))(jnp.asarray([300.0, 310.0]))
    assert lanes.value.node_temperature.shape == (2, len(NETWORK.nodes))
    np.testing.assert_allclose(lanes.value.node_temperature[0], TRANSPORT(MASS_FLOW).value.node_temperature)


def test_open_network_carries_its_injection():
    network = Network.build(["in", "out"], [BranchGroup(["pipe"], ["in"], ["out"])], ["in", "out"])
    solution = heat_transport(
        network,
        jnp.asarray([2.0]),
        HEAT_CAPACITY,
        ambient_temperature=AMBIENT,
        heat_flow=jnp.asarray([41.8e3]),
        injection_temperature=jnp.full(2, 305.0),
    )
    np.testing.assert_allclose(solution.value.node_temperature, [305.0, 310.0], rtol=1e-8)


RING = Network.build(["a", "b", "c"], [BranchGroup(["p", "q", "r"], ["a", "b", "c"], ["b", "c", "a"])], "a")


@functools.partial(jax.jit, static_argnames=("network", "set_branches"))
def _heated(network, mass_flow, heat, wall, set_branches=(), set_temperature=None):
    return heat_transport(
        network,
        mass_flow,
        jnp.asarray(4180.0, mass_flow.dtype),
        ambient_temperature=jnp.asarray(300.0, mass_flow.dtype),
        heat_flow=heat,
        wall_conductance=wall,
        set_branches=set_branches,
        set_temperature=set_temperature,
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_heat_that_nothing_takes_away_is_no_solution(dtype: type):
    @jax.jit
    def hottest(heat, mass_flow):
        solution = _heated(RING, jnp.full(3, mass_flow), heat, jnp.zeros(3, dtype))
        return jnp.sum(solution.value.node_temperature), solution

    gradient = jax.jit(jax.value_and_grad(hottest, has_aux=True))
    for mass_flow in (1.0, 1e-3, 0.37, 0.0):
        (_, solution), slope = gradient(jnp.asarray([1e3, 0.0, 0.0], dtype), jnp.asarray(mass_flow, dtype))
        assert solution.status.result == ResultCode.SINGULAR
        assert all(jnp.all(jnp.isnan(part)) for part in jax.tree.leaves(solution.value))
        np.testing.assert_array_equal(slope, 0.0)


def test_flows_that_balance_to_their_tolerance_are_no_sink():
    heat = jnp.asarray([1e3, 0.0, 0.0])
    solution = _heated(RING, jnp.asarray([1.0, 1.0 + 1e-7, 1.0 - 1e-7]), heat, jnp.zeros(3))
    assert solution.status.result == ResultCode.SINGULAR


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("walls", [1, 3])
def test_heated_liquid_at_rest_ends_where_its_wall_takes_the_heat(walls: int, dtype: type):
    wall = jnp.asarray([1.0, 2.0, 3.0], dtype) * jnp.asarray(np.arange(3) < walls, dtype)
    solution = _heated(RING, jnp.zeros(3, dtype), jnp.asarray([1e3, 0.0, 0.0], dtype), wall)
    assert solution.status.result == ResultCode.CONVERGED
    # T_amb + Q / UA, by hand
    np.testing.assert_allclose(solution.value.outlet_temperature[0], 1300.0, rtol=1e-6)
    assert jnp.max(solution.value.node_temperature) <= 1300.001


def test_a_heated_branch_at_rest_in_a_loop_that_flows():
    """Its wall decides; without a wall nothing does. The limit of a vanishing flow is met from both sides."""
    network = Network.build(
        ["hot", "cold"],
        [BranchGroup(["sink"], ["hot"], ["cold"]), BranchGroup(["rack", "stuck"], ["cold"] * 2, ["hot"] * 2)],
        "cold",
    )
    heat, wall = jnp.asarray([0.0, 4180.0, 50.0]), jnp.asarray([0.0, 0.0, 5.0])

    def solve(slow, wall=wall, heat=heat):
        flows = jnp.stack([jnp.asarray(1.0) + slow, jnp.asarray(1.0), jnp.asarray(slow)])
        return _heated(network, flows, heat, wall, ("sink",), jnp.asarray([290.0]))

    for slow in (0.0, 1e-14, -1e-14, 1e-10, 1e-7):
        solution = solve(slow)
        assert solution.status.result == ResultCode.CONVERGED
        np.testing.assert_allclose(solution.value.node_temperature, [291.0, 290.0], atol=1e-4)
        # m c dT = UA (T_amb - T) + Q along the branch, integrated by hand
        units = 5.0 / max(abs(slow) * 4180.0, 1e-9)
        expected = 310.0 + (290.0 - 310.0) * np.exp(-units)
        np.testing.assert_allclose(solution.value.outlet_temperature[2], expected, rtol=1e-7)
    assert solve(0.0, wall=jnp.zeros(3)).status.result == ResultCode.SINGULAR
    still = solve(0.0, wall=jnp.zeros(3), heat=heat.at[2].set(0.0))
    assert still.status.result == ResultCode.CONVERGED
    np.testing.assert_allclose(still.value.node_temperature, [291.0, 290.0], rtol=1e-8)

    def outlet(x):
        return solve(0.0, wall=wall.at[2].set(5.0 * x[0]), heat=heat.at[2].set(50.0 * x[1])).value.outlet_temperature[2]

    check_gradient(outlet, jnp.ones(2))


def test_every_part_needs_a_sink_of_its_own():
    pairs = [BranchGroup([f"{p}{n}" for n in range(2)], [f"{p}a", f"{p}b"], [f"{p}b", f"{p}a"]) for p in "xy"]
    nodes = ["xa", "xb", "ya", "yb"]
    apart = Network.build(nodes, pairs, ["xa", "ya"])
    joined = Network.build(nodes, [*pairs, BranchGroup(["shut"], ["xa"], ["ya"])], "xa")
    for network, flows in ((apart, jnp.ones(4)), (joined, jnp.asarray([1.0, 1.0, 1.0, 1.0, 0.0]))):
        for warmed, result in ((0, ResultCode.CONVERGED), (2, ResultCode.SINGULAR)):
            heat = jnp.zeros(flows.size).at[0].set(1e6).at[warmed].add(1.0)
            solution = _heated(network, flows, heat, jnp.zeros(flows.size), ("x1",), jnp.asarray([290.0]))
            expected = ResultCode.SINGULAR if network is apart else result
            assert solution.status.result == expected
            if expected == ResultCode.SINGULAR:
                assert network.nodes[int(solution.status.worst)] in ("ya", "yb")


def test_a_lane_without_a_solution_leaves_the_others_their_numbers():
    heat = jnp.asarray([[0.0, 1e3, 0.0], [0.0, jnp.nan, 0.0], [0.0, 1e3, 0.0]])
    wall = jnp.asarray([[0.0, 0.0, 1.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]])

    def hottest(heat, wall):
        solution = _heated(RING, jnp.ones(3), heat, wall)
        return jnp.max(solution.value.node_temperature), solution.status.result

    (found, result), gradient = jax.vmap(jax.value_and_grad(hottest, (0, 1), has_aux=True))(heat, wall)
    assert result.tolist() == [ResultCode.CONVERGED, ResultCode.NOT_FINITE, ResultCode.SINGULAR]
    np.testing.assert_array_equal(jnp.isnan(found), [False, True, True])
    np.testing.assert_array_equal(gradient[0][1:], 0.0)
    np.testing.assert_array_equal(gradient[1][1:], 0.0)
    alone, _ = hottest(heat[0], wall[0])
    np.testing.assert_allclose(found[0], alone, rtol=1e-14)
    assert gradient[0][0, 1] > 0.0


def test_set_temperatures_are_counted():
    with pytest.raises(ValueError, match="one temperature for each set branch"):
        _heated(RING, jnp.ones(3), jnp.zeros(3), jnp.zeros(3), ("p",), jnp.asarray([290.0, 300.0]))
