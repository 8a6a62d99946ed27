r"""Rack in time: one heat capacity per chip (die, lid and plate), coolant without inertia.

    C dT_p/dt = c P(T_j) - G (T_p - T_supply),    T_j = T_p + (R_package + R_interface) c P(T_j)
    G = 1 / R_plate(V) <= rho c_p |V|

One step of length dt linearises P about the start and integrates the linear equation exactly:

    J = (c dP/dT_p - G) / C,  F = (c P - G (T_p - T_supply)) / C
    T_p(dt) = T_p + dt phi_1(J dt) F,    mean(T_p) = T_p + dt phi_2(J dt) F
    phi_1(z) = (e^z - 1) / z,    phi_2(z) = (e^z - 1 - z) / z^2

| symbol   | meaning                                                                        | unit |
|----------|--------------------------------------------------------------------------------|------|
| T_p      | temperature of the plate with its chip, the state                              | K    |
| T_j, P   | junction temperature and power of the chip, quasi-steady above the plate       | K, W |
| C        | heat capacity of one chip with its plate                                       | J/K  |
| G        | conductance to the entering coolant; at rest the coolant takes nothing         | W/K  |
| c        | liquid capture                                                                 | -    |

Source: exponential Rosenbrock-Euler method (M. Hochbruck and A. Ostermann, Acta Numerica 19, 2010, eq. 2.44). A
steady state is a fixed point of the step exactly, and power, stored heat and heat to the liquid over the step balance
to round-off. Range: dies settle in well under a second, so steps of a second and more; coolant held in the rack
belongs to the loop outside.
"""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Bool, Float

from voltherm.media import AbstractLiquid
from voltherm.numerics import Solution
from voltherm.thermal.coolant_properties import CoolantProperties
from voltherm.thermal.outcome import closed_form_status, failed
from voltherm.thermal.rack import RackModel, outlet_temperatures, plate_flows, smallest, steady
from voltherm.thermal.throttling import DeviceOperation
from voltherm.thermal.tray import DeviceGroup

_PHI_TWO = tuple(1.0 / math.factorial(order + 2) for order in range(8))
"""Taylor coefficients of phi_2: round-off in double precision up to |z| = 0.1."""


class RackThermalState(eqx.Module):
    """Temperature [K] of every plate with its chip: kind of device to (tray of its type, device)."""

    plate_temperature: dict[str, Float[Array, "tray device"]]


class RackStep(eqx.Module):
    """What a rack did over one step; energies are means over the step, temperatures those at its end.

    By kind, at the end of the step: `junction_temperature`, `unthrottled_temperature`, `margin` in K, `work`, and which
    chips are `throttled` or have switched themselves `off` (see `RackState`). Over all trays `heat_to_liquid` in W and,
    from it, `outlet_temperature` in K; of the rack `return_temperature`, `minimum_margin` in K and `liquid_heat`,
    `air_heat`, `electrical_power`, `stored_power` (into the plates) in W.
    """

    junction_temperature: dict[str, Float[Array, "tray device"]]
    unthrottled_temperature: dict[str, Float[Array, "tray device"]]
    margin: dict[str, Float[Array, "tray device"]]
    work: dict[str, Float[Array, "tray device"]]
    throttled: dict[str, Bool[Array, "tray device"]]
    off: dict[str, Bool[Array, "tray device"]]
    heat_to_liquid: Float[Array, " all_trays"]
    outlet_temperature: Float[Array, " all_trays"]
    return_temperature: Float[Array, ""]
    liquid_heat: Float[Array, ""]
    air_heat: Float[Array, ""]
    electrical_power: Float[Array, ""]
    stored_power: Float[Array, ""]
    minimum_margin: Float[Array, ""]


def phi_functions(z: Float[Array, "..."]) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
    """phi_1 and phi_2 of the module's equation, elementwise, without cancellation near zero."""
    small = jnp.abs(z) < 0.1
    series = jnp.where(small, z, 0.0)
    far = jnp.where(small, 1.0, z)
    near_two = jnp.full_like(series, _PHI_TWO[-1])
    for coefficient in reversed(_PHI_TWO[:-1]):
        near_two = near_two * series + coefficient
    one = jnp.expm1(far) / far
    return jnp.where(small, 1.0 + series * near_two, one), jnp.where(small, near_two, (one - 1.0) / far)


def conductance(
    group: DeviceGroup, plate_flow: Float[Array, " tray"], properties: CoolantProperties
) -> Float[Array, "tray device"]:
    """Conductance G [W/K] from plates to the entering coolant, which takes nothing at rest."""
    capacity_rate = properties.volumetric_heat_capacity() * jnp.abs(plate_flow)
    limit = jnp.broadcast_to(capacity_rate[:, None], (plate_flow.shape[0], group.count))
    return jnp.minimum(1.0 / group.plate_resistance(plate_flow, properties), limit)


def _with_slope(
    group: DeviceGroup,
    plate: Float[Array, "tray device"],
    upper: Float[Array, "tray device"],
    load_factor: float | Float[Array, ""],
) -> tuple[DeviceOperation, Float[Array, "tray device"]]:
    """How chips run on plates [K], and the change of their power with the plate's temperature [W/K].

    `upper`: junction to plate [K/W].
    """

    def run(plate: Float[Array, "tray device"]) -> tuple[Float[Array, "tray device"], DeviceOperation]:
        chip = group.operation(plate, upper, load_factor)
        return chip.power, chip

    _, slope, chip = jax.jvp(run, (plate,), (jnp.ones_like(plate),), has_aux=True)
    return chip, slope


def steady_thermal_state(
    rack: RackModel,
    supply_temperature: float | Float[Array, ""],
    tray_mass_flow: Float[ArrayLike, " all_trays"],
    liquid: AbstractLiquid,
    *,
    load_factor: float | Float[Array, ""] = 1.0,
) -> RackThermalState:
    """The state in which `transient_step` stands still; arguments as those of `rack.steady`."""
    supply_temperature, tray_mass_flow = jnp.asarray(supply_temperature), jnp.asarray(tray_mass_flow)
    state = steady(rack, supply_temperature, tray_mass_flow, liquid, load_factor=load_factor).value
    properties = CoolantProperties.of(liquid, supply_temperature)
    flows = plate_flows(rack, tray_mass_flow, properties)
    groups = {group.name: group for tray in rack.trays for group in tray.devices}
    return RackThermalState(
        {
            name: supply_temperature
            + rack.liquid_capture * power * groups[name].plate_resistance(flows[name], properties)
            for name, power in state.device_power.items()
        }
    )


def transient_step(
    rack: RackModel,
    state: RackThermalState,
    supply_temperature: float | Float[Array, ""],
    tray_mass_flow: Float[ArrayLike, " all_trays"],
    liquid: AbstractLiquid,
    duration: float | Float[Array, ""],
    *,
    load_factor: float | Float[Array, ""] = 1.0,
) -> tuple[RackThermalState, Solution]:
    """One step of `duration` [s] with supply, flow and load held; arguments as those of `rack.steady`. Use it in
    `lax.scan`.

    **Returns**: the state at the end, and a `Solution` of `RackStep`; result codes are those of `rack.steady`. A chip
    that runs away is NaN from then on.

    **Raises**: as `rack.steady`.
    """
    supply_temperature, tray_mass_flow = jnp.asarray(supply_temperature), jnp.asarray(tray_mass_flow)
    rack.refuse_shapes(tray_mass_flow)
    properties = CoolantProperties.of(liquid, supply_temperature)
    flows = plate_flows(rack, tray_mass_flow, properties)
    capture = rack.liquid_capture
    plates, junction, free, margin, work = {}, {}, {}, {}, {}
    throttled, off = {}, {}
    heat, drawn_heat, stored, runaway = [], [], [], []
    for tray in rack.trays:
        zero = jnp.zeros((tray.count,), tray_mass_flow.dtype)
        tray_heat, tray_power, tray_stored, tray_runaway = zero, zero, zero, jnp.zeros((tray.count,), bool)
        for group in tray.devices:
            upper = capture * (group.package_resistance(tray.count) + group.interface_resistance(tray.count))
            known = jnp.isfinite(state.plate_temperature[group.name])
            plate = jnp.where(known, state.plate_temperature[group.name], supply_temperature)
            before, slope = _with_slope(group, plate, upper, load_factor)
            power, unstable = before.power, before.runaway
            to_coolant = conductance(group, flows[group.name], properties)
            inflow = capture * power - to_coolant * (plate - supply_temperature)
            rate = (capture * slope - to_coolant) / group.heat_capacity
            one, two = phi_functions(rate * duration)
            change = duration * one * inflow / group.heat_capacity
            mean_change = duration * two * inflow / group.heat_capacity
            after = group.operation(plate + change, upper, load_factor)
            lost = unstable | after.runaway | ~known
            plates[group.name] = failed(plate + change, lost)
            junction[group.name] = failed(after.temperature, lost)
            margin[group.name] = failed(group.junction_limit - after.unthrottled_temperature, lost)
            free[group.name] = failed(after.unthrottled_temperature, lost)
            work[group.name] = failed(after.work, lost)
            throttled[group.name], off[group.name] = after.throttled, after.off
            tray_heat = tray_heat + jnp.sum(to_coolant * (plate + mean_change - supply_temperature), axis=1)
            tray_power = tray_power + jnp.sum(power + slope * mean_change, axis=1)
            tray_stored = tray_stored + jnp.sum(group.heat_capacity * change / duration, axis=1)
            tray_runaway = tray_runaway | jnp.any(lost, axis=1)
        heat.append(tray_heat)
        drawn_heat.append(tray_power)
        stored.append(tray_stored)
        runaway.append(tray_runaway)
    heat_to_liquid, unstable_trays = jnp.concatenate(heat), jnp.concatenate(runaway)
    outlet, mixed, stagnant = outlet_temperatures(liquid, supply_temperature, tray_mass_flow, heat_to_liquid)
    any_unstable = jnp.any(unstable_trays)
    chips = jnp.sum(jnp.concatenate(drawn_heat))
    air_parts = rack.air_side.heat(load_factor)
    step = RackStep(
        junction_temperature=junction,
        unthrottled_temperature=free,
        margin=margin,
        work=work,
        throttled=throttled,
        off=off,
        heat_to_liquid=failed(heat_to_liquid, unstable_trays),
        outlet_temperature=failed(outlet, unstable_trays),
        return_temperature=failed(mixed, any_unstable),
        liquid_heat=failed(jnp.sum(heat_to_liquid), any_unstable),
        air_heat=failed(air_parts + (1.0 - capture) * chips, any_unstable),
        electrical_power=failed(air_parts + chips, any_unstable),
        stored_power=failed(jnp.sum(jnp.concatenate(stored)), any_unstable),
        minimum_margin=smallest(margin),
    )
    status = closed_form_status(unstable_trays, stagnant | ~jnp.isfinite(outlet))
    return RackThermalState(plates), Solution(step, status)
