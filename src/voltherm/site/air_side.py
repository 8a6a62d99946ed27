"""Air side of a building: air handlers that hold the racks' inlet air, chilled water, free cooling, chillers.

    T_back = T_w + Q / (ε C_min),   T_air = T_back - Q / (m_a c_a)
    P_pump = Δp_0 (m_w/m_w0)² m_w / (ρ η)
    Q_condenser = Q_chiller + P_chiller,   m_condenser = Q_condenser / (c rise)

| symbol | meaning | unit | source |
| --- | --- | --- | --- |
| Q | heat given to the room's air, fans included | W | solved |
| T_air, T_back | air to the racks and back from them | K | control, solved |
| T_w, m_w | chilled-water supply and flow; subscript 0 at rating | K, kg/s | unknown of the coupling, control |
| ε C_min | heat per kelvin between the coil's inlets, of `voltherm.coolant.air_handler` | W/K | |
| rise | of the facility water through the condensers: asked for | K | configuration |

The condensing temperature stands over the water that leaves the condensers, with the rise that the flow found leaves:
an unknown of the coupling, as asked for while the pumps hold their pressure.

Chilled-water flow holds the supply air within the limit of the coils' valves. Chillers reject into the facility loop,
so when outdoor heat rejection is lost the air side's heat stays in the building's water as well.
"""

from typing import NamedTuple

import jax
from jaxtyping import Array, Float

from voltherm.coolant import exchange_conductance
from voltherm.media import dry_air
from voltherm.site.equipment import Equipment
from voltherm.site.heat_rejection import Plant, reject
from voltherm.site.sections import Site
from voltherm.site.states import AirState


class AirDemand(NamedTuple):
    """What the air side meets: room heat without the handlers' fans [W], chilled water and water that leaves the
    condensers [K], air outdoors [K].
    """

    heat: Float[Array, ""]
    chilled_water_temperature: Float[Array, ""]
    condenser_outlet_temperature: Float[Array, ""]
    outdoor_temperature: Float[Array, ""]


@jax.named_scope("air side")
def solve_air_side(
    site: Site, equipment: Equipment, demand: AirDemand, available: Float[Array, ""]
) -> tuple[AirState, Float[Array, ""], Float[Array, ""]]:
    """The air side of one building.

    **Arguments**: `available`: share of the free cooling that works; the chillers do as long as they have facility
    water.

    **Returns**: the `AirState`; flow [kg/s] that the condensers ask of the facility loop, and their heat [W].
    """
    air, water, handler, pressure = site.air, equipment.water, equipment.air_handler, site.climate.pressure
    chilled = demand.chilled_water_temperature
    air_flow = site.building.racks * site.rack.air_flow / air.handlers
    mass_flow = air_flow * dry_air.density(air.supply_temperature, pressure)
    fan_power = air.handlers * handler.rated_fan_power * (air_flow / handler.rated_air_flow) ** 3
    heat = demand.heat + fan_power
    # one capacity rate for the coil and the room, at the coil's mean temperature: with two, air that warms far would
    # leave the coil colder than its water
    about = air.supply_temperature + heat / (air.handlers * mass_flow * dry_air.heat_capacity(air.supply_temperature))
    air_rate = mass_flow * dry_air.heat_capacity(0.5 * (about + chilled))
    back_at_set_point = air.supply_temperature + heat / (air.handlers * air_rate)
    # the handler counts its fan behind the coil; here the fan's heat is part of the room's, so the coil alone meets
    # the set point
    own_flow = mass_flow / dry_air.density(back_at_set_point, pressure)
    own_rise = handler.rated_fan_power * (own_flow / handler.rated_air_flow) ** 3 / air_rate
    water_flow = handler.water_mass_flow_for(
        air.supply_temperature + own_rise, back_at_set_point, mass_flow, chilled, pressure
    )
    mean = 0.5 * (back_at_set_point + chilled)
    per_kelvin = exchange_conductance(
        handler.conductance.conductance(mass_flow, water_flow),
        air_rate,
        water_flow * water.heat_capacity(mean),
        "counterflow",
    )
    back = chilled + heat / (air.handlers * per_kelvin)
    share = water_flow / air.coil_rated_water_flow
    total_water_flow = air.handlers * water_flow
    volume_flow = total_water_flow / water.density(chilled)
    pump_power = air.chilled_water_pump_pressure * share**2 * volume_flow / air.chilled_water_pump_efficiency
    chilled_return = water.temperature_at_enthalpy(
        water.specific_enthalpy(chilled) + (heat + pump_power) / total_water_flow
    )
    plant = reject(
        Plant(
            equipment.dry_cooler,
            equipment.air_chiller,
            coolers=available * air.dry_coolers,
            chillers=air.chillers,
            air_temperature=demand.outdoor_temperature,
            air_pressure=pressure,
            sink_temperature=demand.condenser_outlet_temperature,
        ),
        mass_flow=total_water_flow,
        return_temperature=chilled_return,
        set_point=air.chilled_water_temperature,
    )
    condenser_heat = plant.chiller_heat + plant.compressor_power
    condenser_rate = water.heat_capacity(demand.condenser_outlet_temperature) * air.condenser_water_rise
    state = AirState(
        plant=plant,
        supply_temperature=back - heat / (air.handlers * air_rate),
        return_temperature=back,
        heat=heat,
        fan_power=fan_power,
        pump_power=pump_power,
    )
    return state, condenser_heat / condenser_rate, condenser_heat
