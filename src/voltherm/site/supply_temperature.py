"""The highest supply temperature at which no chip, no memory and no maker's limit is passed.

    m(T*) = 0,   m(T) = min(m_junction, m_memory, m_supply),   at the supply T reached
    m_junction = min over chips of (limit - junction temperature) - margin kept
    m_memory = min over chips of (limit - temperature of their memory),   m_supply = limits.supply_maximum - T
    set point_{k+1} = T_k - m(T_k) / s_k

| symbol | meaning | unit |
| --- | --- | --- |
| T | secondary supply reached: its set point, to which the facility's follows at its offset, or where it floats | K |
| m | smallest margin that a warmer supply uses up, from the temperatures of chips that do not throttle | K |
| s_k | secant slope where it is plausible, else -1.05: a kelvin of supply and the leakage it adds | K/K |

The maker's limit is an upper end of the answer, whatever the chips would bear: a site without one (`NO_LIMIT`) is
bound by its chips alone.
Where heat rejection is exhausted the supply floats above the set point: if m is negative there no set point serves, and
the result carries the code `LIMIT`.
"""

import functools
from collections.abc import Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from voltherm.numerics import ResultCode, Solution, Status
from voltherm.site.build import with_parameters
from voltherm.site.coupling import steady
from voltherm.site.outputs import outputs
from voltherm.site.sections import Site
from voltherm.site.states import SiteState

PATH = "secondary.supply_temperature"
_USUAL_SLOPE = -1.05
_PLAUSIBLE_SLOPES = (-2.0, -0.7)
_TOLERANCE = 1e-6  # K
_FLOATING = 1e-4  # K above the set point: more than the rounding of a control that holds
_MAXIMUM_STEPS = 12


SEARCH_MARGINS = ("junction_margin", "memory_margin", "supply_margin")
"""Figures that a warmer supply brings down to zero."""


def search_margin(figures: Mapping[str, Float[Array, "..."]]) -> Float[Array, "..."]:
    """The smallest of the margins that bound the supply [K]."""
    return functools.reduce(jnp.minimum, (figures[name] for name in SEARCH_MARGINS))


class _Search(NamedTuple):
    """Where to solve next, and what the last solve found there."""

    next_set_point: Float[Array, ""]
    set_point: Float[Array, ""]
    supply: Float[Array, ""]
    margin: Float[Array, ""]
    out_of_reach: Bool[Array, ""]
    state: SiteState
    result: Int[Array, ""]
    steps: Int[Array, ""]


def allowed_supply_temperature(
    site: Site, state: SiteState, *, search: bool | Bool[Array, ""] = True
) -> tuple[Solution, SiteState]:
    """The highest secondary supply set point that keeps every chip, its memory and the supply itself within their
    limits, at `site.climate.dry_bulb`.

    **Arguments**

    - `state`: a solved state of the site to start from, at any set point
    - `search`: False solves the site at its own set point and returns that: one compiled function answers both
      questions

    **Returns**: a `Solution` with the set point [K], `status.residual` the margin left there [K], and the solved
    state there.

    **Result codes**: `CONVERGED`; `LIMIT` where no set point serves (value NaN); those of `steady`.
    """
    searching = jnp.asarray(search)

    def running(now: _Search) -> Bool[Array, ""]:
        unfinished = (jnp.abs(now.margin) > _TOLERANCE) & (now.result == ResultCode.CONVERGED) & ~now.out_of_reach
        return (now.steps == 0) | (searching & unfinished & (now.steps < _MAXIMUM_STEPS))

    def step(now: _Search) -> _Search:
        moved = with_parameters(site, {PATH: now.next_set_point})
        solution = steady(moved, initial=now.state)
        figures = outputs(moved, solution.value)
        supply, margin = figures["supply_temperature"], search_margin(figures)
        distance = supply - now.supply
        secant = (margin - now.margin) / jnp.where(distance == 0.0, 1.0, distance)
        # before the second solve the old margin is not finite, and no secant of it is plausible
        plausible = (secant > _PLAUSIBLE_SLOPES[0]) & (secant < _PLAUSIBLE_SLOPES[1])
        slope = jnp.where(plausible, secant, _USUAL_SLOPE)
        return _Search(
            next_set_point=(supply - margin / slope).astype(margin.dtype),
            set_point=now.next_set_point,
            supply=supply,
            margin=margin,
            out_of_reach=(margin < 0.0) & (figures["supply_excess"] > _FLOATING),
            state=solution.value,
            result=solution.status.result,
            steps=now.steps + 1,
        )

    start = site.secondary.supply_temperature
    first = _Search(
        next_set_point=start,
        set_point=start,
        supply=start,
        margin=jnp.full_like(start, jnp.inf),
        out_of_reach=jnp.zeros((), bool),
        state=state,
        result=jnp.zeros((), jnp.int32),
        steps=jnp.zeros((), jnp.int32),
    )
    last = jax.lax.while_loop(running, step, first)
    found = ~searching | (jnp.abs(last.margin) <= _TOLERANCE)
    code = jnp.where(found, ResultCode.CONVERGED, ResultCode.LIMIT).astype(last.result.dtype)
    code = jnp.where(last.result == ResultCode.CONVERGED, code, last.result)
    value = jnp.where(code == ResultCode.CONVERGED, last.set_point, jnp.nan)
    return Solution(value, Status(code, jnp.abs(last.margin), last.steps, jnp.zeros_like(last.steps))), last.state
