r"""Coolant distribution unit: the plate exchanger between a row's technology loop and the facility water.

    Q = eps(NTU, C_r) C_min (T_s,in - T_f,in)      counterflow, C = m c_p at the mean of both inlet temperatures
    h_s,out = h_s(T_s,in) - Q / m_s,   h_f,out = h_f(T_f,in) + Q / m_f
    1/UA = 1/UA_0 [0.5 (m_s/m_s0)^-0.7 + 0.5 (m_f/m_f0)^-0.7]

| symbol | meaning                                                        | unit  |
|--------|----------------------------------------------------------------|-------|
| s, f   | secondary side (technology loop), facility side; 0 at rating   | -     |
| Q      | heat flow from the secondary to the facility side              | W     |
| h      | specific enthalpy of the liquid, exact integral of c_p         | J/kg  |
| UA     | conductance; UA_0 from the rated heat, flows and approach      | W/K   |

Sources: Kays and London (1984), table 2-2; exponent 0.7 of plate exchangers in turbulent flow, Shah and Sekulic,
Fundamentals of Heat Exchanger Design (2003), section 7.4. Outlets follow from enthalpies, so both sides carry the same
heat to round-off. Valid for single-phase liquids. Published 2 MW record: 31.5 kg/s and 32.3 kg/s, approach 3 K,
facility supply 26.8 degC (OCP, Project Deschutes).
"""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from voltherm.coolant.exchanger import ConductanceLaw, exchange_conductance, ntu_for_effectiveness
from voltherm.media import AbstractLiquid
from voltherm.numerics import bracketed_root
from voltherm.numerics.bounds import bounded, refuse_out_of_bounds

_PLATE_EXPONENT = 0.7
_LEAST_FLOW = 1e-9  # kg/s: a side without flow carries no heat and keeps its inlet temperature


class ExchangeState(eqx.Module):
    """Heat flow, W, from the secondary to the facility side, and both outlet temperatures, K; one shape."""

    heat_flow: Float[Array, "..."]
    secondary_outlet_temperature: Float[Array, "..."]
    facility_outlet_temperature: Float[Array, "..."]


class CoolantDistributionUnit(eqx.Module):
    """A CDU's exchanger. Build it with `from_rating`; all methods act elementwise on arrays of one shape.

    maximum_facility_mass_flow, minimum_facility_mass_flow, kg/s: what its control valve can pass.
    """

    secondary_liquid: AbstractLiquid
    facility_liquid: AbstractLiquid
    conductance: ConductanceLaw
    maximum_facility_mass_flow: Float[Array, "..."] = eqx.field(metadata=bounded("kg/s", above=0.0))
    minimum_facility_mass_flow: Float[Array, "..."] = eqx.field(metadata=bounded("kg/s", least=0.0))

    def __check_init__(self) -> None:
        refuse_out_of_bounds(self)

    @classmethod
    def from_rating(
        cls,
        secondary_liquid: AbstractLiquid,
        facility_liquid: AbstractLiquid,
        *,
        heat_flow: Float[Array, "..."],
        secondary_mass_flow: Float[Array, "..."],
        facility_mass_flow: Float[Array, "..."],
        facility_supply_temperature: Float[Array, "..."],
        approach: Float[Array, "..."],
        maximum_flow_ratio: float = 2.0,
        minimum_flow_ratio: float = 0.01,
    ) -> "CoolantDistributionUnit":
        """Unit that reproduces one rated point exactly.

        Heat, W, flows, kg/s, facility supply, K, and approach, K: secondary supply minus facility supply. The valve's
        range is given as ratios of the rated facility flow.
        """
        supply = facility_supply_temperature + approach
        supply_enthalpy = secondary_liquid.specific_enthalpy(supply)
        hot = secondary_liquid.temperature_at_enthalpy(supply_enthalpy + heat_flow / secondary_mass_flow)
        mean = 0.5 * (hot + facility_supply_temperature)
        secondary_rate = secondary_mass_flow * secondary_liquid.heat_capacity(mean)
        facility_rate = facility_mass_flow * facility_liquid.heat_capacity(mean)
        least, largest = jnp.minimum(secondary_rate, facility_rate), jnp.maximum(secondary_rate, facility_rate)
        reached = heat_flow / (least * (hot - facility_supply_temperature))
        rated = least * ntu_for_effectiveness(reached, least / largest, "counterflow")
        law = ConductanceLaw(
            nominal_conductance=rated,
            nominal_first_flow=secondary_mass_flow,
            nominal_second_flow=facility_mass_flow,
            first_exponent=_PLATE_EXPONENT,
            second_exponent=_PLATE_EXPONENT,
        )
        return cls(
            secondary_liquid,
            facility_liquid,
            law,
            maximum_flow_ratio * facility_mass_flow,
            minimum_flow_ratio * facility_mass_flow,
        )

    def heat_flow(
        self,
        secondary_inlet_temperature: Float[Array, "..."],
        facility_inlet_temperature: Float[Array, "..."],
        secondary_mass_flow: Float[Array, "..."],
        facility_mass_flow: Float[Array, "..."],
    ) -> Float[Array, "..."]:
        """Heat flow, W, from the secondary to the facility side; inlets, K, flows, kg/s, >= 0."""
        mean = 0.5 * (secondary_inlet_temperature + facility_inlet_temperature)
        conductance = self.conductance.conductance(secondary_mass_flow, facility_mass_flow)
        per_kelvin = exchange_conductance(
            conductance,
            secondary_mass_flow * self.secondary_liquid.heat_capacity(mean),
            facility_mass_flow * self.facility_liquid.heat_capacity(mean),
            "counterflow",
        )
        flowing = (secondary_mass_flow > _LEAST_FLOW) & (facility_mass_flow > _LEAST_FLOW)
        return jnp.where(flowing, per_kelvin, 0.0) * (secondary_inlet_temperature - facility_inlet_temperature)

    def exchange(
        self,
        secondary_inlet_temperature: Float[Array, "..."],
        facility_inlet_temperature: Float[Array, "..."],
        secondary_mass_flow: Float[Array, "..."],
        facility_mass_flow: Float[Array, "..."],
    ) -> ExchangeState:
        """Heat flow and both outlet temperatures; inlets, K, flows, kg/s, >= 0."""
        heat = self.heat_flow(
            secondary_inlet_temperature, facility_inlet_temperature, secondary_mass_flow, facility_mass_flow
        )
        secondary = self.secondary_liquid.specific_enthalpy(secondary_inlet_temperature)
        facility = self.facility_liquid.specific_enthalpy(facility_inlet_temperature)
        return ExchangeState(
            heat_flow=heat,
            secondary_outlet_temperature=self.secondary_liquid.temperature_at_enthalpy(
                secondary - heat / jnp.maximum(secondary_mass_flow, _LEAST_FLOW)
            ),
            facility_outlet_temperature=self.facility_liquid.temperature_at_enthalpy(
                facility + heat / jnp.maximum(facility_mass_flow, _LEAST_FLOW)
            ),
        )

    def facility_mass_flow_for(
        self,
        supply_set_point: Float[Array, "..."],
        secondary_inlet_temperature: Float[Array, "..."],
        facility_inlet_temperature: Float[Array, "..."],
        secondary_mass_flow: Float[Array, "..."],
    ) -> Float[Array, "..."]:
        """Facility flow, kg/s, that brings the secondary outlet to the set point, K; the valve's end where none does.

        At an end the derivative is that of the end: the set point has no hold on the flow there.
        """
        wanted = secondary_mass_flow * (
            self.secondary_liquid.specific_enthalpy(secondary_inlet_temperature)
            - self.secondary_liquid.specific_enthalpy(supply_set_point)
        )
        shape = jnp.shape(wanted)

        def excess(facility_mass_flow, known):
            unit, hot, cold, secondary, wanted = known
            return unit.heat_flow(hot, cold, secondary, facility_mass_flow) - wanted

        largest = jnp.broadcast_to(self.maximum_facility_mass_flow, shape)
        flow = bracketed_root(
            excess,
            jnp.broadcast_to(self.minimum_facility_mass_flow, shape),
            largest,
            (self, secondary_inlet_temperature, facility_inlet_temperature, secondary_mass_flow, wanted),
            tolerance=1e-14,
        )
        # facility water warmer than what it shall cool: heat flows the wrong way, and the least flow is no answer
        return jnp.where((wanted > 0.0) & (facility_inlet_temperature >= secondary_inlet_temperature), largest, flow)
