"""Power flow as the equations of a fused iteration, out of the elementwise functions of `voltherm.power`."""

import jax.numpy as jnp
from jax import Array
from voltherm_kernels.pallas.iteration import Physics
from voltherm_kernels.pallas.newton import Operands

from voltherm.power.branch import Admittances, two_port
from voltherm.power.load import Load
from voltherm.power.network import Network
from voltherm.power.parameters import PowerParameters
from voltherm.power.state import entry_powers


def _state(unknowns: list[Array]) -> list[Array]:
    voltage = jnp.exp(unknowns[1])
    return [voltage * jnp.cos(unknowns[0]), voltage * jnp.sin(unknowns[0])]


def _node(operands: list[list[Array]], unknowns: list[Array]) -> tuple[list[Array], list[list[Array]]]:
    load, (active_generation, reactive_generation), (conductance, susceptance) = Load(*operands[0]), *operands[1:]
    voltage = jnp.exp(unknowns[1])
    active_shunt, reactive_shunt = conductance * voltage**2, -susceptance * voltage**2
    residual = [
        load.active_power(voltage) + active_shunt - active_generation,
        load.reactive_power(voltage) + reactive_shunt - reactive_generation,
    ]
    zero = jnp.zeros_like(voltage)
    active_slope = voltage * (load.active_constant_current + 2.0 * voltage * load.active_constant_impedance)
    reactive_slope = voltage * (load.reactive_constant_current + 2.0 * voltage * load.reactive_constant_impedance)
    return residual, [[zero, active_slope + 2.0 * active_shunt], [zero, reactive_slope + 2.0 * reactive_shunt]]


def _coupling(operands: list[list[Array]], own: list[Array], other: list[Array]):
    """One end of a branch, as the from end of a branch whose admittances are exchanged where it is the to end."""
    ((own_real, own_imaginary, other_real, other_imaginary),) = operands
    here, there = (own_real, own_imaginary), (other_real, other_imaginary)
    (active, reactive), (active_flow, reactive_flow), _, _ = entry_powers(
        Admittances(here, there, there, here), tuple(own), tuple(other)
    )
    residual = [active + active_flow, reactive + reactive_flow]
    slope = [[-reactive_flow, active_flow + 2.0 * active], [active_flow, reactive_flow + 2.0 * reactive]]
    return residual, slope, [[reactive_flow, active_flow], [-active_flow, reactive_flow]]


PHYSICS = Physics(_state, _node, _coupling, 2)


def operands(network: Network, parameters: PowerParameters) -> Operands:
    """Of one scenario, without the lane axis; flat start."""
    scale = 1.0 / network.base_power
    admittances = two_port(parameters.branches)
    ends = [
        jnp.stack([*admittances.from_from, *admittances.from_to], axis=-1),
        jnp.stack([*admittances.to_to, *admittances.to_from], axis=-1),
    ]
    slack, controlled = jnp.asarray(network.slack), jnp.asarray(network.slack | network.voltage_controlled)
    dtype = parameters.branches.resistance.dtype
    fixed = jnp.stack([slack, controlled], axis=-1).astype(dtype)
    set_point = jnp.stack([parameters.angle_set_point, jnp.log(parameters.voltage_set_point)], axis=-1)
    load = parameters.load
    return Operands(
        start=jnp.where(fixed > 0.0, set_point, 0.0),
        fixed=fixed,
        set_point=set_point,
        nodes=[
            scale
            * jnp.stack(
                [
                    load.active_constant_power,
                    load.active_constant_current,
                    load.active_constant_impedance,
                    load.reactive_constant_power,
                    load.reactive_constant_current,
                    load.reactive_constant_impedance,
                ],
                axis=-1,
            ),
            scale * jnp.stack([parameters.active_generation, parameters.reactive_generation], axis=-1),
            scale * jnp.stack([parameters.shunt_conductance, parameters.shunt_susceptance], axis=-1),
        ],
        couplings=[jnp.concatenate(ends)],
    )
