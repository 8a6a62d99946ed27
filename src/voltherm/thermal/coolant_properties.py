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
from voltherm.numerics.bounds import bounded, refuse_out_of_bounds


class CoolantProperties(eqx.Module):
    """Properties at one state; scalars or arrays of one shape.

    `density` [kg/m3], `heat_capacity` [J/(kg K)], `viscosity` [Pa s], `conductivity` [W/(m K)].
    """

    density: Float[Array, "..."] | float = eqx.field(metadata=bounded("kg/m3", above=0.0))
    heat_capacity: Float[Array, "..."] | float = eqx.field(metadata=bounded("J/(kg K)", above=0.0))
    viscosity: Float[Array, "..."] | float = eqx.field(metadata=bounded("Pa s", above=0.0))
    conductivity: Float[Array, "..."] | float = eqx.field(metadata=bounded("W/(m K)", above=0.0))

    def __check_init__(self) -> None:
        refuse_out_of_bounds(self)

    @classmethod
    def of(cls, liquid: AbstractLiquid, temperature: Float[Array, "..."]) -> "CoolantProperties":
        """Properties of `liquid` at temperature [K]."""
        return cls(
            liquid.density(temperature),
            liquid.heat_capacity(temperature),
            liquid.viscosity(temperature),
            liquid.conductivity(temperature),
        )

    def volumetric_heat_capacity(self) -> Float[Array, "..."] | float:
        """rho c [J/(m3 K)]."""
        return self.density * self.heat_capacity
