"""Properties of a coolant at one state, handed to laws that scale with them.

| field         | meaning             | unit     |
|---------------|---------------------|----------|
| density       | rho                 | kg/m3    |
| heat_capacity | c, at constant pressure | J/(kg K) |
| viscosity     | mu, dynamic         | Pa s     |
| conductivity  | k                   | W/(m K)  |

Source: the liquids of `voltherm.media`. Range: that of the liquid.
"""

import equinox as eqx
from jaxtyping import Array, Float

from voltherm.media import AbstractLiquid


class CoolantProperties(eqx.Module):
    """Properties at one state; scalars or arrays of one shape."""

    density: Float[Array, "..."]
    heat_capacity: Float[Array, "..."]
    viscosity: Float[Array, "..."]
    conductivity: Float[Array, "..."]

    @classmethod
    def of(cls, liquid: AbstractLiquid, temperature: Float[Array, "..."]) -> "CoolantProperties":
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
