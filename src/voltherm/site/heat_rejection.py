"""Dry coolers with trim chillers behind them, holding a supply temperature within their limits.

    Q_wanted = m [h(T_return) - h(T_set)]
    Q_dry(w) = ε(w) C_min (T_return - T_db),   UA = UA_0 / ([w^-0.6 + (m/m_0)^-0.8] / 2),   air flow ~ w,  P_fan = P_0 w³
    Q_chiller = min(Q_wanted - Q_dry, capacity),   P = Q_chiller / COP
    COP = min(η T_evaporating / (T_condensing - T_evaporating), COP_max)

| symbol | meaning | unit | source |
| --- | --- | --- | --- |
| w | fan speed over rated, between its minimum and 1 | - | control |
| UA_0, m_0 | conductance and flow of one cooler at its rating; the air's capacity rate there from an 8 K rise | W/K, kg/s | published record, [choice] |
| η | share of the Carnot efficiency | - | configuration |

Fans run at the least speed that holds the set point; below the minimum speed a bypass holds it. Chillers take what full fans
leave. Beyond their capacity the supply floats: the heat rejected is then what the equipment can take at that return.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from voltherm.coolant import effectiveness
from voltherm.media import AbstractLiquid
from voltherm.numerics import bracketed_root
from voltherm.site.sections import Chillers, DryCoolers, Site
from voltherm.site.states import RejectionState

_RATED_AIR_RISE = 8.0
_AIR_EXPONENT = 0.6
_WATER_EXPONENT = 0.8
_LEAST_LIFT = 2.0  # K: compressors keep a lift however warm the evaporator


def coefficient_of_performance(
    chillers: Chillers, evaporating: Float[Array, ""], condensing: Float[Array, ""]
) -> Float[Array, ""]:
    """COP between evaporating and condensing temperature [K], bounded."""
    lift = jnp.maximum(condensing - evaporating, _LEAST_LIFT)
    return jnp.minimum(chillers.carnot_fraction * evaporating / lift, chillers.maximum_cop)


def _dry_transfer(
    coolers: DryCoolers,
    count: Float[Array, ""],
    heat_capacity: Float[Array, ""],
    mass_flow: Float[Array, ""],
    speed: Float[Array, ""],
) -> Float[Array, ""]:
    """ε C_min of the whole bank [W/K] at relative fan speed."""
    rated_water = coolers.rated_heat / (coolers.rated_inlet - coolers.rated_outlet)
    rated_air = coolers.rated_heat / _RATED_AIR_RISE
    least, largest = jnp.minimum(rated_water, rated_air), jnp.maximum(rated_water, rated_air)
    reached = coolers.rated_heat / (least * (coolers.rated_inlet - coolers.rated_dry_bulb))
    conductance = least * _ntu_of(reached, least / largest)
    water, air = mass_flow * heat_capacity / count, rated_air * speed
    resistance = 0.5 * (speed**-_AIR_EXPONENT + (water / rated_water) ** -_WATER_EXPONENT)
    least, largest = jnp.minimum(water, air), jnp.maximum(water, air)
    return count * least * effectiveness(conductance / resistance / least, least / largest, "counterflow")


def _ntu_of(reached: Float[Array, ""], ratio: Float[Array, ""]) -> Float[Array, ""]:
    return jnp.log((1.0 - reached * ratio) / (1.0 - reached)) / (1.0 - ratio)


def reject(
    site: Site,
    cooler_count: Float[Array, ""],
    chiller_count: Float[Array, ""],
    water: AbstractLiquid,
    *,
    mass_flow: Float[Array, ""],
    return_temperature: Float[Array, ""],
    set_point: Float[Array, ""],
    condensing_temperature: Float[Array, ""],
    dry_available: Float[Array, ""],
    chiller_available: Float[Array, ""],
) -> RejectionState:
    """What a plant of dry coolers and chillers makes of its return.

    **Arguments**: numbers of coolers and chillers; flow [kg/s] and temperature [K] of the return; `set_point` of the supply
    [K]; `condensing_temperature` of the chillers [K]; shares of coolers and chillers that work, 0 to 1.
    """
    coolers, chillers = site.dry_coolers, site.chillers
    heat_capacity = water.heat_capacity(set_point)
    return_enthalpy = water.specific_enthalpy(return_temperature)
    wanted = jnp.maximum(mass_flow * (return_enthalpy - water.specific_enthalpy(set_point)), 0.0)
    head = jnp.maximum(return_temperature - site.climate.dry_bulb, 0.0)

    def carried(speed: Float[Array, ""]) -> Float[Array, ""]:
        return dry_available * head * _dry_transfer(coolers, cooler_count, heat_capacity, mass_flow, speed)

    def excess(speed: Float[Array, ""], known: tuple) -> Float[Array, ""]:
        coolers, count, heat_capacity, mass_flow, head, wanted = known
        return head * _dry_transfer(coolers, count, heat_capacity, mass_flow, speed) - wanted

    scale = jnp.maximum(wanted, 1.0)
    known = (coolers, cooler_count, heat_capacity, mass_flow, dry_available * head / scale, wanted / scale)
    one = jnp.ones_like(head)
    speed = bracketed_root(excess, coolers.minimum_speed, one, known, tolerance=1e-13)
    dry = jnp.minimum(carried(speed), wanted)
    chiller = jnp.minimum(wanted - dry, chiller_available * chiller_count * chillers.capacity)
    supply = water.temperature_at_enthalpy(return_enthalpy - (dry + chiller) / mass_flow)
    cop = coefficient_of_performance(chillers, supply - chillers.evaporator_approach, condensing_temperature)
    return RejectionState(
        supply_temperature=supply,
        return_temperature=return_temperature,
        mass_flow=mass_flow,
        heat=dry + chiller,
        dry_cooler_heat=dry,
        chiller_heat=chiller,
        fan_speed=speed,
        fan_power=dry_available * cooler_count * coolers.rated_fan_power * speed**3,
        compressor_power=chiller / cop,
    )
