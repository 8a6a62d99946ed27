"""A year of the site, hour by hour, from its steady response to the dry-bulb temperature.

    X(hour) = X(T_db(hour)),   energies = Σ X Δt,   PUE = Σ P_facility / Σ P_it,   water = make-up fraction x volume

The load is constant and every control acts within minutes, so an hour's state follows from its dry bulb alone: the site is
solved once on a grid of dry bulbs and read for 8,760 hours by shape-preserving cubics (Fritsch and Carlson, 1980). The error
of the reading is measured at hours taken evenly from the year, solved directly, and reported with the result.

| symbol | meaning | unit |
| --- | --- | --- |
| X | any figure of `voltherm.site.outputs` | SI |
| T_db | dry bulb of the hour, from the parametric year or an EPW file | K |
"""

import dataclasses
import functools
from collections.abc import Callable, Mapping

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from voltherm.numerics import ResultCode
from voltherm.site.build import with_parameters
from voltherm.site.climate import HOURS, MONTH_DAYS, month_of_hour
from voltherm.site.coupling import steady
from voltherm.site.outputs import outputs
from voltherm.site.sections import Site
from voltherm.site.states import SiteState
from voltherm.site.supply_temperature import PATH, allowed_supply_temperature

DRY_BULB = "climate.dry_bulb"
_LANES = 8
_TRIM_HEAT = 1e3  # W: less is not called trim chilling
_CHECKED_HOURS = 12
_SECONDS = 3600.0
ENERGIES = (
    "it_power",
    "facility_power",
    "cooling_power",
    "dry_cooler_fan_power",
    "trim_chiller_power",
    "air_chiller_power",
    "cdu_pump_power",
    "facility_pump_power",
    "air_handler_power",
    "ups_loss",
    "network_loss",
)


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
    """Totals of a year. Energies [J] by name, in all and by month (12,); hours; indicators with their boundary in `outputs`.

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
    reading_error: float


@eqx.filter_jit
def _at_set_point(site: Site, start: SiteState, dry_bulbs: Float[Array, "ambient"]):
    def one(dry_bulb: Float[Array, ""]):
        there = with_parameters(site, {DRY_BULB: dry_bulb})
        solution = steady(there, initial=start)
        return there.secondary.supply_temperature, outputs(there, solution.value), solution.status.result

    return jax.lax.map(one, dry_bulbs, batch_size=_LANES)


@eqx.filter_jit
def _at_allowed(site: Site, start: SiteState, dry_bulbs: Float[Array, "ambient"]):
    def one(dry_bulb: Float[Array, ""]):
        there = with_parameters(site, {DRY_BULB: dry_bulb})
        solution, state = allowed_supply_temperature(there, start)
        held = with_parameters(there, {PATH: solution.value})
        return solution.value, outputs(held, state), solution.status.result

    return jax.lax.map(one, dry_bulbs, batch_size=_LANES)


def response(
    site: Site,
    start: SiteState,
    dry_bulbs: np.ndarray,
    *,
    allowed: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Response:
    """The site at every dry bulb [K]: at its set point, or (`allowed`) at the highest one its chips allow.

    `start`: a solved state. `progress(done, all)` is called as points finish. One compilation for any grid.
    """
    solve = _at_allowed if allowed else _at_set_point
    dtype = site.climate.dry_bulb.dtype
    set_points, figures, results = [], [], []
    for first in range(0, len(dry_bulbs), _LANES):
        part = dry_bulbs[first : first + _LANES]
        padded = np.concatenate([part, np.full(_LANES - len(part), part[-1])])
        answer = jax.tree.map(np.asarray, solve(site, start, jnp.asarray(padded, dtype)))
        set_point, named, result = jax.tree.map(lambda values, count=len(part): values[:count], answer)
        set_points.append(set_point)
        figures.append(named)
        results.append(result)
        if progress is not None:
            progress(min(first + _LANES, len(dry_bulbs)), len(dry_bulbs))
    return Response(
        np.asarray(dry_bulbs),
        np.concatenate(set_points),
        {name: np.concatenate([part[name] for part in figures]) for name in figures[0]},
        np.concatenate(results),
    )


def grid(dry_bulb: np.ndarray, lowest: float = 263.15, highest: float = 318.15, step: float = 1.0) -> np.ndarray:
    """Dry bulbs [K] every `step` from -10 to 45 °C, widened where the year leaves that range."""
    low = min(lowest, lowest + step * np.floor((dry_bulb.min() - lowest) / step))
    high = max(highest, highest + step * np.ceil((dry_bulb.max() - highest) / step))
    return np.linspace(low, high, round((high - low) / step) + 1)


def year(site: Site, start: SiteState, curve: Response, dry_bulb: np.ndarray, *, checked: bool = True) -> Year:
    """Totals of the hours with dry bulbs `dry_bulb` (8760,) [K], read from the response `curve`.

    **Raises**: `ValueError` where an hour lies outside the curve or a point of the curve near it did not converge.
    """
    read = _reader(curve, dry_bulb)
    power = {name: read(name) for name in ENERGIES}
    month = month_of_hour()

    def by_month(values: np.ndarray) -> np.ndarray:
        return np.bincount(month, weights=values, minlength=12)

    water = float(site.building.count * site.facility.volume * site.facility.makeup_fraction)
    it_energy = float(np.sum(power["it_power"]) * _SECONDS)
    return Year(
        dry_bulb=dry_bulb,
        energy={name: float(np.sum(values) * _SECONDS) for name, values in power.items()},
        monthly_energy={name: by_month(values) * _SECONDS for name, values in power.items()},
        hours_above_limit=int(np.sum(read("junction_margin") < 0.0)),
        hours_of_trim=int(np.sum(read("trim_chiller_heat") > _TRIM_HEAT)),
        pue=float(np.sum(power["facility_power"]) / np.sum(power["it_power"])),
        monthly_pue=by_month(power["facility_power"]) / by_month(power["it_power"]),
        water=water,
        monthly_water=water * np.asarray(MONTH_DAYS) / 365.0,
        wue=water * 1e3 / (it_energy / 3.6e6),
        reading_error=_reading_error(site, start, curve, dry_bulb, power["facility_power"]) if checked else float("nan"),
    )


def _reader(curve: Response, dry_bulb: np.ndarray) -> Callable[[str], np.ndarray]:
    # SciPy is a dependency of JAX itself; imported here, as its import is slow and only a year needs it
    from scipy.interpolate import PchipInterpolator

    if dry_bulb.shape != (HOURS,):
        raise ValueError(f"a year has {HOURS} hours, not {dry_bulb.shape[0]}")
    if dry_bulb.min() < curve.dry_bulb[0] or dry_bulb.max() > curve.dry_bulb[-1]:
        raise ValueError("the year is colder or hotter than the curve it is read from; take the curve over `grid(dry_bulb)`")
    good = curve.result == ResultCode.CONVERGED
    needed = np.interp(dry_bulb, curve.dry_bulb, good.astype(float))
    if np.any(needed < 1.0):
        worst = dry_bulb[np.argmin(needed)] - 273.15
        raise ValueError(f"the site has no steady state at {worst:.1f} degC, which the year reaches")

    @functools.cache
    def read(name: str) -> np.ndarray:
        return PchipInterpolator(curve.dry_bulb[good], curve.figures[name][good])(dry_bulb)

    return read


def _reading_error(site: Site, start: SiteState, curve: Response, dry_bulb: np.ndarray, read: np.ndarray) -> float:
    hours = np.linspace(0, HOURS - 1, _CHECKED_HOURS).astype(int)
    held = np.interp(dry_bulb[hours], curve.dry_bulb, curve.set_point)
    if np.ptp(curve.set_point) > 0.0:
        # a moving set point is itself read from the curve, so the check solves each hour at the set point read
        solved = np.asarray(
            [
                response(
                    with_parameters(site, {PATH: float(set_point)}), start, dry_bulb[hour : hour + 1]
                ).figures["facility_power"][0]
                for hour, set_point in zip(hours, held, strict=True)
            ]
        )
    else:
        at = with_parameters(site, {PATH: float(held[0])})
        solved = response(at, start, dry_bulb[hours]).figures["facility_power"]
    return float(np.max(np.abs(read[hours] / solved - 1.0)))
