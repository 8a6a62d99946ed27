"""Heat exchange in the CDUs of a building: what facility flow the set point needs, and what the flow found gives.

    T_hot = T_f + Q / (ε C_min),   h(T_supply) = h(T_hot) - Q/m_s,   h(T_return) = h(T_hot) - P_pump/m_s

| symbol | meaning | unit |
| --- | --- | --- |
| Q | heat of the row's racks and of its pump's shaft | W |
| T_hot | secondary entering the exchanger: return, warmed by the pump | K |
| T_f | facility water supply | K |
| ε C_min | heat per kelvin between the inlets, of `voltherm.coolant.cdu` | W/K |

The heat is known from the racks and the temperatures follow, so that a valve at its limit floats the supply in one
step.
"""

import equinox as eqx
from jaxtyping import Array, Float

from voltherm.coolant import CoolantDistributionUnit, exchange_conductance
from voltherm.site.sections import Scalar


class RowExchange(eqx.Module):
    """Both sides of every CDU at a facility flow: temperatures [K] and heat [W]."""

    heat: Float[Array, "row"]
    supply_temperature: Float[Array, "row"]
    return_temperature: Float[Array, "row"]
    facility_return_temperature: Float[Array, "row"]


class CduDemand(eqx.Module):
    """CDUs whose secondary side is known.

    `heat` of racks and pump shaft, `pump_heat` of the shaft alone [W]; secondary flow [kg/s]; `hot_temperature`: of the
    coolant entering the exchanger when the set point is held [K]; facility supply and set point [K].
    """

    unit: CoolantDistributionUnit
    heat: Float[Array, "row"]
    pump_heat: Float[Array, "row"]
    secondary_mass_flow: Float[Array, "row"]
    hot_temperature: Float[Array, "row"]
    facility_supply_temperature: Scalar
    set_point: Scalar

    @classmethod
    def at_set_point(
        cls,
        unit: CoolantDistributionUnit,
        heat: Float[Array, "row"],
        pump_heat: Float[Array, "row"],
        secondary_mass_flow: Float[Array, "row"],
        facility_supply_temperature: Scalar,
        set_point: Scalar,
    ) -> "CduDemand":
        """The demand that heat [W] and flow [kg/s] make when the supply is at its set point [K]."""
        coolant = unit.secondary_liquid
        hot = coolant.temperature_at_enthalpy(coolant.specific_enthalpy(set_point) + heat / secondary_mass_flow)
        return cls(unit, heat, pump_heat, secondary_mass_flow, hot, facility_supply_temperature, set_point)

    def needed_facility_flow(self) -> Float[Array, "row"]:
        """Facility flow that holds the set point [kg/s]; the unit's largest where none does."""
        return self.unit.facility_mass_flow_for(
            self.set_point, self.hot_temperature, self.facility_supply_temperature, self.secondary_mass_flow
        )

    def at_facility_flow(self, mass_flow: Float[Array, "row"]) -> RowExchange:
        """Temperatures at which this facility flow [kg/s] carries the heat."""
        unit, cold = self.unit, self.facility_supply_temperature
        coolant, water = unit.secondary_liquid, unit.facility_liquid
        mean = 0.5 * (self.hot_temperature + cold)
        per_kelvin = exchange_conductance(
            unit.conductance.conductance(self.secondary_mass_flow, mass_flow),
            self.secondary_mass_flow * coolant.heat_capacity(mean),
            mass_flow * water.heat_capacity(mean),
            "counterflow",
        )
        hot_enthalpy = coolant.specific_enthalpy(cold + self.heat / per_kelvin)
        return RowExchange(
            heat=self.heat,
            supply_temperature=coolant.temperature_at_enthalpy(hot_enthalpy - self.heat / self.secondary_mass_flow),
            return_temperature=coolant.temperature_at_enthalpy(
                hot_enthalpy - self.pump_heat / self.secondary_mass_flow
            ),
            facility_return_temperature=water.temperature_at_enthalpy(
                water.specific_enthalpy(cold) + self.heat / mass_flow
            ),
        )
