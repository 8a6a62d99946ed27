"""Dry coolers with chillers behind them, holding a supply temperature at the least power of fans and compressors.

    Q_wanted = m [h(T_return) - h(T_set)]
    P(w) = P_fans(w) + P_chillers(Q_wanted - Q_dry(w)),   w_min <= w <= w_max
    dP/dw = 0 between   Q_dry(w) = Q_wanted - capacity   and   Q_dry(w) = Q_wanted
    Q_chiller = min(Q_wanted - Q_dry(w), capacity),   h(T_supply) = h(T_return) - (Q_dry + Q_chiller) / m

| symbol | meaning | unit |
| --- | --- | --- |
| m, T_return | flow and temperature that come back to the plant | kg/s, K |
| T_set, T_supply | set point of the supply, and what is reached | K |
| w, w_min, w_max | fan speed over rated, its least and its greatest | - |
| capacity | of all chillers inside their envelope at the sink's temperature | W |

Source: optimal sequencing of a plant by its total power, Braun, Klein, Beckman and Mitchell, ASHRAE Trans. 95 (1989).
Equipment laws: `voltherm.coolant.dry_cooler`, `voltherm.coolant.chiller`.

Q_dry is concave and both powers are convex, so dP/dw rises with w and the three conditions are one rising function,

    f(w) = min(Q_dry - Q_wanted + capacity, max(Q_dry - Q_wanted, dP/dw)) = 0     (each over its own scale)

whose root moves without a jump from one condition to the next; its derivative is that of the condition that holds.
Below the least speed a bypass holds the set point. Beyond the chillers' capacity the supply floats. Only the plant's
own power is counted: what condensers on facility water cost the other plant is not.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from voltherm.coolant import Chiller, DryCooler
from voltherm.numerics import bracketed_root
from voltherm.site.states import RejectionState

_LEAST_COUNT = 1e-6  # keeps flows and loads of one machine finite where none works
_LEAST_HEAT = 1.0  # W: scale of a heat where none is wanted
_LEAST_SPEED = 1e-3  # no draught without fans
_SPEED_TOLERANCE = 1e-13


class Plant(NamedTuple):
    """Equal dry coolers and equal chillers, how many of each work (zero is legal), and what they reject to.

    Air at the coolers [K], [Pa absolute]; `sink_temperature` of the chillers [K].
    """

    cooler: DryCooler
    chiller: Chiller
    coolers: Float[Array, ""]
    chillers: Float[Array, ""]
    air_temperature: Float[Array, ""]
    air_pressure: Float[Array, ""]
    sink_temperature: Float[Array, ""]

    @property
    def some_chillers(self) -> Float[Array, ""]:
        """How many chillers share the load, never zero."""
        return jnp.maximum(self.chillers, _LEAST_COUNT)

    @property
    def chiller_capacity(self) -> Float[Array, ""]:
        """Of all chillers, inside their envelope [W]."""
        return self.chillers * self.chiller.available_capacity(self.sink_temperature)


class _Task(NamedTuple):
    """Return of the plant: temperature [K], flow of one cooler [kg/s], heat wanted [W], set point [K]."""

    return_temperature: Float[Array, ""]
    cooler_mass_flow: Float[Array, ""]
    wanted: Float[Array, ""]
    set_point: Float[Array, ""]


def _dry_heat(plant: Plant, task: _Task, speed: Float[Array, ""]) -> Float[Array, ""]:
    """Heat that all coolers take at a fan speed [W]; negative where the air is warmer than the water."""
    return plant.coolers * plant.cooler.heat_flow(
        task.return_temperature, task.cooler_mass_flow, plant.air_temperature, plant.air_pressure, speed
    )


def _power(plant: Plant, task: _Task, speed: Float[Array, ""]) -> Float[Array, ""]:
    """Power of fans and compressors over the coolers' rated fan power, with chillers that know no limits."""
    fans = plant.cooler.fan_power(plant.air_temperature, plant.air_pressure, speed)
    left = task.wanted - _dry_heat(plant, task, speed)
    machine = plant.chiller.power(left / plant.some_chillers, task.set_point, plant.sink_temperature)
    coolers = jnp.maximum(plant.coolers, _LEAST_COUNT)
    return (fans + plant.chillers * machine / coolers) / plant.cooler.rated_fan_power


def _condition(speed: Float[Array, ""], known: tuple[Plant, _Task]) -> Float[Array, ""]:
    """What rises through zero at the fan speed to run at."""
    plant, task = known
    scale = jnp.maximum(task.wanted, _LEAST_HEAT)
    # warm air takes no heat, it is kept out
    beyond = (jnp.maximum(_dry_heat(plant, task, speed), 0.0) - task.wanted) / scale
    within = beyond + plant.chiller_capacity / scale
    _, slope = jax.jvp(lambda speed: _power(plant, task, speed), (speed,), (jnp.ones_like(speed),))
    return jnp.minimum(within, jnp.maximum(beyond, slope))


@jax.named_scope("heat rejection")
def reject(
    plant: Plant,
    *,
    mass_flow: Float[Array, ""],
    return_temperature: Float[Array, ""],
    set_point: Float[Array, ""],
) -> RejectionState:
    """What a plant makes of its return.

    **Arguments**: flow [kg/s] and temperature [K] of the return; `set_point` of the supply [K].
    """
    cooler, water = plant.cooler, plant.cooler.liquid
    return_enthalpy = water.specific_enthalpy(return_temperature)
    wanted = jnp.maximum(mass_flow * (return_enthalpy - water.specific_enthalpy(set_point)), 0.0)
    each = mass_flow / jnp.maximum(plant.coolers, _LEAST_COUNT)
    task = _Task(return_temperature, each, wanted, set_point)
    slowest = jnp.maximum(cooler.minimum_fan_speed, _LEAST_SPEED)
    least = jnp.broadcast_to(slowest, wanted.shape).astype(wanted.dtype)
    greatest = jnp.broadcast_to(cooler.maximum_fan_speed, wanted.shape).astype(wanted.dtype)
    shared = bracketed_root(_condition, least, greatest, (plant, task), tolerance=_SPEED_TOLERANCE)
    speed = jnp.where(wanted > 0.0, shared, least)
    dry = jnp.clip(_dry_heat(plant, task, speed), 0.0, wanted)
    taken = jnp.clip(wanted - dry, 0.0, plant.chiller_capacity)
    supply = water.temperature_at_enthalpy(return_enthalpy - (dry + taken) / mass_flow)
    # exhausted machines make warmer water than was asked for, and work against less lift
    machine = plant.chiller.power(taken / plant.some_chillers, supply, plant.sink_temperature)
    return RejectionState(
        supply_temperature=supply,
        return_temperature=return_temperature,
        mass_flow=mass_flow,
        heat=dry + taken,
        dry_cooler_heat=dry,
        chiller_heat=taken,
        fan_speed=speed,
        fan_power=plant.coolers * cooler.fan_power(plant.air_temperature, plant.air_pressure, speed),
        compressor_power=plant.chillers * machine,
    )
