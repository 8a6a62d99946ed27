"""Conservation in a solved site: what goes in against what comes out, computed from the states and not from the solver.

    row        m_s [h(T_return) - h(T_supply)] = Σ heat of the racks to the coolant
    exchanger  m_f [h(T_f,return) - h(T_f,supply)] = heat of the CDU = rack heat + pump shaft power
    plant      m [h(T_return) - h(T_supply)] = Σ CDU heat + condenser heat + facility pump shaft power
    media      rooms' air, chilled water, facility water: what warms each = what it passes on    `voltherm.site.ledger`
    site       power at the intake = heat to the surroundings by every route
    network    Σ sources = Σ loads + losses

Every residual is relative to the larger side; the worst of each kind is reported. Closed means below `CLOSED`: a state
whose balances do not close is no answer, whatever its unknowns do (`voltherm.site.coupling`).
"""

import jax.numpy as jnp
from jax.typing import DTypeLike
from jaxtyping import Array, Bool, Float

from voltherm.site.electrical import one_line
from voltherm.site.fluids import liquid_named
from voltherm.site.ledger import AIR, CHILLED, OUT_OF_SITE, WATER, into, ledger, out_of, total
from voltherm.site.sections import Site
from voltherm.site.states import SiteState

CLOSED = 1e-8
"""Relative residual below which a balance counts as closed."""
_ROUND_OFF = 1e4  # of a site's balances, in units of the last place: counts in single precision alone


def _worst(first: Float[Array, "..."], second: Float[Array, "..."]) -> Float[Array, ""]:
    largest = jnp.maximum(jnp.abs(first), jnp.abs(second))
    return jnp.max(jnp.abs(first - second) / jnp.where(largest > 0.0, largest, 1.0))


def balances(site: Site, state: SiteState) -> dict[str, Float[Array, ""]]:
    """Largest relative residual of heat, of flow and pressure, of the network, and of the site as a whole."""
    buildings, power = state.buildings, state.power
    rows, racks, facility = buildings.rows, buildings.racks, buildings.facility
    coolant, water = liquid_named(site.secondary.fluid), liquid_named(site.facility.fluid)
    rise = coolant.specific_enthalpy(rows.return_temperature) - coolant.specific_enthalpy(rows.supply_temperature)
    rack_heat = jnp.sum(racks.liquid_heat, axis=2)
    supply = facility.plant.supply_temperature
    facility_rise = water.specific_enthalpy(rows.facility_return_temperature) - water.specific_enthalpy(supply)[:, None]
    plant_rise = water.specific_enthalpy(facility.plant.return_temperature) - water.specific_enthalpy(supply)
    into_plant = jnp.sum(rows.cdu_heat, axis=1) + facility.condenser_heat + facility.pump_shaft_power
    intake = -power.active_power_to[one_line(site).group("intake")][0]
    entries = ledger(site, state)
    heat = [
        _worst(rows.mass_flow * rise, rack_heat),
        _worst(rows.facility_mass_flow * facility_rise, rows.cdu_heat),
        _worst(rack_heat + rows.pump_shaft_power, rows.cdu_heat),
        _worst(facility.mass_flow * plant_rise, into_plant),
        _worst(facility.plant.dry_cooler_heat + facility.plant.chiller_heat, into_plant),
        *(_worst(into(medium, entries), out_of(medium, entries)) for medium in (AIR, CHILLED, WATER)),
    ]
    continuity = jnp.max(jnp.stack([jnp.max(rows.flow_residual), jnp.max(facility.flow_residual)]))
    split = _worst(jnp.sum(rows.tray_mass_flow, axis=(2, 3)), rows.mass_flow)
    row_sum = _worst(jnp.sum(rows.facility_mass_flow, axis=1) + facility.condenser_mass_flow, facility.mass_flow)
    return {
        "heat_residual": jnp.max(jnp.stack(heat)),
        "mass_residual": jnp.max(jnp.stack([continuity, split, row_sum])),
        "power_residual": jnp.abs(power.active_balance) / jnp.abs(intake),
        "site_residual": _worst(intake, jnp.sum(total(each for each in entries if each.medium in OUT_OF_SITE))),
    }


def closing_limit(dtype: DTypeLike) -> float:
    """Residual below which a balance counts as closed: `CLOSED`, or round-off in single precision."""
    return max(CLOSED, _ROUND_OFF * float(jnp.finfo(dtype).eps))


def closed(site: Site, state: SiteState) -> Bool[Array, ""]:
    """Whether all balances of a solved site close, within `closing_limit`."""
    residuals = jnp.stack(list(balances(site, state).values()))
    return jnp.all(residuals < closing_limit(residuals.dtype))
