"""The main question, answered: what supply temperature the site can run, what binds, what it costs, how long it rides.

Host code around compiled solves: the hot day at the set point and at the highest supply temperature, the sensitivity
of the margin to every number of the site from one gradient, bands of the main figures from the tolerances of those
numbers, the response to ambient from -10 to 45 °C, the year, and the loss of heat rejection. Everything a report or a
file needs is in the `Answer`; nothing in it is read from a configuration.
"""

import dataclasses
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from voltherm.numerics import ResultCode
from voltherm.site.build import parameter, with_parameters
from voltherm.site.climate import dry_bulb_year
from voltherm.site.findings import Finding, findings
from voltherm.site.layout import Layout, layout
from voltherm.site.ride_through import RideThrough
from voltherm.site.sections import Site
from voltherm.site.states import SiteState
from voltherm.site.supply_temperature import CHIPS_ALONE, PATH
from voltherm.site.transient import simulate
from voltherm.site.year import (
    DRY_BULB,
    LANES,
    Lanes,
    Response,
    UnsolvedHourError,
    Year,
    grid,
    response,
    solve_lanes,
    year,
)
from voltherm.study.limits import Constraint, constraints, ends_search, hottest
from voltherm.study.sensitivity import Sensitivity, ranked_by_tolerance, site_gradients
from voltherm.study.site_functions import solved
from voltherm.study.site_uncertainty import site_uncertainty
from voltherm.study.uncertainty import CHIP_MARGINS, GRADIENTS, Tolerance, Uncertainty

Progress = Callable[[str, int, int], None]
"""progress(stage, done, all): called as work gets done."""

EVERYTHING = "everything"
"""Name of the whole in the wall times of an answer."""

_RANKED = 10
_SET_POINT, _HIGHEST, _CHIPS, _COLDEST = range(4)  # lanes of `_days`
_COARSE_STEP = 2.75  # K: the highest supply hardly moves with ambient until heat rejection is exhausted


@dataclasses.dataclass(frozen=True)
class Point:
    """The site at one set point [K] and dry bulb [K]: figures by name (SI), state as NumPy arrays, limits, hottest,
    and what is outside its range."""

    set_point: float
    dry_bulb: float
    figures: Mapping[str, float]
    state: SiteState
    constraints: tuple[Constraint, ...]
    hottest: Mapping[str, str]
    findings: tuple[Finding, ...] = ()


class OperatingPoints(NamedTuple):
    """The parts of an `Answer` that are solved for the hot day and the coldest hour; see there."""

    point: Point
    allowed: Point | None
    searched: int
    unheld: Constraint | None
    chip_supply: float | None
    coldest: Point | None


@dataclasses.dataclass(frozen=True)
class Answer:
    """Everything `voltherm run` found. Temperatures in K, powers in W, energies in J.

    `point`: the hot day at the site's set point; `allowed`: the same at the highest supply temperature that keeps
    every chip, the racks' air and the maker's limit of the supply (None where none does, or none was found);
    `searched`: the result code of that search, `LIMIT` where none does; with another code than `CONVERGED`, `allowed`
    is the warmest that was found to serve, and whether a warmer one does is not known; `unheld`: the limit that is
    passed most at the coldest supply the plant reaches (None unless none serves); `chip_supply`: the highest that the
    chips alone would allow (None where none does); `coldest`: the coldest hour of the year at the set point (None
    where it has no steady state); `sensitivities` of the smallest junction margin at `point`: the ten numbers with a
    tolerance that matter most, then the ten others; `uncertainty`: bands of the main figures, None where no number
    has a tolerance; `curve`, `allowed_curve`: response to ambient at the set point and at the highest supply; `year`,
    `allowed_year`: totals, None where an hour of the year has no steady state (`allowed_year` holds the highest
    supply of the hot day all year); `ride_through`: loss of heat rejection from `point`; `iterations`, `residual`: of
    the coupled solve of the hot day; `seconds`: wall time by stage, some of which run side by side, and "everything".
    """

    site: Site
    layout: Layout
    point: Point
    allowed: Point | None
    searched: int
    unheld: Constraint | None
    chip_supply: float | None
    coldest: Point | None
    sensitivities: tuple[Sensitivity, ...]
    uncertainty: Uncertainty | None
    curve: Response
    allowed_curve: Response
    year: Year | None
    allowed_year: Year | None
    ride_through: RideThrough
    iterations: int
    residual: float
    seconds: Mapping[str, float]


def answer(
    site: Site,
    *,
    dry_bulb: np.ndarray | None = None,
    tolerances: Mapping[str, Tolerance] | None = None,
    samples: int = 0,
    progress: Progress | None = None,
) -> Answer:
    """Answers the main question for a site.

    **Arguments**

    - `dry_bulb`: hours of a year (8760,) [K], by default the site's parametric year
    - `tolerances`: what numbers of the site may be off by, by dotted path
    - `samples`: how often the site is solved with numbers drawn within their tolerances; 0 for bands to first order
    - `progress`: called as work gets done

    **Raises**: `NoSteadyStateError` where the hot day has no steady state.
    """
    report = progress or (lambda stage, done, count: None)
    seconds: dict[str, float] = {}

    def timed(stage: str, count: int, work: Callable):
        report(stage, 0, count)
        start = time.perf_counter()
        result = jax.block_until_ready(work())
        seconds[stage] = time.perf_counter() - start
        report(stage, count, count)
        return result

    def counted(stage: str) -> Callable[[int, int], None]:
        return lambda done, count: report(stage, done, count)

    names = layout(site)
    begin = time.perf_counter()
    solution = timed("steady state of the hot day", 1, lambda: solved(site))
    state, status = solution.value, solution.status
    hours = np.asarray(dry_bulb_year(site.climate)) if dry_bulb is None else dry_bulb
    ambients, coarse = grid(hours), grid(hours, step=_COARSE_STEP)
    # three programs that share nothing: compiling them side by side takes the time of the longest
    with ThreadPoolExecutor(2) as pool:
        ranking = pool.submit(timed, "sensitivities", 1, lambda: site_gradients(site, state, GRADIENTS))
        riding = pool.submit(timed, "loss of heat rejection", 1, lambda: simulate(site, state))
        points: OperatingPoints = timed(
            "highest supply temperature", 1, lambda: operating_points(site, names, state, hours)
        )
        curve = timed(
            "response to ambient",
            len(ambients),
            lambda: response(site, state, ambients, progress=counted("response to ambient")),
        )
        allowed_curve = timed(
            "highest supply against ambient",
            len(coarse),
            lambda: response(site, state, coarse, allowed=True, progress=counted("highest supply against ambient")),
        )
        whole_year = timed("year", 1, lambda: _year(site, state, curve, hours))
        allowed_year = None
        if points.allowed is not None:
            warmer = with_parameters(site, {PATH: points.allowed.set_point})
            stage = "year at the highest supply"
            warmer_curve = timed(
                stage, len(ambients), lambda: response(warmer, state, ambients, progress=counted(stage))
            )
            allowed_year = _year(warmer, state, warmer_curve, hours)
        gradients, ride = ranking.result(), riding.result()
    known, uncertainty = dict(tolerances or {}), None
    if known:
        uncertainty = timed(
            "uncertainty",
            max(samples, 1),
            lambda: site_uncertainty(
                site,
                state,
                points.point.figures,
                known,
                gradients=gradients,
                chip_supply=points.chip_supply,
                samples=samples,
                progress=counted("uncertainty"),
            ),
        )
    return Answer(
        site,
        names,
        *points,
        tuple(ranked_by_tolerance(site, gradients[CHIP_MARGINS[0]], known, _RANKED)),
        uncertainty,
        curve,
        allowed_curve,
        whole_year,
        allowed_year,
        ride,
        int(status.iterations),
        float(status.residual),
        seconds | {EVERYTHING: time.perf_counter() - begin},
    )


def _year(site: Site, state: SiteState, curve: Response, hours: np.ndarray) -> Year | None:
    try:
        return year(site, state, curve, hours)
    except UnsolvedHourError:
        # the curve shows where the site has no steady state; everything else of the answer stands
        return None


def operating_points(site: Site, names: Layout, state: SiteState, hours: np.ndarray) -> OperatingPoints:
    """The points of an answer, as an `Answer` has them.

    **Arguments**: `state`: a solved one to start from; `hours`: of a year (8760,) [K].
    """
    day = _days(site, state, float(hours.min()))

    def at(lane: int) -> Point | None:
        return _point(site, names, day, lane, hours) if int(day.result[lane]) == ResultCode.CONVERGED else None

    chips = float(day.set_point[_CHIPS]) if int(day.result[_CHIPS]) == ResultCode.CONVERGED else None
    searched = int(day.result[_HIGHEST])
    known = np.isfinite(day.set_point[_HIGHEST])
    return OperatingPoints(
        _point(site, names, day, _SET_POINT, hours),
        _point(site, names, day, _HIGHEST, hours) if known else None,
        searched,
        _unheld(site, names, day) if searched == ResultCode.LIMIT else None,
        chips,
        at(_COLDEST),
    )


def _unheld(site: Site, names: Layout, day: Lanes) -> Constraint:
    """The limit that is passed most at the coldest supply that was tried."""
    figures = {name: float(values[_HIGHEST]) for name, values in day.figures.items()}
    found = constraints(site, names, jax.tree.map(lambda values: values[_HIGHEST], day.state), figures)
    return min((each for each in found if ends_search(each)), key=lambda each: each.margin)


def _days(site: Site, state: SiteState, coldest: float) -> Lanes:
    """The hot day at the set point, at the highest supply temperature and at the highest that the chips alone allow,
    and the coldest hour [K] at the set point; on the host. Every further lane repeats that hour."""
    lanes = jnp.arange(LANES)
    dry_bulb = jnp.where(lanes < _COLDEST, site.climate.dry_bulb, coldest)
    set_point = jnp.full(LANES, site.secondary.supply_temperature)
    search = (lanes == _HIGHEST) | (lanes == _CHIPS)
    limits = {path: jnp.where(lanes == _CHIPS, limit, parameter(site, path)) for path, limit in CHIPS_ALONE.items()}
    return jax.tree.map(np.asarray, solve_lanes(site, state, dry_bulb, set_point, search, limits))


def _point(site: Site, names: Layout, day: Lanes, lane: int, hours: np.ndarray) -> Point:
    plain = {name: float(values[lane]) for name, values in day.figures.items()}
    state = jax.tree.map(lambda values: values[lane], day.state)
    dry_bulb = float(site.climate.dry_bulb) if lane < _COLDEST else float(hours.min())
    there = with_parameters(site, {PATH: float(day.set_point[lane]), DRY_BULB: dry_bulb})
    return Point(
        set_point=float(day.set_point[lane]),
        dry_bulb=dry_bulb,
        figures=plain,
        state=state,
        constraints=constraints(there, names, state, plain),
        hottest=hottest(names, state),
        findings=findings(there, state, figures=plain, dry_bulb=hours),
    )
