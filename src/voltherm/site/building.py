"""One pass through one building: from the coolant's temperatures to heat, flows, controls and back to temperatures.

    secondary loops -> racks -> air side -> CDUs -> facility loop -> heat rejection

Each step is a domain model; this file only hands their results on. Its inputs and outputs are the building's
unknowns in the coupled problem of `voltherm.site.coupling`; the same pass, with temperatures held by stores, is a
step in time of `voltherm.site.transient`.
"""

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from voltherm.coolant import Network, NetworkState
from voltherm.site.air_side import AirDemand, solve_air_side
from voltherm.site.cdus import CduDemand, RowExchange
from voltherm.site.electrical import nameplate_liquid_power
from voltherm.site.equipment import Equipment
from voltherm.site.facility_loop import FacilityFlow, facility_network, solve_facility
from voltherm.site.fluids import liquid_named
from voltherm.site.heat_rejection import Plant, reject
from voltherm.site.ledger import AIR, computing_entries, cooling_entries, into, mechanical_power
from voltherm.site.racks import solve_racks
from voltherm.site.secondary_loop import RowFlow, row_network, solve_rows
from voltherm.site.sections import Site
from voltherm.site.states import (
    AirState,
    BuildingFlows,
    BuildingState,
    FacilityState,
    RackStates,
    RejectionState,
    RowState,
)


class BuildingUnknowns(NamedTuple):
    """What the coupling solves for in a building; temperatures and a rise [K], power [W], set point of pressure [Pa].

    The first three enter rows, racks and network, the others cooling alone.
    With a leading axis `building` these are the unknowns of the whole site.
    """

    supply_temperature: Float[Array, "*building row"]
    return_temperature: Float[Array, "*building row"]
    mechanical_power: Float[Array, "*building"]
    valve_opening: Float[Array, "*building row"]
    facility_supply_temperature: Float[Array, "*building"]
    facility_return_temperature: Float[Array, "*building"]
    chilled_water_temperature: Float[Array, "*building"]
    differential_pressure: Float[Array, "*building"]
    condenser_rise: Float[Array, "*building"]


def starting_point(site: Site) -> BuildingUnknowns:
    """Where the coupling starts: set points held, temperature rises as designed, valves three quarters open."""
    buildings, rows, rack = site.building.count, site.building.rows, site.rack
    supply, coolant = site.secondary.supply_temperature, liquid_named(site.secondary.fluid)
    flow = rack.manifold_nominal_flow * coolant.density(supply)
    rise = rack.load_factor * nameplate_liquid_power(rack) / (flow * coolant.heat_capacity(supply))

    def everywhere(value: Float[Array, ""]) -> Float[Array, "building"]:
        return jnp.broadcast_to(value, (buildings,))

    def every_row(value: Float[Array, ""]) -> Float[Array, "building row"]:
        return jnp.broadcast_to(value, (buildings, rows))

    facility_supply = supply - site.facility.supply_offset
    return BuildingUnknowns(
        supply_temperature=every_row(supply),
        return_temperature=every_row(supply + rise),
        valve_opening=every_row(jnp.full_like(supply, 0.75)),
        facility_supply_temperature=everywhere(facility_supply),
        facility_return_temperature=everywhere(facility_supply + 10.0),
        chilled_water_temperature=everywhere(site.air.chilled_water_temperature),
        differential_pressure=everywhere(site.facility.differential_pressure),
        condenser_rise=everywhere(site.air.condenser_water_rise),
        mechanical_power=everywhere(site.electrical.house_load),
    )


def unknown_flows(site: Site) -> BuildingFlows:
    """Flows of all buildings as `solve_building` starts from them where none are known: NaN."""
    building, rack = site.building, site.rack

    def unknown(network: Network, *lanes: int) -> NetworkState:
        dtype = site.secondary.supply_temperature.dtype
        return NetworkState(
            jnp.full((*lanes, len(network.from_node)), jnp.nan, dtype),
            jnp.full((*lanes, len(network.nodes)), jnp.nan, dtype),
        )

    row = row_network(building.racks_per_row, rack.compute_trays + rack.switch_trays)
    facility = facility_network(building.halls, building.rows_per_hall)
    return BuildingFlows(unknown(row, building.count, building.rows), unknown(facility, building.count))


class Computing(eqx.Module):
    """Rows and racks of a building at given coolant temperatures: what they ask of cooling and network.

    `row_power`: drawn by every row behind its substation [W]; `ups_loss`: of all of them [W]; `network`: state of every
    row's loop; `result`: the largest code of its solves.
    """

    flows: RowFlow
    racks: RackStates
    row_power: Float[Array, "row"]
    ups_loss: Float[Array, ""]
    network: NetworkState
    result: Int[Array, ""]


def solve_computing(
    site: Site,
    equipment: Equipment,
    supply_temperature: Float[Array, "row"],
    return_temperature: Float[Array, "row"],
    initial: NetworkState | None = None,
) -> Computing:
    """Secondary loops, racks and UPS of one building, whose rows have these supply and return temperatures [K].

    **Arguments**: `initial`: flows of the rows to start from; NaN counts as none.
    """
    flows, solution = solve_rows(site, equipment.coolant, supply_temperature, return_temperature, initial)
    racks = solve_racks(
        site, equipment.supply, equipment.coolant, supply_temperature, flows.tray_mass_flow, site.rack.load_factor
    )
    row_output = jnp.sum(racks.electrical_power, axis=1) + flows.pump_power + site.cdu.electronics
    row_loss = equipment.supply.ups.loss(row_output)
    return Computing(
        flows=flows,
        racks=racks,
        row_power=row_output + row_loss,
        ups_loss=jnp.sum(row_loss),
        network=solution.value,
        result=jnp.max(solution.status.result),
    )


class Cooling(eqx.Module):
    """What cooling makes of a building's heat: CDUs, facility loop, plant and air side, and what they draw [W].

    `response`: the image of the unknowns; `condenser_heat`: of the air side's chillers to the facility
    loop [W]; `network`: state of the facility loop; `result`: the code of its solve.
    """

    response: BuildingUnknowns
    condenser_heat: Float[Array, ""]
    exchange: RowExchange
    loop: FacilityFlow
    plant: RejectionState
    air: AirState
    network: NetworkState
    result: Int[Array, ""]


def solve_cooling(
    site: Site,
    equipment: Equipment,
    computing: Computing,
    given: BuildingUnknowns,
    loss: Float[Array, ""],
    available: Float[Array, ""],
    initial: NetworkState | None = None,
) -> Cooling:
    """Air side, CDUs, facility loop and heat rejection of one building, for what its rows and racks ask.

    **Arguments**

    - `computing`: solved at the row temperatures of `given`
    - `loss`: of the unit substations in the building [W]
    - `available`: share of the heat rejection that works, 1 in normal operation and 0 when it is lost
    - `initial`: flows of the facility loop to start from; NaN counts as none
    """
    flows, racks, water = computing.flows, computing.racks, equipment.water
    rack_heat = jnp.sum(racks.liquid_heat, axis=1)
    booked = computing_entries(site, racks, flows.pump_power, flows.pump_shaft_power, computing.ups_loss)
    outdoor = site.climate.dry_bulb + site.dry_coolers.recirculation
    air, condenser_mass_flow, condenser_heat = solve_air_side(
        site,
        equipment,
        AirDemand(
            heat=into(AIR, booked) + loss,
            chilled_water_temperature=given.chilled_water_temperature,
            condenser_outlet_temperature=given.facility_supply_temperature + given.condenser_rise,
            outdoor_temperature=outdoor,
        ),
        available,
    )
    demand = CduDemand.at_set_point(
        equipment.cdu,
        heat=rack_heat + flows.pump_shaft_power,
        pump_heat=flows.pump_shaft_power,
        secondary_mass_flow=flows.mass_flow,
        facility_supply_temperature=given.facility_supply_temperature,
        set_point=site.secondary.supply_temperature,
    )
    loop, facility_solution = solve_facility(
        site,
        water,
        given.facility_supply_temperature,
        given.facility_return_temperature,
        given.valve_opening,
        demand.needed_facility_flow(),
        condenser_mass_flow,
        given.differential_pressure,
        initial,
    )
    rows = demand.at_facility_flow(loop.row_mass_flow)
    into_plant = jnp.sum(rows.heat) + condenser_heat + loop.pump_shaft_power
    plant = reject(
        Plant(
            equipment.dry_cooler,
            equipment.trim_chiller,
            coolers=available * site.dry_coolers.count,
            chillers=available * site.chillers.count,
            air_temperature=outdoor,
            air_pressure=site.climate.pressure,
            sink_temperature=outdoor,
        ),
        mass_flow=loop.mass_flow,
        return_temperature=given.facility_return_temperature,
        set_point=site.secondary.supply_temperature - site.facility.supply_offset,
    )
    plant_return = water.temperature_at_enthalpy(
        water.specific_enthalpy(plant.supply_temperature) + into_plant / loop.mass_flow
    )
    mechanical = mechanical_power(cooling_entries(site, loop.pump_power, loop.pump_shaft_power, plant, air))
    response = BuildingUnknowns(
        supply_temperature=rows.supply_temperature,
        return_temperature=rows.return_temperature,
        valve_opening=loop.needed_opening,
        facility_supply_temperature=plant.supply_temperature,
        facility_return_temperature=plant_return,
        chilled_water_temperature=air.plant.supply_temperature,
        differential_pressure=loop.needed_pressure,
        condenser_rise=site.air.condenser_water_rise / loop.condenser_share,
        mechanical_power=mechanical,
    )
    return Cooling(
        response,
        condenser_heat,
        rows,
        loop,
        plant,
        air,
        facility_solution.value,
        facility_solution.status.result,
    )


def building_state(
    equipment: Equipment, given: BuildingUnknowns, computing: Computing, cooling: Cooling
) -> BuildingState:
    """All states of one building at its unknowns, of which valves and set point of pressure are states themselves."""
    flows, rows, loop = computing.flows, cooling.exchange, cooling.loop
    return BuildingState(
        rows=RowState(
            supply_temperature=rows.supply_temperature,
            return_temperature=rows.return_temperature,
            mass_flow=flows.mass_flow,
            rack_mass_flow=flows.rack_mass_flow,
            tray_mass_flow=flows.tray_mass_flow,
            differential_pressure=flows.differential_pressure,
            pump_speed=flows.pump_speed,
            pump_shaft_power=flows.pump_shaft_power,
            pump_power=flows.pump_power,
            cdu_heat=rows.heat,
            facility_mass_flow=loop.row_mass_flow,
            facility_return_temperature=rows.facility_return_temperature,
            valve_opening=given.valve_opening,
            flow_residual=flows.residual,
        ),
        racks=computing.racks,
        facility=FacilityState(
            plant=cooling.plant,
            mass_flow=loop.mass_flow,
            condenser_mass_flow=loop.condenser_mass_flow,
            condenser_heat=cooling.condenser_heat,
            condenser_rise=cooling.response.condenser_rise,
            differential_pressure=loop.differential_pressure,
            pressure_set_point=given.differential_pressure,
            pump_speed=loop.pump_speed,
            pump_shaft_power=loop.pump_shaft_power,
            pump_power=loop.pump_power,
            node_pressure=loop.node_pressure,
            flow_residual=loop.residual,
        ),
        air=cooling.air,
        ups_loss=computing.ups_loss,
        row_power=computing.row_power,
        row_reactive_power=equipment.supply.ups.reactive_power_at(
            computing.row_power, jnp.zeros_like(computing.row_power)
        ),
        mechanical_power=cooling.response.mechanical_power,
    )


def solve_building(
    site: Site,
    equipment: Equipment,
    given: BuildingUnknowns,
    loss: Float[Array, ""],
    available: Float[Array, ""],
    initial: BuildingFlows | None = None,
) -> tuple[BuildingUnknowns, BuildingState, Int[Array, ""], BuildingFlows]:
    """One pass through one building: `solve_computing`, then `solve_cooling`.

    **Arguments**

    - `equipment`: the site's equipment
    - `given`: the building's unknowns
    - `loss`: of the unit substations in the building [W]
    - `available`: share of the heat rejection that works
    - `initial`: flows to start from; NaN counts as none

    **Returns**: the unknowns as the physics answers them, the building's state, the largest result code of its solves,
    and the flows found, to start the next pass from.
    """
    row_start, facility_start = (None, None) if initial is None else (initial.rows, initial.facility)
    computing = solve_computing(site, equipment, given.supply_temperature, given.return_temperature, row_start)
    cooling = solve_cooling(site, equipment, computing, given, loss, available, facility_start)
    state = building_state(equipment, given, computing, cooling)
    result = jnp.maximum(computing.result, cooling.result)
    return cooling.response, state, result, BuildingFlows(computing.network, cooling.network)
