r"""Lumped losses known at one point: cold plates, manifolds, hoses, filters, exchangers.

    dp = dp0 (rho/rho0)^(1-n) (mu/mu0)^(2-n) |m/m0|^n sign(m)

| symbol         | meaning                                        | unit          |
|----------------|------------------------------------------------|---------------|
| m0, dp0        | nominal mass flow and its pressure drop        | kg/s, Pa      |
| n              | exponent, 1 (laminar) to 2 (fully turbulent)   | -             |
| rho0, mu0      | density and viscosity of the nominal point     | kg/m3, Pa s   |

The scaling follows from dp = f(Re) rho v^2/2 with f ~ Re^(n-2) (Blasius: n = 1.75; Incropera, Fundamentals of Heat and
Mass Transfer, 7th ed., section 8.1): for n = 2 dp ~ m^2/rho, for n = 1 dp ~ mu m/rho. The published cold-plate law dp
~ flow^1.85 (OCP OAI liquid cooling guideline, 2023, fig. 7) is n = 1.85. Below `linear_fraction` of the nominal flow
the law turns linear; at m >> linear_fraction m0 the relative difference is (n-1)/2 (linear_fraction m0/m)^2.
"""

from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from voltherm.coolant.law import AbstractBranchLaw, OfBranches
from voltherm.numerics import signed_power
from voltherm.numerics.bounds import bounded


class QuadraticLoss(AbstractBranchLaw):
    """Power-law losses through a nominal point, quadratic unless an exponent is given.

    nominal_mass_flow (branch,), kg/s, > 0; nominal_pressure_drop (branch,), Pa, > 0; exponent (branch,) or scalar, -;
    nominal_density, kg/m3, and nominal_viscosity, Pa s, each (branch,), scalar, or None for no scaling with it.
    """

    rises_by_its_form: ClassVar[bool] = True

    nominal_mass_flow: OfBranches = eqx.field(metadata=bounded("kg/s", above=0.0))
    nominal_pressure_drop: OfBranches = eqx.field(metadata=bounded("Pa", least=0.0))
    exponent: Float[Array, "..."] | float = eqx.field(default=2.0, metadata=bounded("", least=1.0))
    nominal_density: Float[Array, "..."] | float | None = eqx.field(default=None, metadata=bounded("kg/m3", above=0.0))
    nominal_viscosity: Float[Array, "..."] | float | None = eqx.field(default=None, metadata=bounded("Pa s", above=0.0))
    linear_fraction: Float[Array, "..."] | float = eqx.field(default=1e-4, metadata=bounded("", above=0.0))

    def pressure_drop(
        self, mass_flow: Float[Array, " branch"], density: Float[Array, " branch"], viscosity: Float[Array, " branch"]
    ) -> Float[Array, " branch"]:
        scale = self.scale(density, viscosity)
        return scale * signed_power(mass_flow / self.nominal_mass_flow, self.exponent, self.linear_fraction)

    def scale(self, density: Float[Array, "..."], viscosity: Float[Array, "..."]) -> OfBranches:
        """Pressure drop (branch,), Pa, of the nominal flow at this density and viscosity."""
        scale = self.nominal_pressure_drop
        if self.nominal_density is not None:
            scale = scale * (density / self.nominal_density) ** (1.0 - self.exponent)
        if self.nominal_viscosity is not None:
            scale = scale * (viscosity / self.nominal_viscosity) ** (2.0 - self.exponent)
        return scale

    def starting_mass_flow(
        self, density: Float[Array, " branch"], viscosity: Float[Array, " branch"]
    ) -> Float[Array, " branch"]:
        return self.nominal_mass_flow * jnp.ones_like(density)
