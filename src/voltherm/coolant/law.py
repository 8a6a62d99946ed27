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
(Todini and Pilati, 1988) and zero flow, dead legs and closed valves legal. The laws of this package rise by their
form. Any other is probed where it is made, if its numbers are known there: 0 and both ways 1e-3 to 1e3 times its usual
flow.
"""

import abc
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from voltherm.numerics.bounds import refuse_out_of_bounds

OfBranches = Float[Array, "*lanes branch"] | Float[Array, ""] | float
"""A number of each branch, or one for all."""

_PROBED = np.logspace(-3.0, 3.0, 25)


class AbstractBranchLaw(eqx.Module):
    """A pressure drop law of n branches, evaluated elementwise.

    A law is made with arrays (branch,), or with numbers for all its branches. ValueError says which number is outside
    its bounds, or between which flows the pressure drop falls.
    """

    rises_by_its_form: ClassVar[bool] = False

    def __check_init__(self) -> None:
        refuse_out_of_bounds(self)
        if not self.rises_by_its_form:
            _refuse_falling(self)

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

    rises_by_its_form: ClassVar[bool] = True

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


class Tangent(AbstractBranchLaw):
    """Straight lines: constant (branch,), Pa, and slope (branch,), Pa s/kg; what a law is near one flow."""

    rises_by_its_form: ClassVar[bool] = True

    constant: Float[Array, "*lanes branch"]
    slope: Float[Array, "*lanes branch"]

    def pressure_drop(
        self, mass_flow: Float[Array, " branch"], density: Float[Array, " branch"], viscosity: Float[Array, " branch"]
    ) -> Float[Array, " branch"]:
        return self.constant + self.slope * mass_flow

    def starting_mass_flow(
        self, density: Float[Array, " branch"], viscosity: Float[Array, " branch"]
    ) -> Float[Array, " branch"]:
        return jnp.zeros_like(density)


def _refuse_falling(law: AbstractBranchLaw) -> None:
    leaves = jax.tree.leaves(law)
    if any(isinstance(leaf, jax.core.Tracer) or np.ndim(leaf) > 1 for leaf in leaves):
        return
    dtype = jnp.result_type(float, *(leaf for leaf in leaves if eqx.is_inexact_array(leaf)))
    with jax.ensure_compile_time_eval():  # a law may be made of known numbers within a trace
        density, viscosity = jnp.full(1, 1000.0, dtype), jnp.full(1, 1e-3, dtype)
        usual = np.asarray(law.starting_mass_flow(density, viscosity))
        flows = np.multiply.outer(np.concatenate([-_PROBED[::-1], [0.0], _PROBED]), np.abs(usual)).astype(dtype)
        drops = np.asarray(jax.vmap(lambda flow: law.pressure_drop(flow, density, viscosity))(jnp.asarray(flows)))
    falling = np.diff(drops, axis=0) < 0.0
    if np.any(falling):
        at, entry = (int(index) for index in np.argwhere(falling)[0])
        first, second = (flows[at + step][min(entry, flows.shape[1] - 1)] for step in (0, 1))
        raise ValueError(
            f"{type(law).__name__}: the pressure drop of entry {entry + 1} falls from {drops[at, entry]:.6g} Pa at "
            f"{first:.6g} kg/s to {drops[at + 1, entry]:.6g} Pa at {second:.6g} kg/s; a branch law has to rise with "
            "the flow, or a network has more than one solution"
        )


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
