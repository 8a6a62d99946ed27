r"""Branch laws: the pressure drop of a branch as a function of its mass flow.

    dp = dp(m, rho, mu),   d(dp)/dm > 0

| symbol | meaning                                                    | unit  |
|--------|------------------------------------------------------------|-------|
| m      | mass flow, positive from the branch's start to its end     | kg/s  |
| dp     | upstream minus downstream pressure; negative over a pump   | Pa    |
| rho    | density                                                    | kg/m3 |
| mu     | dynamic viscosity                                          | Pa s  |

A law holds n branches at once: every field is an array (n,) (or has a leading lane axis that `jax.vmap` strips). Every
law increases strictly with mass flow, through zero as well, which is what makes the solution of a network unique
(Todini and Pilati, 1988) and zero flow, dead legs and closed valves legal.
"""

import abc

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


class AbstractBranchLaw(eqx.Module):
    """A pressure drop law of n branches, evaluated elementwise."""

    @abc.abstractmethod
    def pressure_drop(
        self, mass_flow: Float[Array, " branch"], density: Float[Array, " branch"], viscosity: Float[Array, " branch"]
    ) -> Float[Array, " branch"]:
        """Pressure drop (branch,), Pa, of mass_flow (branch,), kg/s, at density (branch,), kg/m3, and viscosity
        (branch,), Pa s.
        """

    @abc.abstractmethod
    def starting_mass_flow(
        self, density: Float[Array, " branch"], viscosity: Float[Array, " branch"]
    ) -> Float[Array, " branch"]:
        """Mass flow (branch,), kg/s, that is usual for the branch: where a solve may start."""


class Series(AbstractBranchLaw):
    """Laws passed by the same flow one after the other: their pressure drops add up.

    The first law's usual flow is the series'.
    """

    laws: tuple[AbstractBranchLaw, ...]

    def pressure_drop(
        self, mass_flow: Float[Array, " branch"], density: Float[Array, " branch"], viscosity: Float[Array, " branch"]
    ) -> Float[Array, " branch"]:
        total = self.laws[0].pressure_drop(mass_flow, density, viscosity)
        for law in self.laws[1:]:
            total = total + law.pressure_drop(mass_flow, density, viscosity)
        return total

    def starting_mass_flow(
        self, density: Float[Array, " branch"], viscosity: Float[Array, " branch"]
    ) -> Float[Array, " branch"]:
        return self.laws[0].starting_mass_flow(density, viscosity)


def pressure_drop_and_slope(
    law: AbstractBranchLaw,
    mass_flow: Float[Array, " branch"],
    density: Float[Array, " branch"],
    viscosity: Float[Array, " branch"],
) -> tuple[Float[Array, " branch"], Float[Array, " branch"]]:
    """Pressure drop (branch,), Pa, and its derivative with respect to mass flow (branch,), Pa s/kg.

    Branches are independent, so one forward tangent of ones gives every derivative.
    """
    return jax.jvp(lambda flow: law.pressure_drop(flow, density, viscosity), (mass_flow,), (jnp.ones_like(mass_flow),))
