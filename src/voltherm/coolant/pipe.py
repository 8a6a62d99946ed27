r"""Pipes: wall friction after Darcy and Weisbach and fittings in one law; Hazen and Williams for water mains.

    dp = G(Re, e) mu L v / (2 D^2) + K rho v |v| / 2,   v = m / (rho A),  A = pi D^2 / 4,  Re = |m| D / (A mu)
    Hazen-Williams:  dp = rho g 4.727 L q^1.852 / (C^1.852 D^4.871)   with L, D in ft and q in ft3/s

| symbol | meaning                                                             | unit  |
|--------|---------------------------------------------------------------------|-------|
| G      | Darcy friction factor times Reynolds number (`friction.py`)         | -     |
| L, D   | length, inner diameter                                              | m     |
| e      | roughness over diameter                                             | -     |
| K      | sum of the loss coefficients of the fittings, on this pipe's speed  | -     |
| C      | Hazen-Williams coefficient                                          | -     |

Sources: Weisbach (1845); Idelchik, Handbook of Hydraulic Resistance (2007), section 1; Hazen and Williams (1905) with
the constant of EPANET 2.2. Valid for single-phase liquid flow, Re up to 1e8. Below Re = 10 the fittings' quadratic
loss turns linear, so that a fitting without a pipe still has a slope at zero flow. A pipe shorter than a hundredth of
its diameter drags like one of that length (below 1 Pa at usual speeds): without any drag its flow would be undefined.
"""

from typing import ClassVar, Literal

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from voltherm.coolant.friction import epanet_friction_times_reynolds, friction_times_reynolds
from voltherm.coolant.law import AbstractBranchLaw, OfBranches
from voltherm.numerics import signed_power
from voltherm.numerics.bounds import bounded

FITTING_REYNOLDS = 10.0
HAZEN_WILLIAMS_EXPONENT = 1.852
_FOOT = 0.3048
CUBIC_FOOT = _FOOT**3
_USUAL_SPEED = 0.5
_LEAST_DIAMETERS = 0.01


def _dragging_length(length: OfBranches, diameter: OfBranches) -> Float[Array, "..."]:
    least = _LEAST_DIAMETERS * diameter
    return jnp.where(jnp.asarray(length < least), least, length)


class Pipe(AbstractBranchLaw):
    """Round pipes with fittings.

    length (branch,), m; diameter (branch,), inner, m; roughness (branch,), sand-equivalent, m; loss_coefficient
    (branch,), sum of the fittings, -. friction: "colebrook", or "epanet" for Swamee-Jain as EPANET has it.
    """

    rises_by_its_form: ClassVar[bool] = True

    length: OfBranches = eqx.field(metadata=bounded("m", least=0.0))
    diameter: OfBranches = eqx.field(metadata=bounded("m", above=0.0))
    roughness: OfBranches = eqx.field(metadata=bounded("m", least=0.0))
    loss_coefficient: OfBranches = eqx.field(metadata=bounded("", least=0.0))
    friction: Literal["colebrook", "epanet"] = eqx.field(static=True, default="colebrook")

    def area(self) -> OfBranches:
        """Cross-section (branch,), m2."""
        return jnp.pi / 4.0 * self.diameter**2

    def dragging_length(self) -> OfBranches:
        """Length that wall friction acts on (branch,), m."""
        return _dragging_length(self.length, self.diameter)

    def volume(self) -> OfBranches:
        """Fluid volume (branch,), m3."""
        return self.area() * self.length

    def pressure_drop(
        self, mass_flow: Float[Array, " branch"], density: Float[Array, " branch"], viscosity: Float[Array, " branch"]
    ) -> Float[Array, " branch"]:
        area = self.area()
        speed = mass_flow / (density * area)
        reynolds = jnp.abs(mass_flow) * self.diameter / (area * viscosity)
        factor = epanet_friction_times_reynolds if self.friction == "epanet" else friction_times_reynolds
        length = self.dragging_length()
        relative_roughness = self.roughness / self.diameter * jnp.ones_like(reynolds)
        wall = factor(reynolds, relative_roughness) * viscosity * length / (2.0 * self.diameter**2)
        linear_below = FITTING_REYNOLDS * viscosity / (density * self.diameter)
        fittings = self.loss_coefficient * density / 2.0 * signed_power(speed, 2.0, linear_below)
        return wall * speed + fittings

    def starting_mass_flow(
        self, density: Float[Array, " branch"], viscosity: Float[Array, " branch"]
    ) -> Float[Array, " branch"]:
        return density * self.area() * _USUAL_SPEED


class HazenWilliamsPipe(AbstractBranchLaw):
    """Water mains after Hazen and Williams, with EPANET's constants; no viscosity in it.

    length (branch,), m; diameter (branch,), inner, m; coefficient (branch,), C, -; gravity () or (branch,), m/s2.
    Linear below 1e-6 m/s so that zero flow has a slope.
    """

    rises_by_its_form: ClassVar[bool] = True

    length: OfBranches = eqx.field(metadata=bounded("m", least=0.0))
    diameter: OfBranches = eqx.field(metadata=bounded("m", above=0.0))
    coefficient: OfBranches = eqx.field(metadata=bounded("", above=0.0))
    gravity: float = eqx.field(static=True, default=9.80665)

    def pressure_drop(
        self, mass_flow: Float[Array, " branch"], density: Float[Array, " branch"], viscosity: Float[Array, " branch"]
    ) -> Float[Array, " branch"]:
        volume_flow = mass_flow / density / CUBIC_FOOT
        return self.scale(density) * signed_power(volume_flow, HAZEN_WILLIAMS_EXPONENT, self.linear_below())

    def scale(self, density: Float[Array, "..."]) -> Float[Array, "..."]:
        """Pressure drop (branch,), Pa, at 1 ft3/s."""
        length = _dragging_length(self.length, self.diameter)
        resistance = (
            4.727 * length / (self.coefficient**HAZEN_WILLIAMS_EXPONENT * (self.diameter / _FOOT) ** 4.871)
        )  # m over (ft3/s)^1.852
        return density * self.gravity * resistance

    def linear_below(self) -> Float[Array, "..."]:
        """Volume flow (branch,), ft3/s, below which the law turns linear."""
        return jnp.asarray(1e-6 * jnp.pi / 4.0 * self.diameter**2 / CUBIC_FOOT)

    def starting_mass_flow(
        self, density: Float[Array, " branch"], viscosity: Float[Array, " branch"]
    ) -> Float[Array, " branch"]:
        return density * jnp.pi / 4.0 * self.diameter**2 * _USUAL_SPEED
