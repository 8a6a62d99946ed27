"""Uncertainty of a site's figures from the tolerances of its numbers, to first order.

    u_p   = U_p / k                                  a number p written ``value +- U_p``
    u_F^2 = Σ (dF/dp u_p)^2                          numbers independent of each other
    dT*/dp = -(∂m/∂p) / (∂m/∂T)                      highest supply of the chips, m(T*, p) = 0; dT*/dT = 0
    F ± k u_F                                        holds the figure with about 95 %

| symbol | meaning | unit |
| --- | --- | --- |
| p, U_p, u_p | number of the case, its tolerance and its standard uncertainty | that of p |
| k | coverage factor: 2, so that a tolerance is what holds a normally distributed number with about 95 % | 1 |
| F, u_F | figure and its combined standard uncertainty | that of F |
| T, T* | set point of the secondary supply, the highest that the chips alone allow | K |
| m | smallest margin of chips or their memory, at the highest supply that they allow | K |

Source: JCGM 100:2008 (GUM): a stated interval with its level of confidence is one of type B, 4.3.4; combination, 5.1.2
equation 10; coverage factor 2, G.6.6.

Range of validity: tolerances over which the figures are nearly linear, and numbers that are not tied to each other. At
a limit, and where another chip takes over as the hottest, the derivative is that of the active set; what lies beyond is
seen by sampling (`voltherm.study.site_uncertainty`).
"""

import dataclasses
import math
from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

from voltherm.site.supply_temperature import PATH

COVERAGE_FACTOR = 2.0
"""Tolerance over standard uncertainty."""

CHIP_SUPPLY = "chip_supply"
"""The highest supply that the chips allow, whatever the maker of the racks does."""
SET_POINT_FIGURES = ("junction_margin", "cooling_power", "pue", "it_power")
"""Figures of the hot day at the set point that get a band."""
CHIP_MARGINS = ("junction_margin", "memory_margin")
"""Figures of which the smaller one ends the highest supply that the chips allow."""
GRADIENTS = (*SET_POINT_FIGURES, CHIP_MARGINS[1])
"""Figures of which the bands need the gradient: one compiled program for all of them."""
BANDS = (CHIP_SUPPLY, *SET_POINT_FIGURES)
"""Names of all bands, in the order of tables."""
QUANTILES = (0.05, 0.5, 0.95)
"""What is told of sampled figures."""


@dataclasses.dataclass(frozen=True)
class Tolerance:
    """What a number may be off by: half-width of the interval that holds it with about 95 %, and the range that it
    never leaves. All in SI."""

    half_width: float
    minimum: float = -math.inf
    maximum: float = math.inf

    @property
    def standard_uncertainty(self) -> float:
        """Half-width over the coverage factor."""
        return self.half_width / COVERAGE_FACTOR


@dataclasses.dataclass(frozen=True)
class Band:
    """A figure with its uncertainty (SI).

    `contributions`: dF/dp u_p of every number with a tolerance, signed; `quantiles`: of the sampled figure at
    `QUANTILES`, empty where nothing was sampled.
    """

    value: float
    standard_uncertainty: float
    contributions: Mapping[str, float]
    quantiles: tuple[float, ...] = ()

    @property
    def half_width(self) -> float:
        """Expanded uncertainty: to both sides of the value with about 95 %."""
        return COVERAGE_FACTOR * self.standard_uncertainty

    @property
    def largest(self) -> str:
        """Path of the number that contributes most; empty where none does."""
        path = max(self.contributions, key=lambda each: abs(self.contributions[each]), default="")
        return path if path and self.contributions[path] != 0.0 else ""


@dataclasses.dataclass(frozen=True)
class Uncertainty:
    """Bands by name of `BANDS` (the highest supply only where the chips allow one).

    `samples`: how many were solved; `failed`: without a steady state; `unserved`: where no set point keeps every chip.
    """

    bands: Mapping[str, Band]
    samples: int = 0
    failed: int = 0
    unserved: int = 0


def band(value: float, derivatives: Mapping[str, float], tolerances: Mapping[str, Tolerance]) -> Band:
    """A figure's band to first order; `derivatives` by path, of at least the numbers with a tolerance."""
    contributions = {path: derivatives[path] * tolerance.standard_uncertainty for path, tolerance in tolerances.items()}
    return Band(value, math.sqrt(math.fsum(each**2 for each in contributions.values())), contributions)


def chip_supply_derivatives(margin: Mapping[str, float]) -> dict[str, float]:
    """dT*/dp by path, from the derivatives of the margin that binds at the highest supply, its set point's among them.

    NaN where the margin does not fall with the set point: the supply floats, and no set point is the highest.
    """
    slope = margin[PATH]
    held = slope < 0.0
    return {
        path: 0.0 if path == PATH else (-derivative / slope if held else math.nan)
        for path, derivative in margin.items()
    }


def with_samples(found: Uncertainty, samples: Mapping[str, Float[np.ndarray, "sample"]]) -> Uncertainty:
    """The bands with the quantiles of sampled figures.

    Samples without a steady state are NaN and left out. A highest supply of minus infinity says that no set point
    serves, and counts as lower than any other.
    """
    bands = {}
    for name, each in found.bands.items():
        values = samples[name][~np.isnan(samples[name])]
        # values of the sample itself: none lies between a temperature and none
        told = np.quantile(values, QUANTILES, method="inverted_cdf") if values.size else ()
        bands[name] = dataclasses.replace(each, quantiles=tuple(float(value) for value in told))
    failed = np.any([np.isnan(values) for values in samples.values()], axis=0)
    return Uncertainty(bands, len(failed), int(np.sum(failed)), int(np.sum(np.isneginf(samples[CHIP_SUPPLY]))))
