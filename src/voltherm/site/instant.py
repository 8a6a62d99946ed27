"""One step of one building in time: a pass through it at the temperatures that its stores hold.

    chips and plates -> rows' loops -> air side -> CDUs -> facility loop -> heat rejection -> stores

    valves   |dy/dt| <= 1 / stroke, towards what holds the set point

| symbol | meaning | unit | source |
| --- | --- | --- | --- |
| stroke | valve stroke time, 120 s | s | Modelica Buildings library, default of its valves |

Hydraulics and controls follow at once; what stores heat is advanced by `voltherm.site.stores`. The state at which flows
and heat per kelvin are found may be another than that from which the step goes: `voltherm.site.transient` takes the
middle of the step. Below 1 % of a pump's speed flows fall with it (affinity laws) to zero, where exchangers carry
nothing and plates keep their heat; only tank and pipes see a share `_LEAST_FLOW` of the usual flow creep through.
Chillers of the air side give way in proportion where their condensers get less than half the water they ask for, and
before that as their envelope says: less water leaves them warmer. The set point of the facility pumps is reset as fast
as valves move, at most from nothing to its highest in one stroke.
"""

from collections.abc import Mapping
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from voltherm.coolant import NetworkState, exchange_conductance
from voltherm.site.air_side import AirDemand, solve_air_side
from voltherm.site.air_stores import step_air
from voltherm.site.build import with_parameters
from voltherm.site.equipment import Equipment
from voltherm.site.events import Working
from voltherm.site.facility_loop import solve_facility
from voltherm.site.heat_rejection import Plant, reject
from voltherm.site.racks import thermal_rack
from voltherm.site.row_stores import RowLoop, side_mass
from voltherm.site.secondary_loop import RowFlow, solve_rows
from voltherm.site.sections import Facility, Secondary, Site
from voltherm.site.states import BuildingFlows
from voltherm.site.stores import Stores, all_chips, tank
from voltherm.thermal import RackStep, RackThermalState, transient_step

_STROKE = 120.0
_LEAST_FLOW = 1e-5  # of the rated flow of all CDUs
_LEAST_SPEED = 1e-2  # of the highest: networks are solved down to it, and below it flows follow the speed
_ENOUGH_CONDENSER_WATER = 0.5
_LEAST_CONDENSER_SHARE = 0.05  # a rise far beyond every envelope


class Passed(eqx.Module):
    """What a step brought: heat into the liquids and out of them [W], means of the step; power of the racks [W]; flows
    of the facility loop and of the row with the least [kg/s]; largest result code; whether a chip has no temperature
    though coolant flows.
    """

    heat_in: Float[Array, ""]
    heat_out: Float[Array, ""]
    it_power: Float[Array, ""]
    facility_flow: Float[Array, ""]
    row_flow: Float[Array, ""]
    result: Int[Array, ""]
    runaway: Bool[Array, ""]


class _Rows(NamedTuple):
    """Rows and racks over a step: flows, plates after it, mean heat to the coolant by row [W], power and heat of all
    racks to the air, of all chips, losses of the UPS [W]."""

    flows: RowFlow
    network: NetworkState
    code: Int[Array, ""]
    step: RackStep
    plates: RackThermalState
    heat: Float[Array, "row"]
    power: Float[Array, ""]
    air_heat: Float[Array, ""]
    chip_power: Float[Array, ""]


def _out_of_reach(speed: Float[Array, ""], set_point: Float[Array, ""], loop: Facility | Secondary) -> Float[Array, ""]:
    """Factor that keeps a pressure set point four times above what pumps of this speed can reach once they cannot reach
    it by far: the same flow, and no difference of large numbers in the law of the controlled pump.
    """
    turn = 0.5 * jnp.sqrt(set_point / loop.pump_shutoff_pressure) / loop.maximum_speed
    return jnp.minimum(jnp.maximum(speed, _LEAST_SPEED) / turn, 1.0) ** 2


def parameters_at(site: Site, works: Working) -> Mapping[str, Float[Array, ""]]:
    """The numbers of the site that what works at one time changes."""
    held = site.secondary.differential_pressure
    powers = {f"rack.{kind}.power": getattr(site.rack, kind).power * works.racks for kind in ("gpu", "cpu", "switch")}
    return powers | {
        "rack.load_factor": site.rack.load_factor * works.load * works.racks,
        "facility.maximum_speed": site.facility.maximum_speed * jnp.maximum(works.facility_pump_speed, _LEAST_SPEED),
        "secondary.maximum_speed": site.secondary.maximum_speed * jnp.maximum(works.cdu_pump_speed, _LEAST_SPEED),
        "secondary.differential_pressure": held * _out_of_reach(works.cdu_pump_speed, held, site.secondary),
        "air.chillers": site.air.chillers * works.air_chillers,
        "climate.dry_bulb": works.dry_bulb,
    }


def _creeping(speed: Float[Array, ""]) -> Float[Array, ""]:
    """Share of the flow of a network solved at the least speed that a pump below it makes."""
    return jnp.minimum(speed / _LEAST_SPEED, 1.0)


def _rows(
    site: Site, equipment: Equipment, base: Stores, now: Stores, works: Working, duration: Float[Array, ""]
) -> _Rows:
    coolant, supply = equipment.coolant, equipment.supply
    supplied = coolant.temperature_at_enthalpy(now.supply_enthalpy)
    returning = coolant.temperature_at_enthalpy(now.return_enthalpy)
    flows, solution = solve_rows(site, coolant, supplied, returning, now.flows.rows)
    turning = _creeping(works.cdu_pump_speed)
    flows = eqx.tree_at(
        lambda tree: (tree.mass_flow, tree.tray_mass_flow, tree.pump_shaft_power, tree.pump_power),
        flows,
        replace_fn=lambda leaf: turning * leaf,
    )
    model = thermal_rack(site.rack, supply, site.air.inlet_limit)

    def rack(
        plates: RackThermalState, temperature: Float[Array, ""], flow: Float[Array, "tray"]
    ) -> tuple[RackThermalState, RackStep]:
        factor = site.rack.load_factor
        after, step = transient_step(model, plates, temperature, flow, coolant, duration, load_factor=factor)
        return after, step.value

    with jax.named_scope("racks"):
        plates, step = jax.vmap(jax.vmap(rack, in_axes=(0, None, 0)))(base.plates, supplied, flows.tray_mass_flow)
    shelf_loss = works.racks * supply.shelf.loss(step.electrical_power)
    row_output = jnp.sum(step.electrical_power + shelf_loss, axis=1) + flows.pump_power
    row_output = row_output + works.racks * site.cdu.electronics
    ups_loss = works.racks * supply.ups.loss(row_output)
    electronics = site.building.rows * works.racks * site.cdu.electronics
    units = jnp.sum(flows.pump_power - flows.pump_shaft_power) + electronics
    return _Rows(
        flows,
        solution.value,
        jnp.max(solution.status.result),
        step,
        plates,
        jnp.sum(step.liquid_heat, axis=1),
        jnp.sum(step.electrical_power + shelf_loss),
        jnp.sum(step.air_heat + shelf_loss) + units + jnp.sum(ups_loss),
        jnp.sum(step.liquid_heat + step.stored_power),
    )


def _loop(site: Site, equipment: Equipment, now: Stores, rows: _Rows) -> RowLoop:
    """The rows' loops at the flows found, with exchangers that still lack their facility flow."""
    coolant, flows = equipment.coolant, rows.flows
    mass_flow = jnp.maximum(flows.mass_flow, 0.0)
    flowing = mass_flow > _LEAST_FLOW * site.cdu.secondary_flow
    pump_rise = jnp.where(flowing, flows.pump_shaft_power, 0.0) / jnp.where(flowing, mass_flow, 1.0)
    hot = coolant.temperature_at_enthalpy(now.return_enthalpy + pump_rise)
    return RowLoop(
        mass=side_mass(site, coolant),
        mass_flow=mass_flow,
        pump_power=jnp.where(flowing, flows.pump_shaft_power, 0.0),
        per_kelvin=jnp.zeros_like(hot),
        hot_temperature=hot,
        return_enthalpy=now.return_enthalpy,
        heat_capacity=coolant.heat_capacity(hot),
    )


def _with_exchange(
    equipment: Equipment, loop: RowLoop, facility_flow: Float[Array, "row"], cold: Float[Array, ""]
) -> RowLoop:
    mean = 0.5 * (loop.hot_temperature + cold)
    per_kelvin = exchange_conductance(
        equipment.cdu.conductance.conductance(loop.mass_flow, facility_flow),
        loop.mass_flow * equipment.coolant.heat_capacity(mean),
        facility_flow * equipment.water.heat_capacity(mean),
        "counterflow",
    )
    return eqx.tree_at(lambda tree: tree.per_kelvin, loop, per_kelvin)


def _count(chips: Mapping[str, Bool[Array, "..."]], like: Float[Array, ""]) -> Float[Array, ""]:
    return jnp.sum(jnp.stack([jnp.sum(kind.astype(like.dtype)) for kind in chips.values()]))


def advance(
    site: Site,
    equipment: Equipment,
    base: Stores,
    now: Stores,
    works: Working,
    loss: Float[Array, ""],
    duration: Float[Array, ""],
) -> tuple[Stores, Passed]:
    """One building `duration` [s] after `base`.

    **Arguments**

    - `equipment`: of the site with all its machines
    - `base`: stores from which the step goes
    - `now`: stores at which flows, controls and heat per kelvin are found
    - `works`: what works meanwhile
    - `loss`: of the unit substations in the building [W]
    """
    highest = site.facility.differential_pressure
    set_point = now.pressure_set_point
    within_reach = _out_of_reach(works.facility_pump_speed, set_point, site.facility)
    site = with_parameters(site, parameters_at(site, works))
    outdoor = site.climate.dry_bulb + site.dry_coolers.recirculation
    water = equipment.water
    cold = water.temperature_at_enthalpy(now.facility_supply())
    back = water.temperature_at_enthalpy(now.facility_return() + now.pump_rise)
    rows = _rows(site, equipment, base, now, works, duration)
    chilled = water.temperature_at_enthalpy(now.chilled_water_enthalpy)
    wet = jnp.clip(now.condenser_share / _ENOUGH_CONDENSER_WATER, 0.0, 1.0)
    air, condenser_flow, condenser_heat = solve_air_side(
        with_parameters(site, {"air.chillers": site.air.chillers * wet}),
        equipment,
        AirDemand(
            heat=rows.air_heat + loss,
            chilled_water_temperature=chilled,
            condenser_outlet_temperature=cold
            + site.air.condenser_water_rise / jnp.maximum(now.condenser_share, _LEAST_CONDENSER_SHARE),
            outdoor_temperature=outdoor,
        ),
        works.coolers,
    )
    condenser_flow, condenser_heat = (works.air_handlers * part for part in (condenser_flow, condenser_heat))
    loop = _loop(site, equipment, now, rows)
    needed = equipment.cdu.facility_mass_flow_for(
        site.secondary.supply_temperature, loop.hot_temperature, cold, loop.mass_flow
    )
    # what they ask for is asked at the set point
    orificed = condenser_flow * jnp.sqrt(within_reach)
    facility, solution = solve_facility(
        site,
        water,
        cold,
        back,
        now.valve_opening,
        needed,
        orificed,
        within_reach * set_point,
        now.flows.facility,
    )
    turning = _creeping(works.facility_pump_speed)
    row_flow = turning * jnp.maximum(facility.row_mass_flow, 0.0)
    condensers, pump_power = (
        turning * jnp.maximum(facility.condenser_mass_flow, 0.0),
        turning * facility.pump_shaft_power,
    )
    creeping = _LEAST_FLOW * site.building.rows * site.cdu.facility_flow
    flow = jnp.maximum(jnp.sum(row_flow) + condensers, creeping)
    plant = reject(
        Plant(
            equipment.dry_cooler,
            equipment.trim_chiller,
            coolers=works.coolers * site.dry_coolers.count,
            chillers=works.trim_chillers * site.chillers.count,
            air_temperature=outdoor,
            air_pressure=site.climate.pressure,
            sink_temperature=outdoor,
        ),
        mass_flow=flow,
        return_temperature=back,
        set_point=site.secondary.supply_temperature - site.facility.supply_offset,
    )

    # what the pipes give during the step is known before anything enters them
    to_rows = base.supply_pipe.outlet(flow, duration)
    into_plant = base.return_pipe.outlet(flow, duration)
    loop = _with_exchange(equipment, loop, row_flow, cold)
    supply_enthalpy, return_enthalpy, to_facility = loop.step(
        base.supply_enthalpy, base.return_enthalpy, rows.heat, water.temperature_at_enthalpy(to_rows), duration
    )
    heat_in = jnp.sum(to_facility) + condenser_heat
    rise = pump_power / flow
    from_plant = into_plant + rise - plant.heat / flow
    held, from_tank = tank(site, equipment).step(base.tank_enthalpy, from_plant, flow, jnp.zeros_like(flow), duration)
    supply_pipe, _ = base.supply_pipe.step(from_tank, flow, duration)
    return_pipe, _ = base.return_pipe.step(to_rows + heat_in / flow, flow, duration)
    air_temperature, chilled_water = step_air(
        site,
        water,
        air,
        works.air_handlers,
        (base.air_temperature, base.chilled_water_enthalpy),
        chilled,
        duration,
    )
    largest, pressure = duration / _STROKE, facility.differential_pressure
    wanted = jnp.minimum(facility.needed_pressure + (1.0 - within_reach) * set_point, highest)
    most = largest * highest
    after = Stores(
        plates=rows.plates,
        supply_enthalpy=supply_enthalpy,
        return_enthalpy=return_enthalpy,
        valve_opening=base.valve_opening + jnp.clip(facility.needed_opening - base.valve_opening, -largest, largest),
        air_temperature=air_temperature,
        chilled_water_enthalpy=chilled_water,
        tank_enthalpy=held,
        supply_pipe=supply_pipe,
        return_pipe=return_pipe,
        chips=all_chips(
            site,
            rows.step.junction_temperature["gpu"],
            rows.step.unthrottled_temperature,
            jnp.mean(rows.step.work["gpu"]),
            _count(rows.step.off, loss),
        ),
        pump_rise=rise,
        condenser_share=jnp.sqrt(jnp.maximum(pressure, 0.0) / set_point),
        pressure_set_point=base.pressure_set_point + jnp.clip(wanted - base.pressure_set_point, -most, most),
        flows=BuildingFlows(rows.network, solution.value),
    )
    passed = Passed(
        heat_in=rows.chip_power + jnp.sum(loop.pump_power) + condenser_heat + pump_power,
        heat_out=plant.heat,
        it_power=rows.power,
        facility_flow=flow,
        row_flow=jnp.min(loop.mass_flow),
        result=jnp.maximum(rows.code, solution.status.result),
        runaway=jnp.all(jnp.isfinite(rows.flows.mass_flow)) & ~jnp.isfinite(rows.power),
    )
    return after, passed
