"""The highest supply temperature at which no chip, no memory, no rack's air and no maker's limit is passed.

    m(T*) = 0,   m(T) = min(m_junction, m_memory, m_supply, and m_inlet where it is negative),   at the supply T reached
    m_junction = min over chips of (limit - junction temperature) - margin kept
    m_memory = min over chips of (limit - temperature of their memory),   m_inlet = limit - rack inlet air
    m_supply = limits.supply_maximum - T

| symbol | meaning | unit |
| --- | --- | --- |
| T | secondary supply reached: its set point, to which the facility's follows at its offset, or where it floats | K |
| m | smallest margin that a warmer supply uses up, from the temperatures of chips that do not throttle | K |

The maker's limit is an upper end of the answer, whatever the chips would bear: a site without one (`NO_LIMIT`) is
bound by its chips, their memory and the air alone. Limits that a colder supply cannot mend (voltages, loadings, least
flow) do not end the search: `voltherm.study.limits` tells them at the answer.
"""

import functools
from collections.abc import Mapping

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from voltherm.numerics import Solution
from voltherm.site.build import with_parameters
from voltherm.site.coupling import steady
from voltherm.site.outputs import outputs
from voltherm.site.sections import NO_LIMIT, Site
from voltherm.site.states import SiteState
from voltherm.site.supply_search import Tried, highest_set_point

PATH = "secondary.supply_temperature"
CHIPS_ALONE = {"limits.supply_maximum": NO_LIMIT, "air.inlet_limit": NO_LIMIT}
"""Limits [K] of a site whose chips and their memory alone bound the supply."""


FALLING_MARGINS = ("junction_margin", "memory_margin", "supply_margin")
"""Figures that a warmer supply brings down to zero, kelvin by kelvin."""


def search_margin(figures: Mapping[str, Float[Array, "..."]]) -> Float[Array, "..."]:
    """The smallest of the margins that bound the supply [K].

    The margin of the racks' air is that of its control until the air side is exhausted, and says nothing of how far the
    supply may rise before: it counts once it is negative.
    """
    inlet = figures["inlet_margin"]
    falling = functools.reduce(jnp.minimum, (figures[name] for name in FALLING_MARGINS))
    return jnp.where(inlet < 0.0, jnp.minimum(falling, inlet), falling)


def allowed_supply_temperature(
    site: Site, state: SiteState, *, search: bool | Bool[Array, ""] = True
) -> tuple[Solution, SiteState]:
    """The highest secondary supply set point that keeps every chip, its memory, the racks' air and the supply itself
    within their limits, at `site.climate.dry_bulb`.

    **Arguments**

    - `state`: a solved state of the site to start from, at any set point
    - `search`: False solves the site at its own set point and returns that: one compiled function answers both
      questions

    **Returns**: a `Solution` with the set point [K], `status.residual` the margin left there [K], and the solved
    state there. Where none serves the state is the coldest that was tried.

    **Result codes**: `CONVERGED`; `LIMIT` where no set point serves; `MAXIMUM_ITERATIONS` where none was found that
    does; those of `steady` where the site has no steady state at its own set point, or where the warmest that serves
    ends at set points without one: the value is then the warmest that serves. It is NaN where none is known.
    """

    def solve(set_point: Float[Array, ""], start: SiteState) -> Tried:
        moved = with_parameters(site, {PATH: set_point})
        solution = steady(moved, initial=start)
        figures = outputs(moved, solution.value)
        return Tried(figures["supply_temperature"], search_margin(figures), solution.value, solution.status.result)

    return highest_set_point(site.secondary.supply_temperature, state, solve, search=search)
