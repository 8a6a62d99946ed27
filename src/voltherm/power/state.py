"""Everything that follows from the bus voltages: branch powers, currents, losses, loading, sources, balance.

    S_f = V_f conj(Y_ff V_f + Y_ft V_t)     S_t = V_t conj(Y_tf V_f + Y_tt V_t)     loss = S_f + S_t
    I = |S| S_base / (sqrt(3) V V_base)     loading = max(I_f, I_t) S_base / rating  (currents per unit)

| symbol | meaning | unit |
| --- | --- | --- |
| S_f, S_t | power into the branch at its from and to end | W, var |
| loading | current over rated current | - |
| source | power a bus feeds into the network from outside: slack, generators | W, var |

Source: MATPOWER User's Manual, chapter 3; loading by current as in IEC 60354 and pandapower.
"""

import dataclasses
import math

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from voltherm.power.branch import Admittances, two_port
from voltherm.power.network import Network
from voltherm.power.parameters import PowerParameters

Power = tuple[Float[Array, " branch"], Float[Array, " branch"]]


class BusVoltages(eqx.Module):
    """Voltage of every bus, magnitude in per unit and angle in rad: what a solve may start from."""

    voltage_magnitude: Float[Array, "*lanes bus"]
    voltage_angle: Float[Array, "*lanes bus"]


class PowerState(eqx.Module):
    """State of one scenario (a batch adds leading axes). Branch powers are positive into the branch.

    Voltages [p.u.] and [rad]; powers [W, var]; currents [A]; `loading` = current over rating, 0 where unrated;
    `active_load`, `reactive_load` = what the loads draw at the solved voltage; `active_source`, `reactive_source` =
    given generation, or what the solution needs where the bus type leaves it free; `active_mismatch`,
    `reactive_mismatch` = unbalanced power left at a bus by the iteration; `active_balance` = sources - loads - shunts -
    losses of the whole network [W].
    """

    voltage_magnitude: Float[Array, " bus"]
    voltage_angle: Float[Array, " bus"]
    active_power_from: Float[Array, " branch"]
    reactive_power_from: Float[Array, " branch"]
    active_power_to: Float[Array, " branch"]
    reactive_power_to: Float[Array, " branch"]
    current_from: Float[Array, " branch"]
    current_to: Float[Array, " branch"]
    active_loss: Float[Array, " branch"]
    reactive_loss: Float[Array, " branch"]
    loading: Float[Array, " branch"]
    active_load: Float[Array, " bus"]
    reactive_load: Float[Array, " bus"]
    active_shunt: Float[Array, " bus"]
    reactive_shunt: Float[Array, " bus"]
    active_source: Float[Array, " bus"]
    reactive_source: Float[Array, " bus"]
    active_mismatch: Float[Array, " bus"]
    reactive_mismatch: Float[Array, " bus"]
    active_balance: Float[Array, ""]


_OF_BRANCH = {
    "active_power_from",
    "reactive_power_from",
    "active_power_to",
    "reactive_power_to",
    "current_from",
    "current_to",
    "active_loss",
    "reactive_loss",
    "loading",
}


def magnitude(real: Float[Array, "..."], imaginary: Float[Array, "..."]) -> Float[Array, "..."]:
    """sqrt(real^2 + imaginary^2) with derivative 0, not NaN, at zero (an unloaded branch)."""
    square = real**2 + imaginary**2
    zero = square == 0.0
    return jnp.where(zero, 0.0, jnp.sqrt(jnp.where(zero, 1.0, square)))


def entry_powers(
    admittances: Admittances,
    from_voltage: Power,
    to_voltage: Power,
) -> tuple[Power, Power, Power, Power]:
    """V_i conj(Y_ij V_j) for ff, ft, tf, tt from rectangular voltages at the branch ends (branch,) [p.u.]."""

    def product(voltage: Power, admittance: Power, other: Power) -> Power:
        current = (
            admittance[0] * other[0] - admittance[1] * other[1],
            admittance[0] * other[1] + admittance[1] * other[0],
        )
        return (
            voltage[0] * current[0] + voltage[1] * current[1],
            voltage[1] * current[0] - voltage[0] * current[1],
        )

    return (
        product(from_voltage, admittances.from_from, from_voltage),
        product(from_voltage, admittances.from_to, to_voltage),
        product(to_voltage, admittances.to_from, from_voltage),
        product(to_voltage, admittances.to_to, to_voltage),
    )


def derive(
    network: Network,
    parameters: PowerParameters,
    angle: Float[Array, " bus"],
    voltage: Float[Array, " bus"],
) -> PowerState:
    """The state that belongs to bus voltages `angle` [rad] and `voltage` [p.u.]."""
    base = network.base_power
    from_bus, to_bus = jnp.asarray(network.from_bus), jnp.asarray(network.to_bus)
    slack, controlled = jnp.asarray(network.slack), jnp.asarray(network.voltage_controlled)
    base_voltage = jnp.asarray(network.base_voltages, voltage.dtype)
    real, imaginary = voltage * jnp.cos(angle), voltage * jnp.sin(angle)
    powers = entry_powers(
        two_port(parameters.branches), (real[from_bus], imaginary[from_bus]), (real[to_bus], imaginary[to_bus])
    )
    active_from, reactive_from = base * (powers[0][0] + powers[1][0]), base * (powers[0][1] + powers[1][1])
    active_to, reactive_to = base * (powers[2][0] + powers[3][0]), base * (powers[2][1] + powers[3][1])
    per_unit_from = magnitude(active_from, reactive_from) / voltage[from_bus]
    per_unit_to = magnitude(active_to, reactive_to) / voltage[to_bus]
    active_shunt = parameters.shunt_conductance * voltage**2
    reactive_shunt = -parameters.shunt_susceptance * voltage**2
    active_load, reactive_load = parameters.load.active_power(voltage), parameters.load.reactive_power(voltage)
    needed_active = (active_load + active_shunt).at[from_bus].add(active_from).at[to_bus].add(active_to)
    needed_reactive = (reactive_load + reactive_shunt).at[from_bus].add(reactive_from).at[to_bus].add(reactive_to)
    active_source = jnp.where(slack, needed_active, parameters.active_generation)
    reactive_source = jnp.where(slack | controlled, needed_reactive, parameters.reactive_generation)
    active_loss = active_from + active_to
    return PowerState(
        voltage_magnitude=voltage,
        voltage_angle=angle,
        active_power_from=active_from,
        reactive_power_from=reactive_from,
        active_power_to=active_to,
        reactive_power_to=reactive_to,
        current_from=per_unit_from / (math.sqrt(3.0) * base_voltage[from_bus]),
        current_to=per_unit_to / (math.sqrt(3.0) * base_voltage[to_bus]),
        active_loss=active_loss,
        reactive_loss=reactive_from + reactive_to,
        loading=jnp.maximum(per_unit_from, per_unit_to) / parameters.branches.rating,
        active_load=active_load,
        reactive_load=reactive_load,
        active_shunt=active_shunt,
        reactive_shunt=reactive_shunt,
        active_source=active_source,
        reactive_source=reactive_source,
        active_mismatch=needed_active - active_source,
        reactive_mismatch=needed_reactive - reactive_source,
        active_balance=jnp.sum(active_source) - jnp.sum(active_load) - jnp.sum(active_shunt) - jnp.sum(active_loss),
    )


def only_supplied(
    network: Network, parameters: PowerParameters, state: PowerState, reached: Bool[Array, " bus"]
) -> PowerState:
    """The state, NaN at buses that no source reaches and at what of their branches is in service; balanced without."""
    at_bus, branches = reached, parameters.branches
    supplied = reached[jnp.asarray(network.from_bus)] & reached[jnp.asarray(network.to_bus)]
    at_branch = supplied | (branches.in_service == 0.0)
    everywhere = jnp.all(reached)

    def sum_of(part: Float[Array, " element"], counts: Bool[Array, " element"]) -> Float[Array, ""]:
        return jnp.sum(jnp.where(counts, part, 0.0))

    balance = sum_of(state.active_source - state.active_load - state.active_shunt, at_bus)
    balance = balance - sum_of(state.active_loss, at_branch)
    parts = {field.name: getattr(state, field.name) for field in dataclasses.fields(state)}
    parts = {
        name: jnp.where(at_branch if name in _OF_BRANCH else at_bus, part, jnp.nan)
        for name, part in parts.items()
        if name != "active_balance"
    }
    return PowerState(**parts, active_balance=jnp.where(everywhere, state.active_balance, balance))
