"""By how much the limits of a site are passed: dimensionless, and held where at or below zero.

    g = -margin / 10 K,   |voltage - limit| / 0.1 p.u. beyond it,   loading - limit,   least flow / flow - 1

For what tunes and what sweeps: arithmetic on figures of `voltherm.site.outputs`, scalars or arrays, traced or not.
`voltherm.study.limits` names the element that comes nearest to each.
"""

from collections.abc import Callable, Mapping
from typing import Any

_TEMPERATURE_SCALE = 10.0  # K
_VOLTAGE_SCALE = 0.1  # p.u.
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
    return {
        "junction temperature": -figures["junction_margin"] / _TEMPERATURE_SCALE,
        "memory temperature": -figures["memory_margin"] / _TEMPERATURE_SCALE,
        "supply temperature": -figures["supply_margin"] / _TEMPERATURE_SCALE,
        "coolant flow": limit("flow_minimum") / figures["flow_per_heat"] - 1.0,
        "rack inlet air": -figures["inlet_margin"] / _TEMPERATURE_SCALE,
        "lowest voltage": (limit("voltage_minimum") - figures["lowest_voltage"]) / _VOLTAGE_SCALE,
        "highest voltage": (figures["highest_voltage"] - limit("voltage_maximum")) / _VOLTAGE_SCALE,
        "transformer loading": figures["transformer_loading"] - limit("loading_maximum"),
        "feeder loading": figures["feeder_loading"] - limit("loading_maximum"),
    }
