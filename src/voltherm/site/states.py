"""What a solved site holds, building by building. SI units; temperatures in K, powers in W, flows in kg/s.

Leading axis `building` on everything but the power flow, which is one network for the whole site.
"""

import equinox as eqx
from jaxtyping import Array, Float

from voltherm.coolant import NetworkState
from voltherm.power import PowerState


class RowState(eqx.Module):
    """The rows of one building: secondary loop, racks and CDU of each."""

    supply_temperature: Float[Array, "*building row"]
    return_temperature: Float[Array, "*building row"]
    mass_flow: Float[Array, "*building row"]
    rack_mass_flow: Float[Array, "*building row rack"]
    tray_mass_flow: Float[Array, "*building row rack tray"]
    differential_pressure: Float[Array, "*building row"]
    pump_speed: Float[Array, "*building row"]
    pump_shaft_power: Float[Array, "*building row"]
    pump_power: Float[Array, "*building row"]
    cdu_heat: Float[Array, "*building row"]
    facility_mass_flow: Float[Array, "*building row"]
    facility_return_temperature: Float[Array, "*building row"]
    valve_opening: Float[Array, "*building row"]
    flow_residual: Float[Array, "*building row"]


class RackStates(eqx.Module):
    """The racks of one building: junction temperatures of every chip, heat by route and power.

    `electrical_power` is drawn at the rack's alternating-current input.
    """

    gpu_temperature: Float[Array, "*building row rack tray gpu"]
    cpu_temperature: Float[Array, "*building row rack tray cpu"]
    switch_temperature: Float[Array, "*building row rack switchtray switch"]
    return_temperature: Float[Array, "*building row rack"]
    liquid_heat: Float[Array, "*building row rack"]
    air_heat: Float[Array, "*building row rack"]
    electrical_power: Float[Array, "*building row rack"]


class RejectionState(eqx.Module):
    """A bank of dry coolers and chillers behind it: temperatures, heat by route, fans, compressors, free capacity."""

    supply_temperature: Float[Array, "*building"]
    return_temperature: Float[Array, "*building"]
    mass_flow: Float[Array, "*building"]
    heat: Float[Array, "*building"]
    dry_cooler_heat: Float[Array, "*building"]
    chiller_heat: Float[Array, "*building"]
    fan_speed: Float[Array, "*building"]
    fan_power: Float[Array, "*building"]
    compressor_power: Float[Array, "*building"]


class FacilityState(eqx.Module):
    """The facility water system of one building: plant, pump station and what the condensers give to it."""

    plant: RejectionState
    mass_flow: Float[Array, "*building"]
    condenser_mass_flow: Float[Array, "*building"]
    condenser_heat: Float[Array, "*building"]
    differential_pressure: Float[Array, "*building"]
    pump_speed: Float[Array, "*building"]
    pump_shaft_power: Float[Array, "*building"]
    pump_power: Float[Array, "*building"]
    node_pressure: Float[Array, "*building node"]
    flow_residual: Float[Array, "*building"]


class AirState(eqx.Module):
    """The air side of one building: air handlers and their chilled-water plant."""

    plant: RejectionState
    supply_temperature: Float[Array, "*building"]
    return_temperature: Float[Array, "*building"]
    heat: Float[Array, "*building"]
    fan_power: Float[Array, "*building"]
    pump_power: Float[Array, "*building"]


class BuildingState(eqx.Module):
    """Everything inside one building (or, with a leading axis, inside all of them)."""

    rows: RowState
    racks: RackStates
    facility: FacilityState
    air: AirState
    ups_loss: Float[Array, "*building"]
    row_power: Float[Array, "*building row"]
    row_reactive_power: Float[Array, "*building row"]
    mechanical_power: Float[Array, "*building"]


class BuildingFlows(eqx.Module):
    """Solved networks of one building: of every row (leading axis `row`) and of the facility loop."""

    rows: NetworkState
    facility: NetworkState


class SiteState(eqx.Module):
    """A solved site: buildings (leading axis `building`), networks, power flow, and the unknowns of the coupling."""

    buildings: BuildingState
    power: PowerState
    flows: BuildingFlows
    unknowns: Float[Array, "unknown"]
