r"""The air side in time: the room warms by what the coils do not take, chilled water by what its plant does not.

    C dT/dt = (1 - w) Q - w kappa (T - T_e),      Q_coil = Q - C dT/dt
    M dh/dt = w m (h_p - h) + Q_coil - w Q

| symbol | meaning | unit |
| --- | --- | --- |
| T, T_e | air entering the racks; where it settles at this chilled water, of `voltherm.site.air_side` | K |
| Q, Q_coil | heat given to the room's air, heat taken by the coils | W |
| w | share of the air handlers that work; zero is legal | - |
| kappa | heat per kelvin between the coils' inlets | W/K |
| C | room air and what warms with it | J/K |
| h, h_p | specific enthalpy of the chilled water, and of what its plant makes of the return of Q | J/kg |
| M, m | chilled water, and its flow | kg, kg/s |

Two well-mixed stores, each exact over a step of constant inputs (`voltherm.coolant.decay`). A steady state stands
still.
"""

from jaxtyping import Array, Float

from voltherm.coolant.decay import mean_decay
from voltherm.media import AbstractLiquid
from voltherm.site.sections import Site
from voltherm.site.states import AirState


def room_heat_capacity(site: Site) -> Float[Array, ""]:
    """Heat capacity of the air of one building and of what warms with it [J/K]."""
    return site.building.racks * site.air.room_heat_capacity


def chilled_water_mass(site: Site, water: AbstractLiquid) -> Float[Array, ""]:
    """Chilled water of one building [kg]."""
    return site.air.handlers * site.air.chilled_water_volume * water.density(site.air.chilled_water_temperature)


def step_air(
    site: Site,
    water: AbstractLiquid,
    settled: AirState,
    handlers_work: Float[Array, ""],
    given: tuple[Float[Array, ""], Float[Array, ""]],
    chilled_water_temperature: Float[Array, ""],
    duration: Float[Array, ""],
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Air entering the racks [K] and enthalpy of the chilled water [J/kg] after `duration` [s].

    **Arguments**: `settled`: the air side at rest at `chilled_water_temperature` [K], its heat Q included; `given`:
    air temperature and enthalpy at the start.
    """
    air, enthalpy = given
    capacity, mass = room_heat_capacity(site), chilled_water_mass(site, water)
    per_kelvin = handlers_work * settled.heat / (settled.return_temperature - chilled_water_temperature)
    warming = (1.0 - handlers_work) * settled.heat - per_kelvin * (air - settled.supply_temperature)
    change = duration * mean_decay(per_kelvin * duration / capacity) * warming / capacity
    coils = settled.heat - capacity * change / duration
    flow = handlers_work * settled.plant.mass_flow
    brought = flow * (water.specific_enthalpy(settled.plant.supply_temperature) - enthalpy)
    brought = brought + coils - handlers_work * settled.heat
    return air + change, enthalpy + duration * mean_decay(flow * duration / mass) * brought / mass
