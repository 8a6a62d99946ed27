"""What one building carries from step to step: rows, buffer tank, pipes, valves, and where its networks stand.

    row      C dT_hot/dt = Q - k (T_hot - T_f)   =>   T(t + Δt) = T_eq + (T - T_eq) exp(-Δt / τ),   τ = C / k
    tank     `voltherm.coolant.tank`,   pipes   `voltherm.coolant.pipe_transport`

| symbol | meaning | unit |
| --- | --- | --- |
| C | heat capacity of a row: coolant of its loop and metal of its racks | J/K |
| k | heat per kelvin between the inlets of the CDU, Q / (T_eq - T_f) | W/K |

Tank and pipes lose no heat, and what they carry is the water's specific enthalpy: without losses it obeys the laws that
are written there for the temperature, with a heat capacity of one, and balances to round-off.
"""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from voltherm.coolant import DelayLine, MixedTank
from voltherm.media import AbstractLiquid
from voltherm.site.equipment import Equipment
from voltherm.site.sections import Site
from voltherm.site.states import BuildingFlows, BuildingState


class Stores(eqx.Module):
    """Temperatures [K], enthalpies [J/kg], opening of the valves [1], flows to start the next solve from."""

    supply_temperature: Float[Array, "row"]
    return_temperature: Float[Array, "row"]
    valve_opening: Float[Array, "row"]
    facility_supply_enthalpy: Float[Array, ""]
    chilled_water_temperature: Float[Array, ""]
    tank_enthalpy: Float[Array, ""]
    plant_inlet_enthalpy: Float[Array, ""]
    pump_rise: Float[Array, ""]
    supply_pipe: DelayLine
    return_pipe: DelayLine
    flows: BuildingFlows

    @classmethod
    def at_rest(cls, site: Site, made: Equipment, state: BuildingState, flows: BuildingFlows, parcels: int) -> "Stores":
        """The stores of a steady state; `parcels` of water are told apart in each pipe."""
        water, facility = made.water, state.facility
        supply = water.specific_enthalpy(facility.plant.supply_temperature)
        rise = facility.pump_shaft_power / facility.mass_flow
        back = water.specific_enthalpy(facility.plant.return_temperature) - rise
        content = pipe_mass(site, made)

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

        return cls(
            state.rows.supply_temperature,
            state.rows.return_temperature,
            state.rows.valve_opening,
            supply,
            state.air.plant.supply_temperature,
            supply,
            back,
            rise,
            filled(supply),
            filled(back),
            flows,
        )

    def stored(self, site: Site, made: Equipment) -> Float[Array, ""]:
        """Enthalpy in pipes and tank [J]."""
        pipes = self.supply_pipe.mean_temperature() + self.return_pipe.mean_temperature()
        return pipe_mass(site, made) * pipes + tank(site, made).mass * self.tank_enthalpy


def facility_mass(site: Site, made: Equipment) -> Float[Array, ""]:
    """Water of one building's facility loop [kg]."""
    return site.facility.volume * made.water.density(site.secondary.supply_temperature)


def pipe_mass(site: Site, made: Equipment) -> Float[Array, ""]:
    """Water in the supply pipe, and as much in the return [kg]: what is not in the tank."""
    return 0.5 * (1.0 - site.facility.tank_fraction) * facility_mass(site, made)


def tank(site: Site, made: Equipment) -> MixedTank:
    """The buffer tank, in terms of specific enthalpy."""
    content = site.facility.tank_fraction * facility_mass(site, made)
    return MixedTank(content, jnp.ones_like(content))


def row_heat_capacity(site: Site, coolant: AbstractLiquid) -> Float[Array, ""]:
    """Heat capacity of one row [J/K]: coolant of the CDU, headers and racks, and the racks' metal."""
    secondary, rack = site.secondary, site.rack
    racks = site.building.racks_per_row
    header = 2.0 * racks * secondary.header_segment * (0.25 * jnp.pi) * secondary.header_diameter**2
    volume = secondary.cdu_volume + header + racks * rack.coolant_volume
    temperature = secondary.supply_temperature
    return volume * coolant.density(temperature) * coolant.heat_capacity(temperature) + racks * rack.heat_capacity
