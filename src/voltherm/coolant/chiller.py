r"""Air-cooled chiller: a share of Carnot's efficiency between approach temperatures, with part load and limits.

    T_evap = T_water,out - a_e x,   T_cond = T_air + a_c x,   x = Q / Q_0
    COP_full = min(eta T_evap / max(T_cond - T_evap, lift_min), COP_max)
    P = Q (c_0 + c_1 x + c_2 x^2) / COP_full,   c_0 + c_1 + c_2 = 1

| symbol   | meaning                                                        | unit |
|----------|----------------------------------------------------------------|------|
| Q, Q_0   | heat from the chilled water, capacity                          | W    |
| x        | part-load ratio, 0 to 1                                        | -    |
| a_e, a_c | evaporator and condenser approach at full load                 | K    |
| eta      | share of the Carnot efficiency, of the machine with its fans   | -    |
| c        | part-load coefficients of the energy input ratio per heat      | -    |

Sources: the Carnot model of the Buildings library (Wetter et al., 2014, `Chillers.Carnot_TEva`); part load in the form
of DOE-2 (Hydeman and Gillespie, ASHRAE Trans. 108, 2002, eq. 3) divided by x, so that no load takes no power. Both
bounds of the COP are smooth over 5 % of the bound. Valid for steady operation; cycling losses belong in the
coefficients.
"""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from voltherm.numerics import smooth_maximum, smooth_minimum

_BOUND_WIDTH = 0.05


class ChillerState(eqx.Module):
    """Heat taken from the water, W, heat it could not take, W, compressor power, W, COP, -, heat to the air, W; one
    shape.
    """

    heat_flow: Float[Array, "..."]
    unmet_heat_flow: Float[Array, "..."]
    power: Float[Array, "..."]
    coefficient_of_performance: Float[Array, "..."]
    condenser_heat_flow: Float[Array, "..."]


class AirCooledChiller(eqx.Module):
    """One chiller; all methods act elementwise on arrays of one shape.

    capacity, W; carnot_fraction, -; evaporator_approach, condenser_approach, K; maximum_performance, bound of the COP;
    least_lift, K; part_load: c_0, c_1, c_2, which add up to 1.
    """

    capacity: Float[Array, "..."]
    carnot_fraction: Float[Array, "..."]
    evaporator_approach: Float[Array, "..."] | float = 3.0
    condenser_approach: Float[Array, "..."] | float = 14.0
    maximum_performance: Float[Array, "..."] | float = 12.0
    least_lift: Float[Array, "..."] | float = 5.0
    part_load: tuple[float, float, float] = eqx.field(static=True, default=(1.0, 0.0, 0.0))

    def full_load_performance(
        self,
        water_outlet_temperature: Float[Array, "..."],
        air_temperature: Float[Array, "..."],
        part_load_ratio: Float[Array, "..."],
    ) -> Float[Array, "..."]:
        """COP before the part-load factor, -, at the leaving water and the ambient air, K."""
        evaporating = water_outlet_temperature - self.evaporator_approach * part_load_ratio
        condensing = air_temperature + self.condenser_approach * part_load_ratio
        lift = smooth_maximum(condensing - evaporating, self.least_lift, _BOUND_WIDTH * self.least_lift)
        ideal = self.carnot_fraction * evaporating / lift
        return smooth_minimum(ideal, self.maximum_performance, _BOUND_WIDTH * self.maximum_performance)

    def operate(
        self,
        heat_flow: Float[Array, "..."],
        water_outlet_temperature: Float[Array, "..."],
        air_temperature: Float[Array, "..."],
    ) -> ChillerState:
        """State at a wanted heat flow, W, >= 0; beyond the capacity the rest is `unmet_heat_flow`."""
        taken = jnp.clip(heat_flow, 0.0, self.capacity)
        ratio = taken / self.capacity
        first, second, third = self.part_load
        factor = first + ratio * (second + ratio * third)
        performance = self.full_load_performance(water_outlet_temperature, air_temperature, ratio) / factor
        power = taken / performance
        return ChillerState(taken, jnp.maximum(heat_flow - taken, 0.0), power, performance, taken + power)
