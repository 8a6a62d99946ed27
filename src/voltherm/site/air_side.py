"""Air side of a building: air handlers that hold the racks' inlet air, chilled water, free cooling, water-cooled chillers.

    Q = m_a c_a (T_back - T_air) = ε(NTU, Cr) C_min (T_back - T_w)
    1/UA = 1/(2 UA_0) [(V/V_0)^-0.6 + (m_w/m_w0)^-0.8]
    P_fan = Δp V / η,   P_pump = Δp_0 (m_w/m_w0)² m_w / (ρ η)
    Q_condenser = Q_chiller + P_chiller,   condensing at T_f + rise + approach

| symbol | meaning | unit | source |
| --- | --- | --- | --- |
| Q | heat given to the room's air, fans included | W | solved |
| T_air, T_back | air to the racks and back from them | K | control, solved |
| T_w | chilled-water supply | K | unknown of the coupling |
| V | air flow: that of the racks | m³/s | configuration |
| T_f, rise, approach | facility water into the condensers, its rise there, condensing temperature over it | K | coupling, configuration |

The coil is taken as counterflow (six rows and more: ASHRAE Handbook HVAC Systems and Equipment, 2020, chapter 23). Chilled-water flow holds the
supply air within its limit of twice the rated flow. Chillers reject into the facility loop, so when outdoor heat rejection is
lost the air side's heat stays in the building's water as well.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from voltherm.coolant import effectiveness
from voltherm.media import AbstractLiquid, Water, dry_air
from voltherm.numerics import bracketed_root
from voltherm.site.heat_rejection import reject
from voltherm.site.sections import Air, Site
from voltherm.site.states import AirState

_AIR_EXPONENT = 0.6
_WATER_EXPONENT = 0.8
_LARGEST_FLOW_SHARE = 2.0
_LEAST_FLOW_SHARE = 1e-3


class AirDemand(NamedTuple):
    """What the air side meets: room heat without the handlers' fans [W], chilled-water and condenser water supply [K]."""

    heat: Float[Array, ""]
    chilled_water_temperature: Float[Array, ""]
    condenser_water_temperature: Float[Array, ""]


class _Coil(NamedTuple):
    """All handlers of a building as one coil: conductance [W/K] and capacity rates [W/K] at rating, air as it is."""

    conductance: Float[Array, ""]
    rated_water: Float[Array, ""]
    air_share: Float[Array, ""]
    air: Float[Array, ""]


def _coil(air: Air, water: AbstractLiquid, air_flow: Float[Array, ""], air_density: Float[Array, ""]) -> _Coil:
    heat_capacity = dry_air.heat_capacity(air.supply_temperature)
    rated_air = air.coil_rated_air_flow * air_density * heat_capacity
    rated_water = air.coil_rated_water_flow * water.heat_capacity(air.coil_rated_water_inlet)
    least, largest = jnp.minimum(rated_air, rated_water), jnp.maximum(rated_air, rated_water)
    ratio = least / largest
    reached = air.coil_rated_heat / (least * (air.coil_rated_air_inlet - air.coil_rated_water_inlet))
    ntu = jnp.log((1.0 - reached * ratio) / (1.0 - reached)) / (1.0 - ratio)
    share = air_flow / (air.handlers * air.coil_rated_air_flow)
    return _Coil(
        air.handlers * least * ntu,
        air.handlers * rated_water,
        share,
        air_flow * air_density * heat_capacity,
    )


def _transfer(coil: _Coil, water_share: Float[Array, ""]) -> Float[Array, ""]:
    """ε C_min [W/K] at chilled water over rated."""
    water = coil.rated_water * water_share
    resistance = 0.5 * (coil.air_share**-_AIR_EXPONENT + water_share**-_WATER_EXPONENT)
    least, largest = jnp.minimum(water, coil.air), jnp.maximum(water, coil.air)
    return effectiveness(coil.conductance / resistance / least, least / largest, "counterflow") * least


def solve_air_side(
    site: Site, demand: AirDemand, available: Float[Array, ""]
) -> tuple[AirState, Float[Array, ""], Float[Array, ""]]:
    """The air side of one building.

    **Arguments**: `available`: share of the free cooling that works; the chillers do as long as they have facility water.

    **Returns**: the `AirState`; flow [kg/s] that the condensers ask of the facility loop, and their heat [W].
    """
    air, water = site.air, Water()
    density = dry_air.density(air.supply_temperature, site.climate.pressure)
    air_flow = site.building.racks * site.rack.air_flow
    fan_power = air.fan_pressure * air_flow / air.fan_efficiency
    heat = demand.heat + fan_power
    coil = _coil(air, water, air_flow, density)

    def lacking(share: Float[Array, ""], known: tuple) -> Float[Array, ""]:
        coil, heat, set_point, chilled = known
        return _transfer(coil, share) * (set_point + heat / coil.air - chilled) / heat - 1.0

    low = jnp.full_like(heat, _LEAST_FLOW_SHARE)
    high = jnp.full_like(heat, _LARGEST_FLOW_SHARE)
    known = (coil, heat, air.supply_temperature, demand.chilled_water_temperature)
    share = bracketed_root(lacking, low, high, known, tolerance=1e-13)
    back = demand.chilled_water_temperature + heat / _transfer(coil, share)
    water_flow = share * air.handlers * air.coil_rated_water_flow
    pump_power = (
        air.chilled_water_pump_pressure
        * share**2
        * water_flow
        / (water.density(demand.chilled_water_temperature) * air.chilled_water_pump_efficiency)
    )
    supply_enthalpy = water.specific_enthalpy(demand.chilled_water_temperature)
    chilled_return = water.temperature_at_enthalpy(supply_enthalpy + (heat + pump_power) / water_flow)
    plant = reject(
        site,
        air.dry_coolers,
        air.chillers,
        water,
        mass_flow=water_flow,
        return_temperature=chilled_return,
        set_point=air.chilled_water_temperature,
        condensing_temperature=demand.condenser_water_temperature + air.condenser_water_rise + air.condenser_approach,
        dry_available=available,
        chiller_available=jnp.ones_like(available),
    )
    condenser_heat = plant.chiller_heat + plant.compressor_power
    condenser_flow = condenser_heat / (
        water.heat_capacity(demand.condenser_water_temperature) * air.condenser_water_rise
    )
    state = AirState(
        plant=plant,
        supply_temperature=back - heat / coil.air,
        return_temperature=back,
        heat=heat,
        fan_power=fan_power,
        pump_power=pump_power,
    )
    return state, condenser_flow, condenser_heat
