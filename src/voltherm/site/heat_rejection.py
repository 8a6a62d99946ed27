"""Dry coolers with chillers behind them, holding a supply temperature within their limits.

    Q_wanted = m [h(T_return) - h(T_set)]
    Q_dry = min(dry coolers at the least fan speed that carries Q_wanted, Q_wanted),   speed <= s_max(T_return - T_db)
    Q_chiller = min(Q_wanted - Q_dry, capacity)
    h(T_supply) = h(T_return) - (Q_dry + Q_chiller) / m
    P_chiller at the T_supply reached

| symbol | meaning | unit |
| --- | --- | --- |
| m, T_return | flow and temperature that come back to the plant | kg/s, K |
| T_set, T_supply | set point of the supply, and what is reached | K |
| s_max | most fan speed: least where the return is no warmer than the air, full from 3 K on, smooth between | - |

Equipment laws: `voltherm.coolant.dry_cooler`, `voltherm.coolant.chiller`. Below the fans' minimum speed a bypass
holds the set point. Chillers take what the fans leave, all machines evenly loaded. Beyond their capacity the supply
floats. At 3 K full fans of 40 W per rated kW and 11 K take about what the compressors save with their heat (COP 6), so
below it the fans step back.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from voltherm.coolant import AirCooledChiller, DryCooler
from voltherm.numerics import smooth_step
from voltherm.site.sections import Climate
from voltherm.site.states import RejectionState

_FULL_FANS = 3.0  # K: return over air from which fans may run full
_LEAST_COUNT = 1e-6  # keeps flows and loads of one machine finite where none works


@jax.named_scope("heat rejection")
def reject(
    climate: Climate,
    cooler: DryCooler,
    chiller: AirCooledChiller,
    *,
    coolers: Float[Array, ""],
    chillers: Float[Array, ""],
    mass_flow: Float[Array, ""],
    return_temperature: Float[Array, ""],
    set_point: Float[Array, ""],
    sink_temperature: Float[Array, ""],
) -> RejectionState:
    """What a plant makes of its return.

    **Arguments**: one dry cooler and one chiller, and how many of each work (zero is legal); flow [kg/s] and
    temperature [K] of the return; `set_point` of the supply [K]; `sink_temperature`: what the chillers reject to [K].
    """
    water = cooler.liquid
    return_enthalpy = water.specific_enthalpy(return_temperature)
    wanted = jnp.maximum(mass_flow * (return_enthalpy - water.specific_enthalpy(set_point)), 0.0)
    some_coolers, some_chillers = jnp.maximum(coolers, _LEAST_COUNT), jnp.maximum(chillers, _LEAST_COUNT)
    each = mass_flow / some_coolers
    speed = cooler.fan_speed_for(set_point, return_temperature, each, climate.dry_bulb, climate.pressure)
    worth = smooth_step(return_temperature - climate.dry_bulb - 0.5 * _FULL_FANS, 0.5 * _FULL_FANS)
    speed = jnp.minimum(speed, cooler.minimum_fan_speed + worth * (1.0 - cooler.minimum_fan_speed))
    at_speed = cooler.operate(return_temperature, each, climate.dry_bulb, climate.pressure, speed)
    dry = jnp.clip(coolers * at_speed.heat_flow, 0.0, wanted)
    taken = jnp.clip(wanted - dry, 0.0, chillers * chiller.capacity)
    supply = water.temperature_at_enthalpy(return_enthalpy - (dry + taken) / mass_flow)
    # exhausted machines make warmer water than was asked for, and work against less lift
    machine = chiller.operate(taken / some_chillers, supply, sink_temperature)
    return RejectionState(
        supply_temperature=supply,
        return_temperature=return_temperature,
        mass_flow=mass_flow,
        heat=dry + taken,
        dry_cooler_heat=dry,
        chiller_heat=taken,
        fan_speed=speed,
        fan_power=coolers * at_speed.fan_power,
        compressor_power=chillers * machine.power,
    )
