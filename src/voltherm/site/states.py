"""What a solved site holds, building by building. SI units; temperatures in K, powers in W, flows in kg/s.

Leading axis `building` on everything but the power flow, which is one network for the whole site. Every array carries
its unit and its meaning, which files of results repeat.
"""

from typing import Any

import equinox as eqx
from jaxtyping import Array, Float

from voltherm.coolant import NetworkState
from voltherm.power import PowerState


def quantity(unit: str, meaning: str) -> Any:
    """A field of a state with its unit (SI) and its meaning, as `dataclasses.Field.metadata`."""
    return eqx.field(metadata={"unit": unit, "meaning": meaning})


class RowState(eqx.Module):
    """The rows of one building: secondary loop, racks and CDU of each."""

    supply_temperature: Float[Array, "*building row"] = quantity("K", "coolant supplied by the CDU of the row")
    return_temperature: Float[Array, "*building row"] = quantity("K", "coolant returning to the CDU of the row")
    mass_flow: Float[Array, "*building row"] = quantity("kg s-1", "coolant through the CDU of the row")
    rack_mass_flow: Float[Array, "*building row rack"] = quantity("kg s-1", "coolant through the rack")
    tray_mass_flow: Float[Array, "*building row rack tray"] = quantity("kg s-1", "coolant through the tray")
    differential_pressure: Float[Array, "*building row"] = quantity(
        "Pa", "from return to supply of the row, at its CDU"
    )
    pump_speed: Float[Array, "*building row"] = quantity("1", "speed of the CDU pump over rated")
    pump_shaft_power: Float[Array, "*building row"] = quantity("W", "shaft power of the CDU pump")
    pump_power: Float[Array, "*building row"] = quantity("W", "electrical power of the CDU pump")
    cdu_heat: Float[Array, "*building row"] = quantity("W", "heat over the CDU to the facility water")
    facility_mass_flow: Float[Array, "*building row"] = quantity("kg s-1", "facility water through the CDU")
    facility_return_temperature: Float[Array, "*building row"] = quantity("K", "facility water leaving the CDU")
    valve_opening: Float[Array, "*building row"] = quantity("1", "opening of the control valve of the CDU")
    flow_residual: Float[Array, "*building row"] = quantity("1", "residual of the hydraulic solve of the row")


class RackStates(eqx.Module):
    """The racks of one building: junction temperatures of every chip, work, heat by route and power.

    A chip that throttles holds its junction at its throttle temperature; its unthrottled temperature is what it would
    have at the work asked of it, under its power limit, and goes on rising with the supply. `electrical_power` is drawn
    at the rack's alternating-current input.
    """

    gpu_temperature: Float[Array, "*building row rack tray gpu"] = quantity("K", "GPU junction")
    cpu_temperature: Float[Array, "*building row rack tray cpu"] = quantity("K", "CPU junction")
    switch_temperature: Float[Array, "*building row rack switchtray switch"] = quantity(
        "K", "junction of the switch chip"
    )
    gpu_unthrottled_temperature: Float[Array, "*building row rack tray gpu"] = quantity(
        "K", "GPU junction if it did not throttle"
    )
    cpu_unthrottled_temperature: Float[Array, "*building row rack tray cpu"] = quantity(
        "K", "CPU junction if it did not throttle"
    )
    switch_unthrottled_temperature: Float[Array, "*building row rack switchtray switch"] = quantity(
        "K", "junction of the switch chip if it did not throttle"
    )
    work: Float[Array, "*building row rack"] = quantity("1", "work of the rack's GPUs over that at nameplate load")
    throttled_chips: Float[Array, "*building row rack"] = quantity("1", "chips of the rack that throttle")
    off_chips: Float[Array, "*building row rack"] = quantity("1", "chips of the rack that have switched themselves off")
    return_temperature: Float[Array, "*building row rack"] = quantity("K", "coolant leaving the rack")
    liquid_heat: Float[Array, "*building row rack"] = quantity("W", "heat of the rack to its coolant")
    air_heat: Float[Array, "*building row rack"] = quantity(
        "W", "heat of the rack to the air, loss of its power shelves included"
    )
    electrical_power: Float[Array, "*building row rack"] = quantity(
        "W", "power at the alternating-current input of the rack"
    )

    @property
    def unthrottled(self) -> dict[str, Float[Array, "*building row rack tray chip"]]:
        """Junctions of each kind of chip if it did not throttle [K]."""
        return {
            "gpu": self.gpu_unthrottled_temperature,
            "cpu": self.cpu_unthrottled_temperature,
            "switch": self.switch_unthrottled_temperature,
        }


class RejectionState(eqx.Module):
    """A bank of dry coolers and chillers behind it: temperatures, heat by route, fans, compressors, free capacity."""

    supply_temperature: Float[Array, "*building"] = quantity("K", "water leaving the plant")
    return_temperature: Float[Array, "*building"] = quantity("K", "water entering the plant")
    mass_flow: Float[Array, "*building"] = quantity("kg s-1", "water through the plant")
    heat: Float[Array, "*building"] = quantity("W", "heat taken from the water")
    dry_cooler_heat: Float[Array, "*building"] = quantity("W", "heat taken by the dry coolers")
    chiller_heat: Float[Array, "*building"] = quantity("W", "heat taken by the chillers")
    fan_speed: Float[Array, "*building"] = quantity("1", "speed of the fans of the dry coolers over rated")
    fan_power: Float[Array, "*building"] = quantity("W", "power of the fans of the dry coolers")
    compressor_power: Float[Array, "*building"] = quantity("W", "power of the chillers")


class FacilityState(eqx.Module):
    """The facility water system of one building: plant, pump station and what the condensers give to it."""

    plant: RejectionState
    mass_flow: Float[Array, "*building"] = quantity("kg s-1", "facility water through the pumps")
    condenser_mass_flow: Float[Array, "*building"] = quantity(
        "kg s-1", "facility water through the condensers of the air side"
    )
    condenser_heat: Float[Array, "*building"] = quantity("W", "heat of these condensers to the facility water")
    condenser_rise: Float[Array, "*building"] = quantity("K", "rise of the facility water through these condensers")
    differential_pressure: Float[Array, "*building"] = quantity("Pa", "from return to supply header of the plant")
    pressure_set_point: Float[Array, "*building"] = quantity("Pa", "set point of that pressure, as reset")
    pump_speed: Float[Array, "*building"] = quantity("1", "speed of the facility pumps over rated")
    pump_shaft_power: Float[Array, "*building"] = quantity("W", "shaft power of all facility pumps")
    pump_power: Float[Array, "*building"] = quantity("W", "electrical power of all facility pumps")
    node_pressure: Float[Array, "*building node"] = quantity("Pa", "absolute pressure at the node of the facility loop")
    flow_residual: Float[Array, "*building"] = quantity("1", "residual of the hydraulic solve of the facility loop")


class AirState(eqx.Module):
    """The air side of one building: air handlers and their chilled-water plant."""

    plant: RejectionState
    supply_temperature: Float[Array, "*building"] = quantity("K", "air entering the racks")
    return_temperature: Float[Array, "*building"] = quantity("K", "air entering the air handlers")
    heat: Float[Array, "*building"] = quantity("W", "heat taken from the air, fans of the air handlers included")
    fan_power: Float[Array, "*building"] = quantity("W", "power of the fans of the air handlers")
    pump_power: Float[Array, "*building"] = quantity("W", "power of the chilled-water pumps")


class BuildingState(eqx.Module):
    """Everything inside one building (or, with a leading axis, inside all of them)."""

    rows: RowState
    racks: RackStates
    facility: FacilityState
    air: AirState
    ups_loss: Float[Array, "*building"] = quantity("W", "losses of all UPS of the building")
    row_power: Float[Array, "*building row"] = quantity("W", "active power of the row behind its substation")
    row_reactive_power: Float[Array, "*building row"] = quantity(
        "var", "reactive power of the row behind its substation"
    )
    mechanical_power: Float[Array, "*building"] = quantity(
        "W", "power of pumps, fans, chillers and house at nominal voltage"
    )


class BuildingFlows(eqx.Module):
    """Solved networks of one building: of every row (leading axis `row`) and of the facility loop."""

    rows: NetworkState
    facility: NetworkState


class SiteState(eqx.Module):
    """A solved site: buildings (leading axis `building`), networks, power flow, and the unknowns of the coupling."""

    buildings: BuildingState
    power: PowerState
    flows: BuildingFlows
    unknowns: Float[Array, "unknown"] = quantity("1", "unknowns of the coupling, scaled")
