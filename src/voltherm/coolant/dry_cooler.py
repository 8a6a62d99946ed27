r"""Dry cooler: coolant in finned tubes, ambient air drawn across by variable-speed fans. No water is evaporated.

    Q = eps(NTU, C_r) C_min (T_in - T_air),   1/UA = 1/UA_0 [s_a (V/V_0)^-0.6 + (1 - s_a) (m/m_0)^-0.8]
    air: m_air = rho_air(T_air, p) V_0 w,   fans: P = P_0 w^3 rho_air / rho_air,0,   w_min <= w <= w_max

| symbol   | meaning                                                                   | unit   |
|----------|---------------------------------------------------------------------------|--------|
| w        | fan speed over rated speed                                                | -      |
| V_0, P_0 | air flow and fan power at rated speed                                     | m3/s, W |
| s_a      | share of the thermal resistance on the air side at rating, 0.7            | -      |
| m        | coolant mass flow                                                         | kg/s   |

Sources: crossflow effectiveness, both streams unmixed, Incropera et al. (7th ed.), eq. 11.32; exponent 0.6 of air over
finned tubes, Kays and London (1984), chapter 10 (0.5 to 0.8); fan laws, ASHRAE Handbook, HVAC Systems and Equipment
(2020), chapter 21. A record that gives fan power but no air flow is completed by V_0 = P_0 eta / dp with the fans'
total efficiency and pressure (`air_flow_of_fans`). Published record: 2,931 kW, coolant 46.1 to 40.6 degC at 35 degC
air, fans 117.7 kW (BAC TDFS1238N). Natural draught with stopped fans is left out: w_min > 0.
"""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from voltherm.coolant.exchanger import Arrangement, ConductanceLaw, exchange_conductance, ntu_for_effectiveness
from voltherm.media import AbstractLiquid, dry_air
from voltherm.numerics import bracketed_root
from voltherm.numerics.bounds import bounded, refuse_out_of_bounds

_AIR_EXPONENT = 0.6
_COOLANT_EXPONENT = 0.8
_AIR_SHARE = 0.7
_ARRANGEMENT: Arrangement = "crossflow_unmixed_approx"
_LEAST_FLOW = 1e-9
_STANDARD_PRESSURE = 101325.0
_FAN_PRESSURE = 180.0  # Pa
_FAN_EFFICIENCY = 0.55


def air_flow_of_fans(fan_power: Float[Array, "..."]) -> Float[Array, "..."]:
    """Air flow, m3/s, of fans that take a power, W, at rating: 180 Pa at 55 % total efficiency, where a data sheet
    does not give it.
    """
    return fan_power * _FAN_EFFICIENCY / _FAN_PRESSURE


class DryCoolerState(eqx.Module):
    """Heat rejected, W, coolant outlet and air outlet temperatures, K, fan power, W, relative fan speed, -."""

    heat_flow: Float[Array, "..."]
    coolant_outlet_temperature: Float[Array, "..."]
    air_outlet_temperature: Float[Array, "..."]
    fan_power: Float[Array, "..."]
    fan_speed: Float[Array, "..."]


class DryCooler(eqx.Module):
    """One dry cooler. Build it from a data record with `from_rating`; all methods act elementwise on arrays of one
    shape.

    `rated_air_flow` [m3/s] at `rated_air_density` [kg/m3] and `rated_fan_power` [W]; fan speeds over rated speed [-].
    """

    liquid: AbstractLiquid
    conductance: ConductanceLaw
    rated_air_flow: Float[Array, "..."] = eqx.field(metadata=bounded("m3/s", above=0.0))
    rated_air_density: Float[Array, "..."] = eqx.field(metadata=bounded("kg/m3", above=0.0))
    rated_fan_power: Float[Array, "..."] = eqx.field(metadata=bounded("W", above=0.0))
    minimum_fan_speed: Float[Array, "..."] = eqx.field(metadata=bounded("", least=0.0))
    maximum_fan_speed: Float[Array, "..."] | float = eqx.field(default=1.0, metadata=bounded("", above=0.0))

    def __check_init__(self) -> None:
        refuse_out_of_bounds(self)

    @classmethod
    def from_rating(
        cls,
        liquid: AbstractLiquid,
        *,
        heat_flow: Float[Array, "..."],
        coolant_inlet_temperature: Float[Array, "..."],
        coolant_outlet_temperature: Float[Array, "..."],
        air_temperature: Float[Array, "..."],
        fan_power: Float[Array, "..."],
        minimum_fan_speed: Float[Array, "..."],
        maximum_fan_speed: Float[Array, "..."] | float = 1.0,
        air_flow: Float[Array, "..."] | None = None,
        air_pressure: float = _STANDARD_PRESSURE,
    ) -> "DryCooler":
        """Cooler that reproduces one rated point exactly: heat, W, temperatures, K, fan power, W, and air flow, m3/s,
        by default what such fans move. Fan speeds are relative to that point."""
        fall = liquid.specific_enthalpy(coolant_inlet_temperature) - liquid.specific_enthalpy(
            coolant_outlet_temperature
        )
        mass_flow = heat_flow / fall
        air_flow = air_flow_of_fans(fan_power) if air_flow is None else air_flow
        air_density = dry_air.density(air_temperature, jnp.full_like(air_temperature, air_pressure))
        mean = 0.5 * (coolant_inlet_temperature + air_temperature)
        coolant_rate = mass_flow * liquid.heat_capacity(mean)
        air_rate = air_density * air_flow * dry_air.heat_capacity(mean)
        least, largest = jnp.minimum(coolant_rate, air_rate), jnp.maximum(coolant_rate, air_rate)
        reached = heat_flow / (least * (coolant_inlet_temperature - air_temperature))
        law = ConductanceLaw(
            nominal_conductance=least * ntu_for_effectiveness(reached, least / largest, _ARRANGEMENT),
            nominal_first_flow=air_flow * air_density,
            nominal_second_flow=mass_flow,
            first_share=_AIR_SHARE,
            second_share=1.0 - _AIR_SHARE,
            first_exponent=_AIR_EXPONENT,
            second_exponent=_COOLANT_EXPONENT,
        )
        return cls(liquid, law, air_flow, air_density, fan_power, minimum_fan_speed, maximum_fan_speed)

    def heat_flow(
        self,
        coolant_inlet_temperature: Float[Array, "..."],
        coolant_mass_flow: Float[Array, "..."],
        air_temperature: Float[Array, "..."],
        air_pressure: Float[Array, "..."],
        fan_speed: Float[Array, "..."],
    ) -> Float[Array, "..."]:
        """Heat to the air, W, at a relative fan speed; negative where the air is warmer than the coolant."""
        mean = 0.5 * (coolant_inlet_temperature + air_temperature)
        air_mass_flow = dry_air.density(air_temperature, air_pressure) * self.rated_air_flow * fan_speed
        per_kelvin = exchange_conductance(
            self.conductance.conductance(air_mass_flow, coolant_mass_flow),
            air_mass_flow * dry_air.heat_capacity(mean),
            coolant_mass_flow * self.liquid.heat_capacity(mean),
            _ARRANGEMENT,
        )
        flowing = coolant_mass_flow > _LEAST_FLOW
        return jnp.where(flowing, per_kelvin, 0.0) * (coolant_inlet_temperature - air_temperature)

    def fan_power(
        self,
        air_temperature: Float[Array, "..."],
        air_pressure: Float[Array, "..."],
        fan_speed: Float[Array, "..."],
    ) -> Float[Array, "..."]:
        """Fan power, W, at a relative fan speed in air of this temperature, K, and pressure, Pa absolute."""
        density = dry_air.density(air_temperature, air_pressure)
        return self.rated_fan_power * fan_speed**3 * density / self.rated_air_density

    def operate(
        self,
        coolant_inlet_temperature: Float[Array, "..."],
        coolant_mass_flow: Float[Array, "..."],
        air_temperature: Float[Array, "..."],
        air_pressure: Float[Array, "..."],
        fan_speed: Float[Array, "..."],
    ) -> DryCoolerState:
        """State at a relative fan speed: inlet, K, flow, kg/s, of one cooler, air, K, and its pressure, Pa absolute."""
        heat = self.heat_flow(coolant_inlet_temperature, coolant_mass_flow, air_temperature, air_pressure, fan_speed)
        air_density = dry_air.density(air_temperature, air_pressure)
        air_rate = air_density * self.rated_air_flow * fan_speed * dry_air.heat_capacity(air_temperature)
        enthalpy = self.liquid.specific_enthalpy(coolant_inlet_temperature)
        return DryCoolerState(
            heat_flow=heat,
            coolant_outlet_temperature=self.liquid.temperature_at_enthalpy(
                enthalpy - heat / jnp.maximum(coolant_mass_flow, _LEAST_FLOW)
            ),
            air_outlet_temperature=air_temperature + heat / air_rate,
            fan_power=self.fan_power(air_temperature, air_pressure, fan_speed),
            fan_speed=fan_speed,
        )

    def fan_speed_for(
        self,
        leaving_set_point: Float[Array, "..."],
        coolant_inlet_temperature: Float[Array, "..."],
        coolant_mass_flow: Float[Array, "..."],
        air_temperature: Float[Array, "..."],
        air_pressure: Float[Array, "..."],
    ) -> Float[Array, "..."]:
        """Relative fan speed that brings the coolant to the set point, K; least or greatest speed where none does."""
        wanted = coolant_mass_flow * (
            self.liquid.specific_enthalpy(coolant_inlet_temperature) - self.liquid.specific_enthalpy(leaving_set_point)
        )
        lowest = jnp.broadcast_to(self.minimum_fan_speed, jnp.shape(wanted))

        def excess(fan_speed, known):
            cooler, inlet, mass_flow, air, pressure, wanted = known
            return cooler.heat_flow(inlet, mass_flow, air, pressure, fan_speed) - wanted

        speed = bracketed_root(
            excess,
            lowest,
            jnp.broadcast_to(self.maximum_fan_speed, jnp.shape(wanted)).astype(lowest.dtype),
            (self, coolant_inlet_temperature, coolant_mass_flow, air_temperature, air_pressure, wanted),
            tolerance=1e-14,
        )
        return jnp.where(wanted > 0.0, speed, lowest)
