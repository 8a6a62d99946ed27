"""What a site costs in a year, and how far it is from every limit, as functions of its numbers.

    cost = p_e Y Σ_a w_a P(T_a) + p_w V_w + a p_p Σ π d L
    g = limits passed at any ambient, over the scale of each kind: held where g <= 0

| symbol | meaning | unit |
|---|---|---|
| P | power at the utility intake | W |
| T_a, w_a | ambients and their shares of the year | K, 1 |
| Y | one year | s |
| p_e, p_w, p_p | prices of electricity, water and pipe wall | 1/J, 1/m³, 1/m² |
| V_w | make-up water of a year | m³ |
| a | share of the piping's price that a year bears | 1/year |
| d, L | diameter and length of headers, mains and branches, supply and return | m |

Equipment other than piping costs the same in every design and is left out. Supply and return of a header are two pipes.
"""

import math

import jax.numpy as jnp
from jaxtyping import Array, Float

from voltherm.numerics import ResultCode, over_lanes
from voltherm.site.build import with_parameters
from voltherm.site.coupling import steady
from voltherm.site.outputs import makeup_water, outputs
from voltherm.site.sections import Site
from voltherm.site.states import SiteState
from voltherm.study.limit_excess import limit_excess

_YEAR = 365.0 * 86400.0
DRY_BULB = "climate.dry_bulb"


def yearly_cost(
    site: Site,
    ambients: Float[Array, "ambient"],
    weights: Float[Array, "ambient"],
    *,
    initial: SiteState | None = None,
) -> tuple[Float[Array, ""], dict[str, Float[Array, "ambient"]]]:
    """Yearly cost of a site in the currency of its prices, and its limits.

    **Arguments**

    - `ambients`, `weights`: dry bulbs [K] at which it is solved, and the share of the year that each stands for
    - `initial`: a solved state to start every ambient from

    **Returns**: the cost, NaN where an ambient with a share has no steady state; and the limits by name, dimensionless
    and held where at or below zero: 10 K, 0.1 p.u. and full load are 1.
    """

    def at(dry_bulb: Float[Array, ""]) -> tuple[Float[Array, ""], dict[str, Float[Array, ""]]]:
        there = with_parameters(site, {DRY_BULB: dry_bulb})
        solution = steady(there, initial=initial)
        figures = outputs(there, solution.value)
        failed = solution.status.result != ResultCode.CONVERGED
        power = jnp.where(failed, jnp.nan, figures["facility_power"])
        return power, limit_excess(lambda name: getattr(site.limits, name), figures)

    power, constraints = over_lanes(at, ambients)
    prices = site.economics
    energy = prices.electricity_price * _YEAR * jnp.sum(weights * power)
    water = prices.water_price * makeup_water(site)
    return energy + water + prices.annuity * prices.pipe_price * pipe_wall(site), constraints


def pipe_wall(site: Site) -> Float[Array, ""]:
    """Wall [m²] of all pipes with a diameter of their own: row headers, mains, facility headers, CDU branches."""
    building, secondary, facility = site.building, site.secondary, site.facility
    row = 2.0 * building.racks_per_row * secondary.header_segment * secondary.header_diameter
    main = 2.0 * building.halls * facility.main_length * facility.main_diameter
    header = 2.0 * (building.rows - building.halls) * facility.header_segment * facility.header_diameter
    # a branch's length counts supply and return together
    branch = building.rows * facility.branch_length * facility.branch_diameter
    return math.pi * building.count * (building.rows * row + main + header + branch)
