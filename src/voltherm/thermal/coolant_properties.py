"""Properties of a coolant at one state, handed to laws that scale with them.

| field         | meaning             | unit     |
|---------------|---------------------|----------|
| density       | rho                 | kg/m3    |
| heat_capacity | c, at constant pressure | J/(kg K) |
| viscosity     | mu, dynamic         | Pa s     |
| conductivity  | k                   | W/(m K)  |

Source: the liquids of `voltherm.media`. Range: that of the liquid.
"""

from typing import Protocol

import equinox as eqx
from jaxtyping import Array, Float


class Liquid(Protocol):
    """What thermal models ask of a liquid of `voltherm.media`: elementwise functions of temperature [K]."""

    def density(self, temperature: Float[Array, "..."], /) -> Float[Array, "..."]:
        """Density [kg/m3]."""

    def heat_capacity(self, temperature: Float[Array, "..."], /) -> Float[Array, "..."]:
        """Heat capacity [J/(kg K)]."""

    def viscosity(self, temperature: Float[Array, "..."], /) -> Float[Array, "..."]:
        """Dynamic viscosity [Pa s]."""

    def conductivity(self, temperature: Float[Array, "..."], /) -> Float[Array, "..."]:
        """Thermal conductivity [W/(m K)]."""

    def specific_enthalpy(self, temperature: Float[Array, "..."], /) -> Float[Array, "..."]:
        """Specific enthalpy [J/kg]."""

    def temperature_at_enthalpy(self, enthalpy: Float[Array, "..."], /) -> Float[Array, "..."]:
        """Temperature [K] at specific enthalpy [J/kg]."""


class CoolantProperties(eqx.Module):
    """Properties at one state; scalars or arrays of one shape."""

    density: Float[Array, "..."]
    heat_capacity: Float[Array, "..."]
    viscosity: Float[Array, "..."]
    conductivity: Float[Array, "..."]

    @classmethod
    def of(cls, liquid: Liquid, temperature: Float[Array, "..."]) -> "CoolantProperties":
        """Properties of `liquid` at temperature [K]."""
        return cls(
            liquid.density(temperature),
            liquid.heat_capacity(temperature),
            liquid.viscosity(temperature),
            liquid.conductivity(temperature),
        )

    def volumetric_heat_capacity(self) -> Float[Array, "..."]:
        """rho c [J/(m3 K)]."""
        return self.density * self.heat_capacity
