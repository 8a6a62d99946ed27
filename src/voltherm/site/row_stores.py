r"""A row in time: coolant and metal before its cold plates, coolant and metal behind them, and the CDU in between.

    M_s dh_s/dt = m (h_r - h_s) + P - k (T_hot - T_f),   T_hot = T(h_r + P/m)
    M_r dh_r/dt = m (h_s - h_r) + Q

| symbol | meaning | unit |
| --- | --- | --- |
| h_s, h_r | specific enthalpy of the coolant supplied and returning | J/kg |
| M_s, M_r | coolant that stores as much as coolant and metal before and behind the plates: half the row each | kg |
| m | flow of the row's loop; zero is legal | kg/s |
| P | shaft power of the CDU's pump | W |
| k | heat per kelvin between the inlets of the CDU's exchanger, T_hot and T_f | W/K |
| Q | heat of the plates to the coolant, mean of the step | W |

Two well-mixed volumes in a ring: when the exchanger gives nothing any more, the supply warms towards the return first
and with it from then on. A step is the L-stable diagonally implicit Runge-Kutta method of second order with two stages
(R. Alexander, SIAM J. Numer. Anal. 14, 1977, eq. 7), T_hot linear about the state where flows and k were found. The
heat to the facility water is what the step's change of enthalpy leaves of P + Q, so that it balances to round-off. A
steady state of the site stands still. The plates' own heat is stored by `voltherm.thermal.rack_transient`.
"""

import math

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from voltherm.media import AbstractLiquid
from voltherm.site.sections import Device, Site

_GAMMA = 1.0 - 1.0 / math.sqrt(2.0)


class RowLoop(eqx.Module):
    """What drives the loops of a building's rows over a step.

    `hot_temperature` [K] is that of the coolant entering the exchanger at `return_enthalpy` [J/kg], and `per_kelvin`
    [W/K] the exchanger's heat there; `heat_capacity` [J/(kg K)] of the coolant there.
    """

    mass: Float[Array, ""]
    mass_flow: Float[Array, "row"]
    pump_power: Float[Array, "row"]
    per_kelvin: Float[Array, "row"]
    hot_temperature: Float[Array, "row"]
    return_enthalpy: Float[Array, "row"]
    heat_capacity: Float[Array, "row"]

    def step(
        self,
        supply: Float[Array, "row"],
        back: Float[Array, "row"],
        heat: Float[Array, "row"],
        facility_supply_temperature: Float[Array, ""],
        duration: Float[Array, ""],
    ) -> tuple[Float[Array, "row"], Float[Array, "row"], Float[Array, "row"]]:
        """Enthalpies [J/kg] supplied and returning after `duration` [s], and the mean heat to the facility water [W].

        **Arguments**: enthalpies at the start; `heat` of the plates and the facility supply [K], means of the step.
        """

        def rates(first: Array, second: Array) -> tuple[Array, Array]:
            hot = self.hot_temperature + (second - self.return_enthalpy) / self.heat_capacity
            around = self.mass_flow * (second - first)
            given = self.per_kelvin * (hot - facility_supply_temperature)
            return (around + self.pump_power - given) / self.mass, (heat - around) / self.mass

        # (1 - γ Δt A) y = r with A = [[-a, a - b], [a, -a]]
        turn = _GAMMA * duration * self.mass_flow / self.mass
        given = _GAMMA * duration * self.per_kelvin / (self.heat_capacity * self.mass)
        determinant = (1.0 + turn) ** 2 - turn * (turn - given)

        def implicit(first: Array, second: Array) -> tuple[Array, Array]:
            return (
                ((1.0 + turn) * first + (turn - given) * second) / determinant,
                (turn * first + (1.0 + turn) * second) / determinant,
            )

        one = implicit(*rates(supply, back))
        reach = (1.0 - _GAMMA) * duration
        two = implicit(*rates(supply + reach * one[0], back + reach * one[1]))
        changes = [duration * ((1.0 - _GAMMA) * one[side] + _GAMMA * two[side]) for side in (0, 1)]
        stored = self.mass * (changes[0] + changes[1]) / duration
        return supply + changes[0], back + changes[1], heat + self.pump_power - stored


def plate_heat_capacity(site: Site) -> Float[Array, ""]:
    """Heat capacity of all chips of one rack with their plates [J/K]."""
    rack = site.rack

    def kind(device: Device, trays: int) -> Float[Array, ""]:
        return trays * device.per_tray * device.heat_capacity

    compute = kind(rack.gpu, rack.compute_trays) + kind(rack.cpu, rack.compute_trays)
    return compute + kind(rack.switch, rack.switch_trays)


def row_heat_capacity(site: Site, coolant: AbstractLiquid) -> Float[Array, ""]:
    """Heat capacity of one row [J/K]: coolant of the CDU, headers and racks, and the racks' metal, plates included."""
    secondary, rack = site.secondary, site.rack
    racks = site.building.racks_per_row
    header = 2.0 * racks * secondary.header_segment * (0.25 * jnp.pi) * secondary.header_diameter**2
    volume = secondary.cdu_volume + header + racks * rack.coolant_volume
    temperature = secondary.supply_temperature
    return volume * coolant.density(temperature) * coolant.heat_capacity(temperature) + racks * rack.heat_capacity


def side_mass(site: Site, coolant: AbstractLiquid) -> Float[Array, ""]:
    """Coolant that stores as much as either side of a row's loop, the plates left out [kg]."""
    plates = site.building.racks_per_row * plate_heat_capacity(site)
    # plates are counted as they are, even where they come to more than the metal that is configured
    rest = jnp.maximum(row_heat_capacity(site, coolant) - plates, 0.0)
    least = site.secondary.cdu_volume * coolant.density(site.secondary.supply_temperature)
    both = jnp.maximum(rest / coolant.heat_capacity(site.secondary.supply_temperature), least)
    return 0.5 * both
