import jax
import jax.numpy as jnp
import numpy as np

from tests.coolant.cases import NETWORK, check_gradient, loop_laws, solve_loop
from voltherm.coolant import BranchGroup, Network, heat_transport
from voltherm.numerics import ResultCode

HEAT_CAPACITY, AMBIENT = jnp.asarray(4180.0), jnp.asarray(290.0)
MASS_FLOW = jax.jit(solve_loop)(loop_laws(opening=jnp.asarray([0.6, 0.8, 1.0]))).value.mass_flow
BRANCHES = len(NETWORK.branch_names)
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
    solution = TRANSPORT(jnp.zeros(BRANCHES), heat=jnp.zeros(BRANCHES))
    assert solution.status.result == ResultCode.CONVERGED
    np.testing.assert_allclose(solution.value.node_temperature, 300.0, atol=1e-6)


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
