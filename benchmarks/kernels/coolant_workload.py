"""Batched coolant hydraulics of ours with EPANET's friction and constants: pump speeds and demands vary."""

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.kernels.water_networks import Scenarios, WaterNetwork
from benchmarks.kernels.workload import TOLERANCE, Workload, choice
from voltherm.coolant import BranchGroup, Network, NetworkState, Pipe, Pump, PumpCurve, flow

_DENSITY = 1000.0  # kg/m3: cancels between mass flow and pressure, as EPANET has volume flow and head
_KINEMATIC_VISCOSITY = 1.1e-5 * 0.3048**2
_GRAVITY = 32.2 * 0.3048
_MINOR_LOSS = 0.02517 * np.pi**2 * 32.2 / 8.0  # EPANET's rounded constant over the exact one
_WEIGHT = _DENSITY * _GRAVITY


def workload(water: WaterNetwork, scenarios: Scenarios, implementation: str) -> Workload:
    """Solve all scenarios from one state; the gradient is that of the squared flows, over the largest, by all demands
    and speeds.
    """
    pipes, pumps = water.pipes, water.pumps
    network = Network.build(
        [*water.junctions, *water.reservoirs],
        [BranchGroup(*pipes[:3]), BranchGroup(*pumps[:3])],
        water.reservoirs,
    )
    top, slope, exponent = pumps.power_law()
    curve = PumpCurve(
        jnp.asarray(_WEIGHT * top),
        jnp.zeros(len(top)),
        jnp.asarray(-_WEIGHT * slope),
        jnp.full(len(top), _DENSITY),
        exponent=2.0 if np.allclose(exponent, 2.0, rtol=0.0, atol=1e-12) else jnp.asarray(exponent),
    )
    pipe = Pipe(
        *(jnp.asarray(size) for size in (pipes.length, pipes.diameter, pipes.roughness)),
        jnp.asarray(_MINOR_LOSS * pipes.loss_coefficient),
        "epanet",
    )
    reference = jnp.asarray(_WEIGHT * water.head)
    option = choice(flow, implementation)

    def one(speed, demand, shared):
        start, branches = shared
        solution = flow(
            network,
            (branches, Pump(curve, speed)),
            jnp.asarray(_DENSITY),
            jnp.asarray(_DENSITY * _KINEMATIC_VISCOSITY),
            reference_pressure=reference,
            demand=demand,
            initial=start,
            tolerance=TOLERANCE,
            **option,
        )
        return solution.value, solution.status

    largest = _DENSITY * pumps.flow.max()

    def given(speed, demand):
        # a network without demands is not made to carry zeros
        if not len(scenarios.demanded):
            return jnp.asarray(speed), None
        return jnp.asarray(speed), jnp.asarray(_DENSITY * np.pad(demand, ((0, 0), (0, len(water.reservoirs)))))

    nowhere = jnp.full(len(pipes.names) + len(pumps.names), jnp.nan)
    return Workload(
        schedule=network.flow_schedule,
        branches=len(network.branches),
        forward=lambda varied, shared: jax.vmap(one, in_axes=(0, 0, None))(*varied, shared),
        objective=lambda result: jnp.sum((result.mass_flow / largest) ** 2),
        varied=given(scenarios.speed, scenarios.demand),
        base=given(np.ones_like(scenarios.speed), np.broadcast_to(water.demand, scenarios.demand.shape)),
        # a state that is no number makes the first solve begin with the laws' usual flows
        shared=(NetworkState(nowhere, jnp.zeros(len(network.nodes))), pipe),
        as_peer=lambda result: np.asarray(result.mass_flow) / _DENSITY,
    )
