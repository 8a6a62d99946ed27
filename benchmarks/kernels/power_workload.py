"""Batched AC power flow of ours: loads vary, everything else is shared; voltages and status are the result."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.kernels.power_networks import Arrays, Scenarios
from benchmarks.kernels.workload import TOLERANCE, Workload, choice
from voltherm.power import BusVoltages, Load, steady
from voltherm.power.matpower import from_arrays


def workload(arrays: Arrays, scenarios: Scenarios, implementation: str) -> Workload:
    """Solve all scenarios from one state; the gradient is that of the squared deviations of voltage by all loads."""
    network, parameters = from_arrays(*arrays)
    option = choice(steady, implementation)

    def one(active, reactive, shared):
        start, branches = shared
        numbers = dataclasses.replace(parameters, branches=branches, load=Load.from_fractions(active, reactive))
        solution = steady(network, numbers, initial=start, tolerance=TOLERANCE, **option)
        return BusVoltages(solution.value.voltage_magnitude, solution.value.voltage_angle), solution.status

    def forward(varied, shared):
        return jax.vmap(one, in_axes=(0, 0, None))(*varied, shared)

    nominal = (np.broadcast_to(1e6 * arrays.bus[:, column], scenarios.active.shape) for column in (2, 3))
    start = BusVoltages(jnp.asarray(arrays.bus[:, 7]), jnp.asarray(np.deg2rad(arrays.bus[:, 8])))
    return Workload(
        schedule=network.topology.schedule,
        branches=len(network.branches),
        forward=forward,
        objective=lambda result: jnp.sum((result.voltage_magnitude - 1.0) ** 2),
        varied=(jnp.asarray(1e6 * scenarios.active), jnp.asarray(1e6 * scenarios.reactive)),
        base=tuple(jnp.asarray(loads) for loads in nominal),
        shared=(start, parameters.branches),
        as_peer=lambda result: np.asarray(result.voltage_magnitude) * np.exp(1j * np.asarray(result.voltage_angle)),
    )
