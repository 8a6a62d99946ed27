"""Figures with their uncertainty in words: rounded to what their band allows.

A figure is written to the second significant digit of its standard uncertainty, the ends of its band to the first
(JCGM 100:2008, 7.2.6). A figure without a band keeps the digits of its table.
"""

import math
from typing import Any, NamedTuple

from voltherm.report.quantities import ZERO_CELSIUS, number
from voltherm.study.answer import Answer
from voltherm.study.sensitivity import Sensitivity
from voltherm.study.uncertainty import BANDS, CHIP_SUPPLY, QUANTILES, Band

_LABELS = {
    CHIP_SUPPLY: "Highest supply that the chips allow",
    "junction_margin": "Smallest chip margin at the set point",
    "cooling_power": "Cooling power at the set point",
    "pue": "PUE of the hot day at the set point",
    "it_power": "IT power at the set point",
}
_LEAST_EFFECT = 5e-4  # K: less is written as zero
_LARGE = 1e7  # W: powers from here on are in MW


class _Unit(NamedTuple):
    """User value = (SI value - `offset`) / `scale`."""

    name: str
    scale: float = 1.0
    offset: float = 0.0


def _unit(name: str, value: float) -> _Unit:
    if name == CHIP_SUPPLY:
        return _Unit(" °C", offset=ZERO_CELSIUS)
    if name == "junction_margin":
        return _Unit(" K")
    if name == "pue":
        return _Unit("")
    return _Unit(" MW", 1e6) if abs(value) >= _LARGE else _Unit(" kW", 1e3)


def decimals(uncertainty: float) -> int:
    """Decimals that show two significant digits of an uncertainty; none of what is 10 or more."""
    return max(1 - math.floor(math.log10(uncertainty)), 0)


def band_of(answer: Answer, name: str) -> Band | None:
    """The band of a figure, None where it has none or where nothing moves it."""
    found = None if answer.uncertainty is None else answer.uncertainty.bands.get(name)
    known = found is not None and math.isfinite(found.standard_uncertainty) and found.standard_uncertainty > 0.0
    return found if known else None


def value_within(answer: Answer, name: str) -> str | None:
    """A figure with its unit, rounded to its band; None where it has none."""
    found = band_of(answer, name)
    return None if found is None else _value(name, found)


def interval(answer: Answer, name: str) -> str | None:
    """The band of a figure in words, such as "38 to 56 °C with 95 %"; None where it has none."""
    found = band_of(answer, name)
    return None if found is None else f"{_ends(name, found)} with 95 %"


def figure_within(answer: Answer, name: str) -> str | None:
    """A figure and its band, such as "46.9 °C, 38 to 56 °C with 95 %"; None where it has none."""
    found = band_of(answer, name)
    return None if found is None else f"{_value(name, found)}, {_ends(name, found)} with 95 %"


def margin_digits(answer: Answer, otherwise: int) -> int:
    """Decimals of chip margins at the set point: those of the smallest one's band."""
    found = band_of(answer, "junction_margin")
    return otherwise if found is None else min(decimals(found.standard_uncertainty), otherwise)


def not_known(answer: Answer) -> list[Sensitivity]:
    """The numbers with a tolerance that move the smallest chip margin, the largest effect first."""
    return [each for each in answer.sensitivities if each.toleranced and abs(each.effect) >= _LEAST_EFFECT]


def _value(name: str, found: Band) -> str:
    unit = _unit(name, found.value)
    digits = decimals(found.standard_uncertainty / unit.scale)
    return f"{number((found.value - unit.offset) / unit.scale, digits)}{unit.name}"


def _ends(name: str, found: Band) -> str:
    unit = _unit(name, found.value)
    digits = max(decimals(found.standard_uncertainty / unit.scale) - 1, 0)
    low, high = (
        number((found.value + side * found.half_width - unit.offset) / unit.scale, digits) for side in (-1.0, 1.0)
    )
    return f"{low} to {high}{unit.name}"


def band_rows(answer: Answer) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Header and rows of the table of bands."""
    header = ["figure", "value", "standard uncertainty", "with 95 %"]
    samples = 0 if answer.uncertainty is None else answer.uncertainty.samples
    if samples:
        shares = ", ".join(f"{100.0 * share:g}" for share in QUANTILES)
        header.append(f"{shares} % of {samples} samples")
    rows = []
    for name in BANDS:
        each = band_of(answer, name)
        if each is None:
            continue
        unit = _unit(name, each.value)
        spread = each.standard_uncertainty / unit.scale
        cells = [_LABELS[name], _value(name, each), f"{number(spread, decimals(spread))}{_difference(unit)}"]
        cells.append(_ends(name, each))
        if samples:
            digits = decimals(spread)
            texts = [
                number((value - unit.offset) / unit.scale, digits) if math.isfinite(value) else "none"
                for value in each.quantiles
            ]
            cells.append(f"{', '.join(texts)}{unit.name}" if texts else "none")
        share = (each.contributions[each.largest] / each.standard_uncertainty) ** 2
        rows.append((*cells, f"{each.largest}, {100.0 * share:.0f} %"))
    return (*header, "most of it from"), tuple(rows)


def _difference(unit: _Unit) -> str:
    return " K" if unit.offset else unit.name


def uncertainty_as_json(answer: Answer) -> dict[str, Any] | None:
    """The bands in SI at full precision, with the rounded text of each; None where no number has a tolerance."""
    found = answer.uncertainty
    if found is None:
        return None
    figures = {}
    for name, each in found.bands.items():
        figures[name] = {
            "text": figure_within(answer, name),
            "value": each.value,
            "standard_uncertainty": each.standard_uncertainty,
            "low": each.value - each.half_width,
            "high": each.value + each.half_width,
            "quantiles": {f"{share:g}": value for share, value in zip(QUANTILES, each.quantiles, strict=False)},
            "contributions": dict(each.contributions),
        }
    counts = {"samples": found.samples, "failed": found.failed, "unserved": found.unserved}
    return {**counts, "figures": figures}
