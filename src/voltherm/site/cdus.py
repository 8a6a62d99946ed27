"""Heat exchange in the CDUs of a building: what facility flow the set point needs, and what the flow found gives.

    Q = ε(NTU, Cr) C_min (T_hot - T_f),   T_hot: secondary entering the exchanger, return and pump heat
    1/UA = 1/(2 UA_0) [(m_s/m_s0)^-0.7 + (m_f/m_f0)^-0.7]

| symbol | meaning | unit | source |
| --- | --- | --- | --- |
| Q | heat of the row's racks and of its pump's shaft | W | solved |
| T_f | facility water supply | K | unknown of the coupling |
| UA_0 | conductance at rating, from rated heat, flows and approach, shared evenly by both sides | W/K | configuration, published 2 MW record |
| m_s, m_f | secondary and facility flow; subscript 0 at rating | kg/s | solved, configuration |

Counterflow effectiveness (Kays and London, Compact Heat Exchangers, 3rd ed., 1984, table 2-2); the exponent 0.7 is that of turbulent plate
exchangers (Shah and Sekulic, Fundamentals of Heat Exchanger Design, 2003, section 7.4). Energy is balanced in enthalpies.
"""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from voltherm.coolant import effectiveness
from voltherm.media import AbstractLiquid
from voltherm.numerics import bracketed_root
from voltherm.site.sections import Cdu, Site

_FLOW_EXPONENT = 0.7
_LEAST_FLOW_SHARE = 1e-3
_LARGEST_FLOW_SHARE = 4.0


class RowExchange(eqx.Module):
    """Both sides of every CDU at a facility flow: temperatures [K] and heat [W]."""

    heat: Float[Array, "row"]
    supply_temperature: Float[Array, "row"]
    return_temperature: Float[Array, "row"]
    facility_return_temperature: Float[Array, "row"]


class Exchange(eqx.Module):
    """CDUs with their secondary side known: the facility flow that holds the set point [kg/s], and `at` any other."""

    cdu: Cdu
    coolant: AbstractLiquid
    water: AbstractLiquid
    conductance: Float[Array, ""]
    heat: Float[Array, "row"]
    pump_heat: Float[Array, "row"]
    secondary_mass_flow: Float[Array, "row"]
    capacity_rate: Float[Array, "row"]
    facility_heat_capacity: Float[Array, ""]
    facility_supply_temperature: Float[Array, ""]
    needed_mass_flow: Float[Array, "row"]

    def at(self, facility_mass_flow: Float[Array, "row"]) -> RowExchange:
        """Temperatures that carry the heat at this facility flow [kg/s]."""
        hot = self.facility_supply_temperature + self.heat / _transfer(self, facility_mass_flow)
        supply = self.coolant.temperature_at_enthalpy(
            self.coolant.specific_enthalpy(hot) - self.heat / self.secondary_mass_flow
        )
        back = self.coolant.temperature_at_enthalpy(
            self.coolant.specific_enthalpy(hot) - self.pump_heat / self.secondary_mass_flow
        )
        facility = self.water.temperature_at_enthalpy(
            self.water.specific_enthalpy(self.facility_supply_temperature) + self.heat / facility_mass_flow
        )
        return RowExchange(self.heat, supply, back, facility)


def rated_conductance(cdu: Cdu, coolant: AbstractLiquid, water: AbstractLiquid) -> Float[Array, ""]:
    """UA of the exchanger at its rating [W/K]."""
    supply = cdu.facility_supply + cdu.approach
    hot = coolant.temperature_at_enthalpy(coolant.specific_enthalpy(supply) + cdu.rated_heat / cdu.secondary_flow)
    secondary = cdu.rated_heat / (hot - supply)
    facility = cdu.facility_flow * water.heat_capacity(cdu.facility_supply)
    least, largest = jnp.minimum(secondary, facility), jnp.maximum(secondary, facility)
    ratio = least / largest
    reached = cdu.rated_heat / (least * (hot - cdu.facility_supply))
    return least * jnp.log((1.0 - reached * ratio) / (1.0 - reached)) / (1.0 - ratio)


def _transfer(known: Exchange, facility_mass_flow: Float[Array, "row"]) -> Float[Array, "row"]:
    """ε C_min [W/K]."""
    facility = facility_mass_flow * known.facility_heat_capacity
    secondary_term = (known.secondary_mass_flow / known.cdu.secondary_flow) ** -_FLOW_EXPONENT
    facility_term = (facility_mass_flow / known.cdu.facility_flow) ** -_FLOW_EXPONENT
    conductance = 2.0 * known.conductance / (secondary_term + facility_term)
    least, largest = jnp.minimum(known.capacity_rate, facility), jnp.maximum(known.capacity_rate, facility)
    return effectiveness(conductance / least, least / largest, "counterflow") * least


def exchange(
    site: Site,
    coolant: AbstractLiquid,
    water: AbstractLiquid,
    *,
    heat: Float[Array, "row"],
    pump_heat: Float[Array, "row"],
    secondary_mass_flow: Float[Array, "row"],
    facility_supply_temperature: Float[Array, ""],
) -> Exchange:
    """The CDUs of one building, every row's heat [W] and secondary flow [kg/s] known.

    **Arguments**: `heat`: of racks and pump shaft; `pump_heat`: of the shaft alone, which enters after the racks' return.

    **Returns**: an `Exchange`. Where no facility flow up to four times the rated one holds the set point, `needed_mass_flow` is
    that largest one.
    """
    set_point = site.secondary.supply_temperature
    supply_enthalpy = coolant.specific_enthalpy(set_point)
    hot = coolant.temperature_at_enthalpy(supply_enthalpy + heat / secondary_mass_flow)
    known = Exchange(
        site.cdu,
        coolant,
        water,
        rated_conductance(site.cdu, coolant, water),
        heat,
        pump_heat,
        secondary_mass_flow,
        capacity_rate=secondary_mass_flow * coolant.heat_capacity(0.5 * (hot + set_point)),
        facility_heat_capacity=water.heat_capacity(facility_supply_temperature),
        facility_supply_temperature=facility_supply_temperature,
        needed_mass_flow=jnp.zeros_like(heat),
    )

    def lacking(share: Float[Array, "row"], arguments: tuple[Exchange, Float[Array, "row"]]) -> Float[Array, "row"]:
        exchanger, entering = arguments
        moved = _transfer(exchanger, share * exchanger.cdu.facility_flow)
        return moved * (entering - exchanger.facility_supply_temperature) / exchanger.heat - 1.0

    low, high = jnp.full_like(heat, _LEAST_FLOW_SHARE), jnp.full_like(heat, _LARGEST_FLOW_SHARE)
    share = bracketed_root(lacking, low, high, (known, hot), tolerance=1e-13)
    return eqx.tree_at(lambda tree: tree.needed_mass_flow, known, share * site.cdu.facility_flow)
