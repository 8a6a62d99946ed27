r"""Air handler: a chilled-water coil and a fan that hold the air side of a hall.

    Q = eps(NTU, C_r) C_min (T_air,in - T_w,in)       counterflow, sensible heat only
    T_supply = T_air,in - (Q - P_fan) / (m_air c_p),   P_fan = dp_0 V_0 / eta (V/V_0)^3
    1/UA = 1/UA_0 [s_a (V/V_0)^-0.6 + (1 - s_a) (m_w/m_w0)^-0.8]

| symbol  | meaning                                                          | unit  |
|---------|------------------------------------------------------------------|-------|
| V, V_0  | volume flow of air, at rating                                    | m3/s  |
| dp_0    | fan pressure at rating                                           | Pa    |
| eta     | fan efficiency with motor and drive                              | -     |
| s_a     | share of the thermal resistance on the air side at rating, 0.7   | -     |
| m_w     | mass flow of chilled water                                       | kg/s  |

Sources: Kays and London (1984), table 2-2 and chapter 10; fan laws, ASHRAE Handbook, HVAC Systems and Equipment
(2020), chapter 21. The fan stands behind the coil and all its power warms the air. Valid while the coil stays dry:
water inlet above the air's dew point.
"""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from voltherm.coolant.exchanger import ConductanceLaw, exchange_conductance, ntu_for_effectiveness
from voltherm.media import AbstractLiquid, dry_air
from voltherm.numerics import bracketed_root
from voltherm.numerics.bounds import bounded, refuse_out_of_bounds

_AIR_EXPONENT = 0.6
_WATER_EXPONENT = 0.8
_AIR_SHARE = 0.7
_LEAST_FLOW = 1e-9


class AirHandlerState(eqx.Module):
    """Heat to the water, W, supply air behind the fan and water outlet, K, fan power, W; one shape."""

    heat_flow: Float[Array, "..."]
    supply_air_temperature: Float[Array, "..."]
    water_outlet_temperature: Float[Array, "..."]
    fan_power: Float[Array, "..."]


class AirHandler(eqx.Module):
    """One air handler. Build it with `from_rating`; all methods act elementwise on arrays of one shape.

    `rated_air_flow` [m3/s] at `rated_fan_power` [W]; largest and smallest water flow of its valve [kg/s].
    """

    liquid: AbstractLiquid
    conductance: ConductanceLaw
    rated_air_flow: Float[Array, "..."] = eqx.field(metadata=bounded("m3/s", above=0.0))
    rated_fan_power: Float[Array, "..."] = eqx.field(metadata=bounded("W", least=0.0))
    maximum_water_mass_flow: Float[Array, "..."] = eqx.field(metadata=bounded("kg/s", above=0.0))
    minimum_water_mass_flow: Float[Array, "..."] = eqx.field(metadata=bounded("kg/s", least=0.0))

    def __check_init__(self) -> None:
        refuse_out_of_bounds(self)

    @classmethod
    def from_rating(
        cls,
        liquid: AbstractLiquid,
        *,
        heat_flow: Float[Array, "..."],
        air_flow: Float[Array, "..."],
        water_mass_flow: Float[Array, "..."],
        air_inlet_temperature: Float[Array, "..."],
        water_inlet_temperature: Float[Array, "..."],
        fan_pressure: Float[Array, "..."],
        fan_efficiency: Float[Array, "..."],
        air_pressure: Float[Array, "..."],
        maximum_flow_ratio: float = 1.5,
        minimum_flow_ratio: float = 0.01,
    ) -> "AirHandler":
        """Handler that reproduces one rated coil point exactly: heat, W, air, m3/s, water, kg/s, inlets, K, pressures,
        Pa.
        """
        mean = 0.5 * (air_inlet_temperature + water_inlet_temperature)
        air_mass_flow = air_flow * dry_air.density(air_inlet_temperature, air_pressure)
        air_rate = air_mass_flow * dry_air.heat_capacity(mean)
        water_rate = water_mass_flow * liquid.heat_capacity(mean)
        least, largest = jnp.minimum(air_rate, water_rate), jnp.maximum(air_rate, water_rate)
        reached = heat_flow / (least * (air_inlet_temperature - water_inlet_temperature))
        law = ConductanceLaw(
            nominal_conductance=least * ntu_for_effectiveness(reached, least / largest, "counterflow"),
            nominal_first_flow=air_mass_flow,
            nominal_second_flow=water_mass_flow,
            first_share=_AIR_SHARE,
            second_share=1.0 - _AIR_SHARE,
            first_exponent=_AIR_EXPONENT,
            second_exponent=_WATER_EXPONENT,
        )
        return cls(
            liquid,
            law,
            air_flow,
            fan_pressure * air_flow / fan_efficiency,
            maximum_flow_ratio * water_mass_flow,
            minimum_flow_ratio * water_mass_flow,
        )

    def operate(
        self,
        air_inlet_temperature: Float[Array, "..."],
        air_mass_flow: Float[Array, "..."],
        water_inlet_temperature: Float[Array, "..."],
        water_mass_flow: Float[Array, "..."],
        air_pressure: Float[Array, "..."],
    ) -> AirHandlerState:
        """State at given inlets, K, mass flows, kg/s, and air pressure, Pa absolute."""
        mean = 0.5 * (air_inlet_temperature + water_inlet_temperature)
        air_rate = air_mass_flow * dry_air.heat_capacity(mean)
        per_kelvin = exchange_conductance(
            self.conductance.conductance(air_mass_flow, water_mass_flow),
            air_rate,
            water_mass_flow * self.liquid.heat_capacity(mean),
            "counterflow",
        )
        flowing = (air_mass_flow > _LEAST_FLOW) & (water_mass_flow > _LEAST_FLOW)
        heat = jnp.where(flowing, per_kelvin, 0.0) * (air_inlet_temperature - water_inlet_temperature)
        volume_flow = air_mass_flow / dry_air.density(air_inlet_temperature, air_pressure)
        fan_power = self.rated_fan_power * (volume_flow / self.rated_air_flow) ** 3
        enthalpy = self.liquid.specific_enthalpy(water_inlet_temperature)
        return AirHandlerState(
            heat_flow=heat,
            supply_air_temperature=air_inlet_temperature - (heat - fan_power) / jnp.maximum(air_rate, _LEAST_FLOW),
            water_outlet_temperature=self.liquid.temperature_at_enthalpy(
                enthalpy + heat / jnp.maximum(water_mass_flow, _LEAST_FLOW)
            ),
            fan_power=fan_power,
        )

    def water_mass_flow_for(
        self,
        supply_set_point: Float[Array, "..."],
        air_inlet_temperature: Float[Array, "..."],
        air_mass_flow: Float[Array, "..."],
        water_inlet_temperature: Float[Array, "..."],
        air_pressure: Float[Array, "..."],
    ) -> Float[Array, "..."]:
        """Water flow, kg/s, that brings the supply air to the set point, K; the valve's end where none does."""
        shape = jnp.shape(supply_set_point)

        def excess(water_mass_flow, known):
            handler, set_point, air_inlet, air_flow, water_inlet, pressure = known
            state = handler.operate(air_inlet, air_flow, water_inlet, water_mass_flow, pressure)
            return set_point - state.supply_air_temperature

        largest = jnp.broadcast_to(self.maximum_water_mass_flow, shape)
        flow = bracketed_root(
            excess,
            jnp.broadcast_to(self.minimum_water_mass_flow, shape),
            largest,
            (
                self,
                supply_set_point,
                air_inlet_temperature,
                air_mass_flow,
                water_inlet_temperature,
                air_pressure,
            ),
            tolerance=1e-14,
        )
        # water warmer than the air it shall cool: heat flows the wrong way, and the least flow is no answer
        wanted = supply_set_point < air_inlet_temperature
        return jnp.where(wanted & (water_inlet_temperature >= air_inlet_temperature), largest, flow)
