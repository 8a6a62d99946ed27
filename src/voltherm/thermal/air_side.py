r"""Air-cooled parts of a rack: memory, network cards, regulators, power shelves, and the fans that cool them.

    Q_air = f P_components + P_steady + P_fans
    T_out = T_in + Q_air / (rho c V),    T_component = T_in + f R P_components

| symbol       | meaning                                                              | unit     |
|--------------|----------------------------------------------------------------------|----------|
| Q_air        | heat given to the air                                                | W        |
| P_components | power of the parts that follow the load, f the load factor           | W        |
| P_steady     | power of the parts that do not                                       | W        |
| P_fans       | fan power at the nominal air flow                                    | W        |
| R            | hottest component over inlet air, per watt of P_components           | K/W      |
| rho, c, V    | density, heat capacity and volume flow of the air                    | kg/m3, J/(kg K), m3/s |

Source: enthalpy balance; inlet limits of the ASHRAE classes, Thermal Guidelines for Data Processing Environments, 5th
ed. (2021). Range: air flow above zero; a lumped component, no recirculation inside the rack.
"""

import equinox as eqx
from jaxtyping import Array, Float

from voltherm.numerics.bounds import bounded, refuse_out_of_bounds

ASHRAE_INLET_LIMIT = {"A1": 305.15, "A2": 308.15, "A3": 313.15, "A4": 318.15, "H1": 298.15}
"""Highest allowable inlet air temperature [K] of each ASHRAE class of equipment."""


class AirSide(eqx.Module):
    """The air-cooled parts of one rack; all scalars.

    Power of the parts that follow the load, of those that do not, and of the fans [W]; `component_resistance` [K/W] of
    the hottest component; its limit and that of the inlet air [K].
    """

    component_power: Float[Array, ""] | float = eqx.field(metadata=bounded("W", least=0.0))
    steady_power: Float[Array, ""] | float = eqx.field(metadata=bounded("W", least=0.0))
    fan_power: Float[Array, ""] | float = eqx.field(metadata=bounded("W", least=0.0))
    component_resistance: Float[Array, ""] | float = eqx.field(metadata=bounded("K/W", least=0.0))
    component_limit: Float[Array, ""] | float = eqx.field(metadata=bounded("K", above=0.0))
    inlet_limit: Float[Array, ""] | float = eqx.field(metadata=bounded("K", above=0.0))

    def __check_init__(self) -> None:
        refuse_out_of_bounds(self)

    def heat(self, load_factor: float | Float[Array, ""] = 1.0) -> Float[Array, ""] | float:
        """Heat given to the air, equal to the electrical power drawn [W]."""
        return load_factor * self.component_power + self.steady_power + self.fan_power

    def outlet_temperature(
        self,
        inlet_temperature: Float[Array, ""],
        heat: Float[Array, ""],
        air_flow: Float[Array, ""],
        density: Float[Array, ""],
        heat_capacity: Float[Array, ""],
    ) -> Float[Array, ""]:
        """Temperature [K] of the leaving air that takes `heat` [W] at `air_flow` [m3/s]."""
        return inlet_temperature + heat / (density * heat_capacity * air_flow)

    def component_temperature(
        self, inlet_temperature: Float[Array, ""], load_factor: float | Float[Array, ""] = 1.0
    ) -> Float[Array, ""]:
        """Temperature [K] of the hottest air-cooled component at inlet air temperature [K]."""
        return inlet_temperature + load_factor * self.component_power * self.component_resistance

    def margin(
        self, inlet_temperature: Float[Array, ""], load_factor: float | Float[Array, ""] = 1.0
    ) -> tuple[Float[Array, ""], Float[Array, ""]]:
        """What is left [K] to the limit of the inlet air's class, and to that of the hottest component."""
        component = self.component_temperature(inlet_temperature, load_factor)
        return self.inlet_limit - inlet_temperature, self.component_limit - component
