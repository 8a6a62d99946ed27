"""The highest supply temperature at which no chip passes its limit.

    m(T*) = 0,   m(T) = min over chips of (limit - junction temperature) - margin kept,   at the state reached
    T_{k+1} = T_k - m(T_k) / s_k

| symbol | meaning | unit |
| --- | --- | --- |
| T | set point of the secondary supply; the facility set point follows at its offset | K |
| m | smallest junction margin of the site | K |
| s_k | secant slope where it is plausible, else -1.05: a kelvin of supply and the leakage it adds | K/K |

Where heat rejection is exhausted the supply reached is warmer than the set point and m no longer moves with it: if it is
negative there no set point serves, and the result carries the code `LIMIT`.
"""

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
_MAXIMUM_STEPS = 12


class _Search(NamedTuple):
    set_point: Float[Array, ""]
    margin: Float[Array, ""]
    slope: Float[Array, ""]
    state: SiteState
    result: Int[Array, ""]
    steps: Int[Array, ""]

    def running(self) -> Bool[Array, ""]:
        unfinished = (jnp.abs(self.margin) > _TOLERANCE) & (self.result == ResultCode.CONVERGED)
        return unfinished & (self.steps < _MAXIMUM_STEPS)


def allowed_supply_temperature(site: Site, state: SiteState) -> tuple[Solution, SiteState]:
    """The highest secondary supply set point that keeps every chip within its limit, at `site.climate.dry_bulb`.

    **Arguments**: `state`: a solved state of the site to start from, at any set point.

    **Returns**: a `Solution` with the set point [K], `status.residual` the margin left there [K], and the solved state there.

    **Result codes**: `CONVERGED`; `LIMIT` where no set point serves (value NaN); those of `steady`.
    """

    def solve(set_point: Float[Array, ""], start: SiteState) -> tuple[Float[Array, ""], SiteState, Int[Array, ""]]:
        moved = with_parameters(site, {PATH: set_point})
        solution = steady(moved, initial=start)
        return outputs(moved, solution.value)["junction_margin"], solution.value, solution.status.result

    def step(search: _Search) -> _Search:
        set_point = search.set_point - search.margin / search.slope
        margin, solved, result = solve(set_point, search.state)
        secant = (margin - search.margin) / (set_point - search.set_point)
        plausible = (secant > _PLAUSIBLE_SLOPES[0]) & (secant < _PLAUSIBLE_SLOPES[1])
        slope = jnp.where(plausible, secant, _USUAL_SLOPE).astype(search.slope.dtype)
        return _Search(set_point, margin, slope, solved, result, search.steps + 1)

    start = site.secondary.supply_temperature
    margin, solved, result = solve(start, state)
    first = _Search(start, margin, jnp.full_like(start, _USUAL_SLOPE), solved, result, jnp.asarray(0))
    last = jax.lax.while_loop(_Search.running, step, first)
    found = jnp.abs(last.margin) <= _TOLERANCE
    code = jnp.where(found, ResultCode.CONVERGED, ResultCode.LIMIT).astype(last.result.dtype)
    code = jnp.where(last.result == ResultCode.CONVERGED, code, last.result)
    value = jnp.where(code == ResultCode.CONVERGED, last.set_point, jnp.nan)
    return Solution(value, Status(code, jnp.abs(last.margin), last.steps, jnp.zeros_like(last.steps))), last.state
