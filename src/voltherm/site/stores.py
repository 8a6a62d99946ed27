"""State of one building between time steps: plates, rows, air, buffer tank, pipes, valves and its networks.

    chips and plates   `voltherm.thermal.rack_transient`        rows   `voltherm.site.row_stores`
    tank               `voltherm.coolant.tank`                  pipes  `voltherm.coolant.pipe_transport`
    room air and chilled water   `voltherm.site.air_stores`

Tank and pipes lose no heat, and what they carry is the water's specific enthalpy: without losses it obeys the laws that
are written there for the temperature, with a heat capacity of one, and balances to round-off.
"""

from collections.abc import Mapping

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from voltherm.coolant import DelayLine, MixedTank
from voltherm.site.equipment import Equipment
from voltherm.site.racks import thermal_rack
from voltherm.site.row_stores import side_mass
from voltherm.site.sections import Site
from voltherm.site.states import BuildingFlows, BuildingState
from voltherm.thermal import RackThermalState, steady_thermal_state


class Chips(eqx.Module):
    """All chips of a building: hottest GPU [K]; smallest margin to the junction limits less the margin kept, to the
    limits of the memory and to throttling, if none throttled [K]; work of the GPUs, mean [1]; how many chips have
    switched themselves off.
    """

    gpu_temperature: Float[Array, ""]
    margin: Float[Array, ""]
    memory_margin: Float[Array, ""]
    throttle_margin: Float[Array, ""]
    work: Float[Array, ""]
    off: Float[Array, ""]


class Stores(eqx.Module):
    """Plates [K] by kind, enthalpies of rows, chilled water, tank and pipes [J/kg], air to the racks [K], opening of
    the valves [1]; and what the last solve found, for the next one: chips, warming by the facility pumps [J/kg], flow
    of the condensers over what they ask for [1], set point of the facility pumps as reset [Pa], flows of the networks.
    """

    plates: RackThermalState
    supply_enthalpy: Float[Array, "row"]
    return_enthalpy: Float[Array, "row"]
    valve_opening: Float[Array, "row"]
    air_temperature: Float[Array, ""]
    chilled_water_enthalpy: Float[Array, ""]
    tank_enthalpy: Float[Array, ""]
    supply_pipe: DelayLine
    return_pipe: DelayLine
    chips: Chips
    pump_rise: Float[Array, ""]
    condenser_share: Float[Array, ""]
    pressure_set_point: Float[Array, ""]
    flows: BuildingFlows

    @classmethod
    def at_rest(
        cls, site: Site, equipment: Equipment, state: BuildingState, flows: BuildingFlows, parcels: int
    ) -> "Stores":
        """The stores of a steady state; `parcels` of water are told apart in each pipe."""
        water, coolant, facility, rows = equipment.water, equipment.coolant, state.facility, state.rows
        supply = water.specific_enthalpy(facility.plant.supply_temperature)
        rise = facility.pump_shaft_power / facility.mass_flow
        back = water.specific_enthalpy(facility.plant.return_temperature) - rise
        content = pipe_mass(site, equipment)
        model = thermal_rack(site.rack, equipment.supply, site.air.inlet_limit)

        def filled(enthalpy: Float[Array, ""]) -> DelayLine:
            none = jnp.zeros_like(content)
            return DelayLine.filled(
                content,
                enthalpy,
                parcels=parcels,
                wall_conductance=none,
                heat_capacity=jnp.ones_like(content),
                ambient_temperature=none,
            )

        def plates(temperature: Float[Array, ""], flow: Float[Array, "tray"]) -> RackThermalState:
            return steady_thermal_state(model, temperature, flow, coolant, load_factor=site.rack.load_factor)

        racks = state.racks
        return cls(
            plates=jax.vmap(jax.vmap(plates, in_axes=(None, 0)))(rows.supply_temperature, rows.tray_mass_flow),
            supply_enthalpy=coolant.specific_enthalpy(rows.supply_temperature),
            return_enthalpy=coolant.specific_enthalpy(rows.return_temperature),
            valve_opening=rows.valve_opening,
            air_temperature=state.air.supply_temperature,
            chilled_water_enthalpy=water.specific_enthalpy(state.air.plant.supply_temperature),
            tank_enthalpy=supply,
            supply_pipe=filled(supply),
            return_pipe=filled(back),
            chips=all_chips(
                site, racks.gpu_temperature, racks.unthrottled, jnp.mean(racks.work), jnp.sum(racks.off_chips)
            ),
            pump_rise=rise,
            condenser_share=site.air.condenser_water_rise / facility.condenser_rise,
            pressure_set_point=facility.pressure_set_point,
            flows=flows,
        )

    def facility_supply(self) -> Float[Array, ""]:
        """Enthalpy of the facility water that stands before the CDUs [J/kg]."""
        return _standing(self.supply_pipe)

    def facility_return(self) -> Float[Array, ""]:
        """Enthalpy of the facility water that stands before the plant's pumps [J/kg]."""
        return _standing(self.return_pipe)

    def stored(self, site: Site, equipment: Equipment) -> Float[Array, ""]:
        """Heat in the water of the facility loop, in the rows and in their plates [J]."""
        rows = side_mass(site, equipment.coolant) * jnp.sum(self.supply_enthalpy + self.return_enthalpy)
        capacity = {"gpu": site.rack.gpu, "cpu": site.rack.cpu, "switch": site.rack.switch}
        plates = [
            capacity[kind].heat_capacity * jnp.sum(temperature)
            for kind, temperature in self.plates.plate_temperature.items()
        ]
        return self.facility_stored(site, equipment) + rows + jnp.sum(jnp.stack(plates))

    def facility_stored(self, site: Site, equipment: Equipment) -> Float[Array, ""]:
        """Enthalpy in pipes and tank [J]."""
        pipes = self.supply_pipe.mean_temperature() + self.return_pipe.mean_temperature()
        return pipe_mass(site, equipment) * pipes + tank(site, equipment).mass * self.tank_enthalpy


def _standing(pipe: DelayLine) -> Float[Array, ""]:
    return pipe.outlet(jnp.zeros_like(pipe.mass), jnp.ones_like(pipe.mass))


def all_chips(
    site: Site,
    gpu: Float[Array, "..."],
    unthrottled: Mapping[str, Float[Array, "..."]],
    work: Float[Array, ""],
    off: Float[Array, ""],
) -> Chips:
    """The chips of one building from the junctions of all GPUs, what chips of each kind would have without throttling
    [K], the mean work of the GPUs, and how many chips are off.
    """
    kinds = {kind: getattr(site.rack, kind) for kind in unthrottled}
    margins = jnp.stack([kinds[kind].junction_limit - jnp.max(chips) for kind, chips in unthrottled.items()])
    # all margins of a kind from that to its junction limit
    to_memory = margins + jnp.stack(
        [device.memory_limit - device.memory_offset - device.junction_limit for device in kinds.values()]
    )
    to_throttling = margins + jnp.stack([device.throttle_above_limit for device in kinds.values()])
    return Chips(
        jnp.max(gpu),
        jnp.min(margins) - site.limits.junction_margin,
        jnp.min(to_memory),
        jnp.min(to_throttling),
        work,
        off,
    )


def facility_mass(site: Site, equipment: Equipment) -> Float[Array, ""]:
    """Water of one building's facility loop [kg]."""
    return site.facility.volume * equipment.water.density(site.secondary.supply_temperature)


def pipe_mass(site: Site, equipment: Equipment) -> Float[Array, ""]:
    """Water in the supply pipe, and as much in the return [kg]: what is not in the tank."""
    return 0.5 * (1.0 - site.facility.tank_fraction) * facility_mass(site, equipment)


def tank(site: Site, equipment: Equipment) -> MixedTank:
    """The buffer tank, in terms of specific enthalpy."""
    content = site.facility.tank_fraction * facility_mass(site, equipment)
    return MixedTank(content, jnp.ones_like(content))
