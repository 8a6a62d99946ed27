"""A year of the site, hour by hour, from its steady response to the dry-bulb temperature.

    X(hour) = X(T_db(hour)),   energies = Σ X Δt,   PUE = Σ P_facility / Σ P_it,   water = make-up fraction x volume

The load is constant and every control acts within minutes, so an hour's state follows from its dry bulb alone: the
site is solved once on a grid of dry bulbs and read for 8,760 hours by shape-preserving cubics (Fritsch and Carlson,
1980). The error of the reading is measured at hours taken evenly from the year, solved directly, and reported with
the result.

| symbol | meaning | unit |
| --- | --- | --- |
| X | any figure of `voltherm.site.outputs` | SI |
| T_db | dry bulb of the hour, from the parametric year or an EPW file | K |
"""

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from voltherm.numerics import ResultCode, over_lanes
from voltherm.site.build import with_parameters
from voltherm.site.climate import HOURS, MONTH_DAYS, month_of_hour
from voltherm.site.coupling import cold_start
from voltherm.site.indicators import water_usage_effectiveness
from voltherm.site.outputs import INTAKE_PARTS, makeup_water, outputs, site_effectiveness
from voltherm.site.sections import Site
from voltherm.site.states import SiteState
from voltherm.site.supply_temperature import FALLING_MARGINS, PATH, allowed_supply_temperature

DRY_BULB = "climate.dry_bulb"
LANES = 8
_LIMITS = (*FALLING_MARGINS, "inlet_margin")
_MARGIN_READ = 0.01  # K: what reading a margin of zero from the curve may be wrong by
_TRIM_HEAT = 1e3  # W: less is not called trim chilling
_CHECKED_HOURS = LANES
_SECONDS = 3600.0
_WIDEST_GAP = 1.5  # K between two solved ambients across which a year is read: two that failed between them
ENERGIES = ("facility_power", "cooling_power", *INTAKE_PARTS)
"""Figures whose sum over the year is told."""


@dataclasses.dataclass(frozen=True)
class Response:
    """Figures (ambient,) of the site over a grid of dry bulbs [K], with the result code of every point.

    `set_point` [K] is the secondary supply's: given, or the highest allowed at that dry bulb.
    """

    dry_bulb: np.ndarray
    set_point: np.ndarray
    figures: Mapping[str, np.ndarray]
    result: np.ndarray


@dataclasses.dataclass(frozen=True)
class Year:
    """Totals of a year. Energies [J] by name, in all and by month (12,); hours; indicators.

    `bridged_hours`: read across an ambient at which no steady state was found, from those beside it.
    `reading_error`: largest difference between read and directly solved facility power, relative.
    """

    dry_bulb: np.ndarray
    energy: Mapping[str, float]
    monthly_energy: Mapping[str, np.ndarray]
    hours_above_limit: int
    hours_of_trim: int
    pue: float
    monthly_pue: np.ndarray
    water: float
    monthly_water: np.ndarray
    wue: float
    bridged_hours: int
    reading_error: float


class UnsolvedHourError(ValueError):
    """An hour of the year lies where the site has no steady state; the message names its dry bulb."""


class Lanes(NamedTuple):
    """What a batch of solves found: set points [K] reached or given, figures, states, result codes, margins left."""

    set_point: Array
    figures: dict[str, Array]
    state: SiteState
    result: Array
    residual: Array


@eqx.filter_jit
def solve_sites(sites: Site, start: SiteState, search: Bool[Array, "lane"]) -> Lanes:
    """`LANES` sites, stacked along a leading axis of every number, each at its set point or (`search`) at the highest
    one its chips allow. The one compiled function behind hot days, curves, years and samples."""

    def one(site: Site, search: Bool[Array, ""]) -> Lanes:
        solution, state = allowed_supply_temperature(site, start, search=search)
        held = with_parameters(site, {PATH: solution.value})
        return Lanes(solution.value, outputs(held, state), state, solution.status.result, solution.status.residual)

    return over_lanes(one, sites, search)


def repeated(site: Site) -> Site:
    """`LANES` times the same site, stacked as `solve_sites` takes them."""
    return jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (LANES, *jnp.shape(leaf))), site)


def solve_lanes(
    site: Site,
    start: SiteState,
    dry_bulb: Float[Array, "lane"],
    set_point: Float[Array, "lane"],
    search: Bool[Array, "lane"],
    limits: Mapping[str, Float[Array, "lane"]] | None = None,
) -> Lanes:
    """The site at `LANES` pairs of dry bulb [K] and supply set point [K], see `solve_sites`.

    `limits` [K] by dotted path stand in for the site's in every lane.
    """
    moved = {DRY_BULB: dry_bulb, PATH: set_point, **dict(limits or {})}
    return solve_sites(with_parameters(repeated(site), moved), start, search)


def response(
    site: Site,
    start: SiteState,
    dry_bulbs: np.ndarray,
    *,
    set_points: np.ndarray | None = None,
    allowed: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Response:
    """The site at every dry bulb [K]: at its set point, at `set_points` [K], or (`allowed`) at the highest.

    `start`: a solved state. `progress(done, all)` is called as points finish. One compilation for any grid.
    """
    dtype = site.climate.dry_bulb.dtype
    count = len(dry_bulbs)
    hottest_first = np.argsort(-dry_bulbs, kind="stable")
    back = np.argsort(hottest_first)
    held = np.full(count, float(site.secondary.supply_temperature)) if set_points is None else set_points
    parts = []
    for first in range(0, count, LANES):
        lanes = hottest_first[np.minimum(np.arange(first, first + LANES), count - 1)]
        given = jnp.asarray(dry_bulbs[lanes], dtype), jnp.asarray(held[lanes], dtype), jnp.full(LANES, allowed)
        found = solve_lanes(site, start, *given)
        if not np.all(_ended(found.result)):
            # what fails from a neighbour's state may have one that is found from none
            again = solve_lanes(site, cold_start(site, start), *given)
            better = ~_ended(found.result) & _ended(again.result)
            found = jax.tree.map(functools.partial(_chosen, better), again, found)
        parts.append(jax.tree.map(np.asarray, (found.set_point, found.figures, found.result)))
        # the last lane is the nearest neighbour of the next ones
        if parts[-1][2][-1] == ResultCode.CONVERGED:
            start = jax.tree.map(lambda values: values[-1], found.state)
        if progress is not None:
            progress(min(first + LANES, count), count)
    set_point, figures, result = jax.tree.map(lambda *pieces: np.concatenate(pieces)[:count][back], *parts)
    return Response(np.asarray(dry_bulbs), set_point, figures, result)


def _ended(result: Array) -> np.ndarray:
    """Whether a solve or search came to an answer, be it that none exists."""
    return np.isin(np.asarray(result), (ResultCode.CONVERGED, ResultCode.LIMIT))


def _chosen(first: np.ndarray, one: Array, other: Array) -> Array:
    return jnp.where(first.reshape(-1, *[1] * (one.ndim - 1)), one, other)


def grid(dry_bulb: np.ndarray, lowest: float = 263.15, highest: float = 318.15, step: float = 0.5) -> np.ndarray:
    """Dry bulbs [K] every `step` from -10 to 45 °C, widened where the year leaves that range."""
    low = min(lowest, lowest + step * np.floor((dry_bulb.min() - lowest) / step))
    high = max(highest, highest + step * np.ceil((dry_bulb.max() - highest) / step))
    return np.linspace(low, high, round((high - low) / step) + 1)


def year(site: Site, start: SiteState, curve: Response, dry_bulb: np.ndarray, *, checked: bool = True) -> Year:
    """Totals of the hours with dry bulbs `dry_bulb` (8760,) [K], read from the response `curve`.

    Between two points of the curve that are at most 1.5 K apart it is read across those that did not converge.

    **Raises**: `UnsolvedHourError` where an hour lies farther from points that did; `ValueError` where one lies outside
    the curve.
    """
    read, bridged = _reader(curve, dry_bulb)
    power = {name: read(name) for name in ENERGIES}
    month = month_of_hour()

    def by_month(values: np.ndarray) -> np.ndarray:
        return np.bincount(month, weights=values, minlength=12)

    water = float(makeup_water(site))
    it_energy, facility_energy = (float(np.sum(power[name]) * _SECONDS) for name in ("it_power", "facility_power"))
    monthly = [by_month(power[name]) * _SECONDS for name in ("facility_power", "it_power")]
    return Year(
        dry_bulb=dry_bulb,
        energy={name: float(np.sum(values) * _SECONDS) for name, values in power.items()},
        monthly_energy={name: by_month(values) * _SECONDS for name, values in power.items()},
        hours_above_limit=int(np.sum(np.minimum.reduce([read(name) for name in _LIMITS]) < -_MARGIN_READ)),
        hours_of_trim=int(np.sum(dry_bulb > trim_onset(curve))),
        pue=float(site_effectiveness(site, facility_energy, it_energy, interim=False).value),
        monthly_pue=np.asarray(site_effectiveness(site, *monthly, interim=True).value),
        water=water,
        monthly_water=water * np.asarray(MONTH_DAYS) / 365.0,
        wue=float(water_usage_effectiveness(water, it_energy)),
        bridged_hours=bridged,
        reading_error=_reading_error(site, start, curve, dry_bulb, power["facility_power"])
        if checked
        else float("nan"),
    )


def trim_onset(curve: Response) -> float:
    """Dry bulb [K] above which trim chillers work, from the side where they do; infinite where they never do.

    Their heat leaves zero with a kink, which a curve through points on both sides would smooth towards the cold.
    """
    good = curve.result == ResultCode.CONVERGED
    ambient, heat = curve.dry_bulb[good], curve.figures["trim_chiller_heat"][good]
    working = np.flatnonzero(heat > _TRIM_HEAT)
    if working.size == 0:
        return float("inf")
    first = int(working[0])
    if first == 0:
        return float(ambient[0])
    if first + 1 == len(ambient):
        return float(ambient[first - 1])
    slope = (heat[first + 1] - heat[first]) / (ambient[first + 1] - ambient[first])
    return float(np.clip(ambient[first] - heat[first] / slope, ambient[first - 1], ambient[first]))


def _reader(curve: Response, dry_bulb: np.ndarray) -> tuple[Callable[[str], np.ndarray], int]:
    """What reads a figure for every hour, and for how many hours it does so across a point without a solution."""
    # SciPy is a dependency of JAX itself; imported here, as its import is slow and only a year needs it
    from scipy.interpolate import PchipInterpolator

    if dry_bulb.shape != (HOURS,):
        raise ValueError(f"a year has {HOURS} hours, not {dry_bulb.shape[0]}")
    if dry_bulb.min() < curve.dry_bulb[0] or dry_bulb.max() > curve.dry_bulb[-1]:
        raise ValueError(
            "the year is colder or hotter than the curve it is read from; take the curve over `grid(dry_bulb)`"
        )
    good = curve.result == ResultCode.CONVERGED
    across = np.interp(dry_bulb, curve.dry_bulb, good.astype(float)) < 1.0
    solved = curve.dry_bulb[good]
    after = np.searchsorted(solved, dry_bulb)
    # hours on a point that converged lie in no gap
    inside = (after > 0) & (after < len(solved))
    gap = np.full(HOURS, np.inf)
    gap[inside] = solved[after[inside]] - solved[after[inside] - 1]
    lost = across & (gap > _WIDEST_GAP)
    if np.any(lost):
        worst = float(np.max(dry_bulb[lost])) - 273.15
        raise UnsolvedHourError(f"the site has no steady state at {worst:.1f} degC, which the year reaches")

    @functools.cache
    def read(name: str) -> np.ndarray:
        return PchipInterpolator(curve.dry_bulb[good], curve.figures[name][good])(dry_bulb)

    return read, int(np.sum(across))


def _reading_error(site: Site, start: SiteState, curve: Response, dry_bulb: np.ndarray, read: np.ndarray) -> float:
    hours = np.linspace(0, HOURS - 1, _CHECKED_HOURS).astype(int)
    good = curve.result == ResultCode.CONVERGED
    held = np.interp(dry_bulb[hours], curve.dry_bulb[good], curve.set_point[good])
    solved = response(site, start, dry_bulb[hours], set_points=held)
    known = solved.result == ResultCode.CONVERGED
    error = np.abs(read[hours] / solved.figures["facility_power"] - 1.0)
    return float(np.max(error[known])) if np.any(known) else float("nan")
