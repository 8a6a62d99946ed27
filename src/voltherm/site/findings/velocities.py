"""Pipes: mean velocity of the coolant in headers, mains and branches.

    v = m / (rho pi d²/4) <= v_most

| symbol | meaning | unit | source |
| --- | --- | --- | --- |
| m, d | mass flow, inner diameter | kg/s, m | solved, configuration |
| rho | density at the loop's supply or return | kg/m³ | `voltherm.media` |
| v_most | of mains and headers, of branches | m/s | configuration |

Source of the defaults: ASHRAE Handbook Fundamentals (2021), chapter 22, highest velocity of water against erosion:
3 m/s at 6,000 h a year, 2.4 m/s at 8,000 h (recalled); usual design 1.2 to 3 m/s in steel above DN 50, CIBSE Guide C.
Hoses and copper bear less: set `limits.branch_velocity` for them.
"""

from collections.abc import Iterator
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from voltherm.site.facility_loop import facility_network
from voltherm.site.findings.finding import Elements, Finding, outside
from voltherm.site.fluids import liquid_named
from voltherm.site.layout import Layout
from voltherm.site.secondary_loop import row_network
from voltherm.site.sections import Site
from voltherm.site.states import SiteState


class Velocities(NamedTuple):
    """Mean velocities [m/s]: row headers, branches to racks, mains, headers of the halls, branches to CDUs."""

    row_headers: Float[Array, "building row pipe"]
    rack_branches: Float[Array, "building row rack"]
    mains: Float[Array, "building pipe"]
    hall_headers: Float[Array, "building pipe"]
    cdu_branches: Float[Array, "building row"]


def _velocity(
    mass_flow: Float[Array, "..."], density: Float[Array, "..."], diameter: Float[Array, ""]
) -> Float[Array, "..."]:
    return jnp.abs(mass_flow) / (density * (0.25 * jnp.pi) * diameter**2)


def velocities(site: Site, state: SiteState) -> Velocities:
    """Velocities in all pipes with a diameter of their own. Every loop counts with the density of its return."""
    rows, plant = state.buildings.rows, state.buildings.facility.plant
    coolant = liquid_named(site.secondary.fluid).density(rows.return_temperature)[..., None]
    water = liquid_named(site.facility.fluid).density(plant.return_temperature)[..., None]
    racks, mains = site.building.racks_per_row, 2 * site.building.halls
    headers = 2 * (site.building.rows - site.building.halls)
    in_rows, in_halls = state.flows.rows.mass_flow, state.flows.facility.mass_flow
    return Velocities(
        row_headers=_velocity(in_rows[..., 1 : 1 + 2 * racks], coolant, site.secondary.header_diameter),
        rack_branches=_velocity(rows.rack_mass_flow, coolant, site.secondary.branch_diameter),
        mains=_velocity(in_halls[..., 2 : 2 + mains], water, site.facility.main_diameter),
        hall_headers=_velocity(in_halls[..., 2 + mains : 2 + mains + headers], water, site.facility.header_diameter),
        cdu_branches=_velocity(rows.facility_mass_flow, water, site.facility.branch_diameter),
    )


def velocity_findings(site: Site, found: Velocities, names: Layout) -> Iterator[Finding]:
    """Pipes in which the coolant is too fast."""
    building, mains = site.building, 2 * site.building.halls
    row_pipes = row_network(building.racks_per_row, site.rack.compute_trays + site.rack.switch_trays).branches
    hall_pipes = facility_network(building.halls, building.rows_per_hall).branches

    def of_row(index: tuple[int, ...]) -> str:
        return f"{row_pipes[1 + index[2]]} of {names.cdu(*index[:2])}"

    def main(index: tuple[int, ...]) -> str:
        return names.within(index[0], hall_pipes[2 + index[1]])

    def hall_header(index: tuple[int, ...]) -> str:
        return names.within(index[0], hall_pipes[2 + mains + index[1]])

    several = "pipes of the"
    main_limit, branch_limit = float(site.limits.main_velocity), float(site.limits.branch_velocity)
    for values, limit, what, name in (
        (found.row_headers, main_limit, "rows' headers", of_row),
        (found.mains, main_limit, "facility mains", main),
        (found.hall_headers, main_limit, "halls' headers", hall_header),
        (found.rack_branches, branch_limit, "racks' branches", lambda index: names.rack(*index)),
        (found.cdu_branches, branch_limit, "CDUs' branches", lambda index: names.cdu(*index)),
    ):
        speeds = np.asarray(values)
        group = outside(speeds > limit, speeds, Elements(f"the {what}", f"{several} {what}", name))
        if group is None:
            continue
        value = float(speeds[group.worst])
        yield Finding(
            "velocity",
            what,
            group.element,
            value,
            limit,
            "m s-1",
            "practice",
            group.count,
            group.total,
            value / limit - 1.0,
            f"{group.said('carries', 'carry')} coolant at {value:.1f} m/s{group.remark}, faster than {limit:g} m/s, "
            "which steel bears without erosion: take a larger diameter",
        )
