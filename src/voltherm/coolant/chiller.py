r"""Chiller: a share of Carnot's efficiency inside an envelope, published part load, staging of equal machines.

    T_e = min(T_w - a_e, T_e,max),   T_c = min(T_sink + a_c, T_c,max)
    COP_0 = min(eta T_e / max(T_c - T_e, lift_min), COP_max)
    x_max = (T_c,max - T_sink) / a_c clipped to 0 .. 1,   Q = min(Q_wanted, x_max Q_0)
    y = max(Q / Q_0, y_min, sqrt(c_0 / c_2)),   P = Q (c_0 / y + c_1 + c_2 y) / (c_0 + c_1 + c_2) / COP_0

| symbol          | meaning                                                                          | unit |
|-----------------|----------------------------------------------------------------------------------|------|
| Q, Q_0          | heat from the water, capacity inside the envelope                                | W    |
| T_w, T_sink     | water supplied; air at the condenser, or water leaving it                        | K    |
| T_e, T_c        | evaporating and condensing temperature                                           | K    |
| a_e, a_c        | approaches at full load                                                          | K    |
| eta             | share of Carnot's efficiency at full load; air-cooled: condenser fans included   | -    |
| y, y_min        | load of the machines that run over their capacity, least load of a machine       | -    |
| c               | part-load coefficients of the energy input                                       | -    |

**Envelope.** Water warmer than the evaporator may make is mixed: the evaporator leaves a part of the flow colder, a
bypass mixes. At a warm condenser the machine unloads, since the approach falls with the load, until nothing is left at
T_sink = T_c,max; a trip on high pressure is that end. A lift below lift_min is made up by holding the condensing
temperature up. Limits of evaporation, lift and COP are smooth, never beyond the limit; the capacity has corners.

**Part load.** DOE-2's EIR-FPLR at constant temperatures: the relief of both approaches at part load is in the curve, so
the lift has them at full load. c_0 / y + c_1 + c_2 y is least at y = sqrt(c_0 / c_2): of a bank of equal machines as
many run as keep at that load or above, so that power rises convexly from zero with the heat.

Sources: Carnot model, Buildings library (Wetter et al., 2014, `Chillers.Carnot_TEva`); form of the part load, Hydeman
and Gillespie, ASHRAE Trans. 108 (2002), eq. 3; its coefficients, DOE-2 default curves as printed in the National Energy
Code of Canada for Buildings (2020), 8.4.5.5; power input with the condenser fans, AHRI 550/590. Valid for steady
operation; the capacity is that at the design temperatures.
"""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from voltherm.numerics import smooth_maximum, smooth_minimum
from voltherm.numerics.bounds import bounded, refuse_out_of_bounds

_BOUND_WIDTH = 0.02
_EVAPORATING_WIDTH = 0.5  # K

AIR_COOLED_SCREW = (0.03648722, 0.73474298, 0.21994748)
"""Part load of an air-cooled screw chiller."""
WATER_COOLED_CENTRIFUGAL = (0.17149273, 0.58820208, 0.23737257)
"""Part load of a water-cooled centrifugal chiller."""


class ChillerState(eqx.Module):
    """Heat taken from the water, W, heat it could not take, W, compressor power, W, COP, -, heat to the sink, W; one
    shape.
    """

    heat_flow: Float[Array, "..."]
    unmet_heat_flow: Float[Array, "..."]
    power: Float[Array, "..."]
    coefficient_of_performance: Float[Array, "..."]
    condenser_heat_flow: Float[Array, "..."]


class Chiller(eqx.Module):
    """One chiller of a bank of equal ones; all methods act elementwise on arrays of one shape.

    capacity, W, and carnot_fraction, -, at full load; approaches, K, of evaporation to the water supplied and of
    condensation to the sink; maximum_performance, bound of the COP; least_lift, K; highest_evaporating_temperature,
    highest_condensing_temperature, K; least_load of a machine that runs, -; part_load: c_0, c_1, c_2.
    """

    capacity: Float[Array, "..."] = eqx.field(metadata=bounded("W", above=0.0))
    carnot_fraction: Float[Array, "..."] = eqx.field(metadata=bounded("", above=0.0, most=1.0))
    evaporator_approach: Float[Array, "..."] | float = eqx.field(default=3.0, metadata=bounded("K", least=0.0))
    condenser_approach: Float[Array, "..."] | float = eqx.field(default=14.0, metadata=bounded("K", above=0.0))
    maximum_performance: Float[Array, "..."] | float = eqx.field(default=12.0, metadata=bounded("", above=0.0))
    least_lift: Float[Array, "..."] | float = eqx.field(default=15.0, metadata=bounded("K", above=0.0))
    highest_evaporating_temperature: Float[Array, "..."] | float = eqx.field(
        default=298.15, metadata=bounded("K", above=0.0)
    )
    highest_condensing_temperature: Float[Array, "..."] | float = eqx.field(
        default=333.15, metadata=bounded("K", above=0.0)
    )
    least_load: Float[Array, "..."] | float = eqx.field(default=0.25, metadata=bounded("", least=0.0, most=1.0))
    part_load: tuple[float, float, float] = eqx.field(static=True, default=AIR_COOLED_SCREW)

    def __check_init__(self) -> None:
        refuse_out_of_bounds(self)

    def evaporating_temperature(self, water_outlet_temperature: Float[Array, "..."]) -> Float[Array, "..."]:
        """Evaporating temperature, K, for water supplied at a temperature, K."""
        wanted = water_outlet_temperature - self.evaporator_approach
        return smooth_minimum(wanted, self.highest_evaporating_temperature, _EVAPORATING_WIDTH)

    def full_load_performance(
        self, water_outlet_temperature: Float[Array, "..."], sink_temperature: Float[Array, "..."]
    ) -> Float[Array, "..."]:
        """COP before the part-load factor, -, at the water supplied and the sink, K."""
        evaporating = self.evaporating_temperature(water_outlet_temperature)
        condensing = jnp.minimum(sink_temperature + self.condenser_approach, self.highest_condensing_temperature)
        lift = smooth_maximum(condensing - evaporating, self.least_lift, _BOUND_WIDTH * self.least_lift)
        ideal = self.carnot_fraction * evaporating / lift
        return smooth_minimum(ideal, self.maximum_performance, _BOUND_WIDTH * self.maximum_performance)

    def available_capacity(self, sink_temperature: Float[Array, "..."]) -> Float[Array, "..."]:
        """Heat, W, that the envelope leaves at a sink temperature, K; zero where it is as warm as condensing may be."""
        room = (self.highest_condensing_temperature - sink_temperature) / self.condenser_approach
        return self.capacity * jnp.clip(room, 0.0, 1.0)

    def power(
        self,
        heat_flow: Float[Array, "..."],
        water_outlet_temperature: Float[Array, "..."],
        sink_temperature: Float[Array, "..."],
    ) -> Float[Array, "..."]:
        """Power, W, at a heat flow, W, whatever the capacity: convex, and through zero by a straight line."""
        constant, linear, square = self.part_load
        best = (constant / square) ** 0.5 if square > 0.0 else 0.0
        load = jnp.maximum(heat_flow / self.capacity, jnp.maximum(self.least_load, best))
        factor = (constant / load + linear + square * load) / (constant + linear + square)
        return heat_flow * factor / self.full_load_performance(water_outlet_temperature, sink_temperature)

    def operate(
        self,
        heat_flow: Float[Array, "..."],
        water_outlet_temperature: Float[Array, "..."],
        sink_temperature: Float[Array, "..."],
    ) -> ChillerState:
        """State at a wanted heat flow, W, >= 0; beyond the available capacity the rest is `unmet_heat_flow`."""
        taken = jnp.clip(heat_flow, 0.0, self.available_capacity(sink_temperature))
        power = self.power(taken, water_outlet_temperature, sink_temperature)
        # power per heat is the same from no load up to the least
        some = jnp.maximum(taken, 1e-6 * self.capacity)
        performance = some / self.power(some, water_outlet_temperature, sink_temperature)
        return ChillerState(taken, jnp.maximum(heat_flow - taken, 0.0), power, performance, taken + power)
