"""Bands of a site's main figures: to first order from its gradients, and by solving it with drawn numbers.

    p = quantile at q of N(value, u_p) cut to the range of the number,   q from a Latin hypercube

| symbol | meaning | unit |
| --- | --- | --- |
| p, u_p | number of the case and its standard uncertainty, see `voltherm.study.uncertainty` | that of p |
| q | position in the unit cube: one in each of n equal slices for every number | 1 |

Every sample is one solve at the set point and one search for the highest supply, eight of them a batch of the compiled
function that also answers hot days and curves. The search begins where the first-order band expects it to end.

Source: JCGM 101:2008, propagation of distributions; McKay, Beckman and Conover (1979), Technometrics 21, 239-245.
"""

from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from voltherm.numerics import ResultCode
from voltherm.site.build import parameter, with_parameters
from voltherm.site.sections import Site
from voltherm.site.states import SiteState
from voltherm.site.supply_temperature import CHIPS_ALONE, PATH
from voltherm.site.year import LANES, Lanes, repeated, solve_sites
from voltherm.study.sensitivity import site_gradients
from voltherm.study.uncertainty import (
    CHIP_MARGINS,
    CHIP_SUPPLY,
    GRADIENTS,
    SET_POINT_FIGURES,
    Tolerance,
    Uncertainty,
    band,
    chip_supply_derivatives,
    with_samples,
)

_SEED = 0
Numbers = Mapping[str, Float[np.ndarray, "sample"]]
Progress = Callable[[int, int], None]


def site_uncertainty(
    site: Site,
    state: SiteState,
    figures: Mapping[str, float],
    tolerances: Mapping[str, Tolerance],
    *,
    gradients: Mapping[str, Mapping[str, float]] | None = None,
    chip_supply: float | None = None,
    samples: int = 0,
    progress: Progress | None = None,
) -> Uncertainty:
    """Bands of the main figures of a site.

    **Arguments**

    - `state`, `figures`: its solved state at the set point, and the figures there
    - `tolerances`: by dotted path
    - `gradients`: of `GRADIENTS` at the set point by figure and path, where they are known already
    - `chip_supply`: the highest supply [K] that the chips allow; None where they allow none
    - `samples`: how often the site is solved with drawn numbers; 0 for none

    **Raises**: `KeyError` with the path that names no number.
    """
    known = site_gradients(site, state, GRADIENTS) if gradients is None else gradients
    bands, expected = {}, None
    drawn = sampled_numbers(site, tolerances, samples) if samples > 0 else {}
    if chip_supply is not None:
        slopes, there = chip_supply_slopes(site, state, chip_supply)
        bands[CHIP_SUPPLY] = band(chip_supply, slopes, tolerances)
        moved = sum((slopes[path] * (values - float(parameter(site, path))) for path, values in drawn.items()), 0.0)
        expected = (np.nan_to_num(chip_supply + moved, nan=chip_supply), there)
    bands |= {name: band(figures[name], known[name], tolerances) for name in SET_POINT_FIGURES}
    found = Uncertainty(bands)
    if samples > 0:
        found = with_samples(found, sampled_figures(site, state, drawn, highest=expected, progress=progress))
    return found


def chip_supply_slopes(site: Site, state: SiteState, chip_supply: float) -> tuple[dict[str, float], SiteState]:
    """Derivatives by path of the highest supply that the chips allow, `chip_supply` [K], and the solved state there."""
    warmer = with_parameters(site, {PATH: chip_supply})
    solved = solve_sites(repeated(warmer), state, jnp.zeros(LANES, bool))
    there = jax.tree.map(lambda values: values[0], solved.state)
    binding = min(CHIP_MARGINS, key=lambda name: float(solved.figures[name][0]))
    return chip_supply_derivatives(site_gradients(warmer, there, GRADIENTS)[binding]), there


def sampled_numbers(
    site: Site, tolerances: Mapping[str, Tolerance], count: int
) -> dict[str, Float[np.ndarray, "sample"]]:
    """`count` values of every number with a tolerance, by path; the same for the same arguments."""
    # imported here, as its import is slow and only samples need it
    from scipy.stats import qmc, truncnorm

    unit = qmc.LatinHypercube(len(tolerances), rng=_SEED).random(count)
    drawn = {}
    for (path, tolerance), position in zip(tolerances.items(), unit.T, strict=True):
        value, spread = float(parameter(site, path)), tolerance.standard_uncertainty
        low, high = ((end - value) / spread for end in (tolerance.minimum, tolerance.maximum))
        drawn[path] = truncnorm.ppf(position, low, high, loc=value, scale=spread)
    return drawn


def sampled_figures(
    site: Site,
    state: SiteState,
    numbers: Numbers,
    *,
    highest: tuple[Float[np.ndarray, "sample"], SiteState] | None = None,
    progress: Progress | None = None,
) -> dict[str, Float[np.ndarray, "sample"]]:
    """Figures of `voltherm.study.uncertainty.BANDS` over samples of numbers: NaN where a sample has no steady state,
    and minus infinity where no set point serves.

    **Arguments**

    - `state`: a solved state at the set point
    - `numbers`: by path, as `sampled_numbers` gives them
    - `highest`: where the highest supply [K] of every sample is expected, and a solved state near it; by default the
      search begins at the set point
    """
    count = len(next(iter(numbers.values())))
    sites = repeated(site)
    parts = []
    for first in range(0, count, LANES):
        lanes = np.minimum(np.arange(first, first + LANES), count - 1)
        moved = with_parameters(sites, {path: values[lanes] for path, values in numbers.items()})
        at_set_point = solve_sites(moved, state, jnp.zeros(LANES, bool))
        expected, near = (None, state) if highest is None else (highest[0][lanes], highest[1])
        alone = with_parameters(moved, CHIPS_ALONE)
        warmer = alone if expected is None else with_parameters(alone, {PATH: expected})
        parts.append(_read(at_set_point, solve_sites(warmer, near, jnp.ones(LANES, bool))))
        if progress is not None:
            progress(min(first + LANES, count), count)
    return {name: np.concatenate([part[name] for part in parts])[:count] for name in parts[0]}


def _read(at_set_point: Lanes, highest: Lanes) -> dict[str, Float[np.ndarray, "lane"]]:
    """The figures of the lanes; where no set point serves, the highest supply is minus infinity."""

    def solved(lanes: Lanes, values: Array) -> np.ndarray:
        return np.where(np.asarray(lanes.result) == ResultCode.CONVERGED, np.asarray(values), np.nan)

    supply = np.where(np.asarray(highest.result) == ResultCode.LIMIT, -np.inf, solved(highest, highest.set_point))
    return {CHIP_SUPPLY: supply} | {
        name: solved(at_set_point, at_set_point.figures[name]) for name in SET_POINT_FIGURES
    }
