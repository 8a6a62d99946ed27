"""By how much the limits of a site are passed: dimensionless, and held where at or below zero.

    g = -margin / 10 K,   |voltage - limit| / 0.1 p.u. beyond it,   loading - limit,   least flow / flow - 1

For what tunes and what sweeps: arithmetic on figures of `voltherm.site.outputs`, scalars or arrays, traced or not.
`voltherm.study.limits` names the element that comes nearest to each.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from voltherm.site.findings.finding import ROUNDING

_TEMPERATURE, _VOLTAGE, _SHARE = ("K", 10.0), ("1", 0.1), ("1", 1.0)
_SCALES = {
    "junction temperature": _TEMPERATURE,
    "memory temperature": _TEMPERATURE,
    "supply temperature": _TEMPERATURE,
    "coolant flow": _SHARE,
    "rack inlet air": _TEMPERATURE,
    "lowest voltage": _VOLTAGE,
    "highest voltage": _VOLTAGE,
    "transformer loading": _SHARE,
    "feeder loading": _SHARE,
}
"""Unit of every limit, and how much of it counts as an excess of 1."""
LIMIT_FIGURES = (
    "junction_margin",
    "memory_margin",
    "supply_margin",
    "flow_per_heat",
    "inlet_margin",
    "lowest_voltage",
    "highest_voltage",
    "transformer_loading",
    "feeder_loading",
)
"""Figures that are read."""
LIMIT_NUMBERS = ("flow_minimum", "voltage_minimum", "voltage_maximum", "loading_maximum")
"""Numbers of the section `limits` that are read; the other limits are in the margins."""


def limit_excess(limit: Callable[[str], Any], figures: Mapping[str, Any]) -> dict[str, Any]:
    """Excess over every limit by its name; `limit`: gives a number of `LIMIT_NUMBERS`."""
    beyond = {
        "junction temperature": -figures["junction_margin"],
        "memory temperature": -figures["memory_margin"],
        "supply temperature": -figures["supply_margin"],
        "coolant flow": limit("flow_minimum") / figures["flow_per_heat"] - 1.0,
        "rack inlet air": -figures["inlet_margin"],
        "lowest voltage": limit("voltage_minimum") - figures["lowest_voltage"],
        "highest voltage": figures["highest_voltage"] - limit("voltage_maximum"),
        "transformer loading": figures["transformer_loading"] - limit("loading_maximum"),
        "feeder loading": figures["feeder_loading"] - limit("loading_maximum"),
    }
    return {name: value / _SCALES[name][1] for name, value in beyond.items()}


def passed(excess: Mapping[str, Any]) -> dict[str, Any]:
    """Whether each limit of a `limit_excess` is passed by more than rounding; on the host."""
    units = {name: _SCALES[name] for name in excess}
    # what is not known, NaN, does not hold
    held = {name: np.asarray(value) <= ROUNDING[units[name][0]] / units[name][1] for name, value in excess.items()}
    return {name: ~each for name, each in held.items()}


def beyond_in_words(name: str, excess: float) -> str:
    """An excess of a `limit_excess` in the limit's own unit: "2.1 K", or percentage points."""
    unit, scale = _SCALES[name]
    return f"{excess * scale:.3g} K" if unit == "K" else f"{100.0 * excess * scale:.3g} %"
