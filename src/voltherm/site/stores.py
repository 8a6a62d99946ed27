"""Stores of heat in the loops: rows, buffer tank and pipes, each advanced exactly over a step of constant inflow.

    row    C dT_hot/dt = Q - k (T_hot - T_f)   =>   T(t + Δt) = T_eq + (T - T_eq) exp(-Δt / τ),   τ = C / k
    tank   M dh/dt = m (h_in - h)              =>   h(t + Δt) = h_in + (h - h_in) exp(-m Δt / M)
    pipe   what leaves is what entered one pipe's mass ago: h_out = [E(M_in - M) - E(M_in - M - m Δt)] / (m Δt)

| symbol | meaning | unit |
| --- | --- | --- |
| C | heat capacity of a row: coolant of its loop and metal of its racks | J/K |
| k | heat per kelvin between the inlets of the CDU, Q / (T_eq - T_f) | W/K |
| h, m, M | specific enthalpy, flow, mass in the store | J/kg, kg/s, kg |
| E(·) | enthalpy that had entered the pipe when so much mass had | J |

Mass and enthalpy leave a pipe exactly as they entered: a front is never smeared by more than the step in which it
entered.
"""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from voltherm.media import AbstractLiquid
from voltherm.site.sections import Site


class Pipe(eqx.Module):
    """A pipe's memory: cumulated mass [kg] and enthalpy [J] that entered by the end of each past step, oldest first."""

    mass: Float[Array, "past"]
    enthalpy: Float[Array, "past"]
    content: Float[Array, ""]

    @classmethod
    def filled(
        cls,
        content: Float[Array, ""],
        mass_flow: Float[Array, ""],
        specific_enthalpy: Float[Array, ""],
        step: float,
        past: int,
    ) -> "Pipe":
        """A pipe of `content` [kg] filled at one enthalpy [J/kg] by a steady flow [kg/s]; `past` steps kept."""
        mass = mass_flow * step * jnp.arange(1.0 - past, 1.0, dtype=content.dtype)
        return cls(mass, mass * specific_enthalpy, content)

    def outlet(self, mass_flow: Float[Array, ""], step: float) -> Float[Array, ""]:
        """Mean specific enthalpy [J/kg] of what leaves over a step: a step passes less than the content."""
        left_by = self.mass[-1] - self.content
        left = mass_flow * step
        out = jnp.interp(left_by + left, self.mass, self.enthalpy) - jnp.interp(left_by, self.mass, self.enthalpy)
        return out / left

    def pushed(self, mass_flow: Float[Array, ""], specific_enthalpy: Float[Array, ""], step: float) -> "Pipe":
        """The pipe after a step of inflow [kg/s] at a specific enthalpy [J/kg]."""
        entered = mass_flow * step
        mass = jnp.append(self.mass[1:], self.mass[-1] + entered)
        enthalpy = jnp.append(self.enthalpy[1:], self.enthalpy[-1] + entered * specific_enthalpy)
        # counted from the last entry on, so that numbers do not grow with the length of the run
        return Pipe(mass - mass[-1], enthalpy - enthalpy[-1], self.content)

    def stored(self) -> Float[Array, ""]:
        """Enthalpy in the pipe [J]."""
        return self.enthalpy[-1] - jnp.interp(self.mass[-1] - self.content, self.mass, self.enthalpy)


def mixed(
    content: Float[Array, ""],
    specific_enthalpy: Float[Array, ""],
    mass_flow: Float[Array, ""],
    inflow_enthalpy: Float[Array, ""],
    step: float,
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """A mixed tank after a step: its specific enthalpy [J/kg], and the mean of what left it over the step."""
    exchanged = mass_flow * step / content
    after = inflow_enthalpy + (specific_enthalpy - inflow_enthalpy) * jnp.exp(-exchanged)
    mean = inflow_enthalpy + (specific_enthalpy - after) / exchanged
    return after, mean


def row_heat_capacity(site: Site, coolant: AbstractLiquid) -> Float[Array, ""]:
    """Heat capacity of one row [J/K]: coolant of the CDU, headers and racks, and the racks' metal."""
    secondary, rack = site.secondary, site.rack
    racks = site.building.racks_per_row
    header = 2.0 * racks * secondary.header_segment * (0.25 * jnp.pi) * secondary.header_diameter**2
    volume = secondary.cdu_volume + header + racks * rack.coolant_volume
    temperature = secondary.supply_temperature
    return volume * coolant.density(temperature) * coolant.heat_capacity(temperature) + racks * rack.heat_capacity
