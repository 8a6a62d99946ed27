"""Streams: is every liquid within the data of its properties, above freezing and below boiling?

    T >= T_freezing + margin,   p_v(T_hottest) < p_lowest

| symbol | meaning | unit | source |
| --- | --- | --- | --- |
| T | supply and return temperatures of a loop | K | solved |
| T_freezing, p_v | freezing point and vapour pressure of its liquid | K, Pa | `voltherm.media` |
| p_lowest | lowest absolute pressure at a node of the loop | Pa | solved |

Loops: that of every row, facility water of every building, chilled water of every building (of which no pressure is
known). Pressures hold at one height. A liquid that is frozen, boils or has no known composition has no such state;
beyond the data its properties are extrapolated.
"""

from collections.abc import Iterator
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from voltherm.media import AbstractLiquid, outside_range
from voltherm.site.findings.finding import KELVINS, Elements, Finding, outside
from voltherm.site.states import SiteState

_RULES: dict[str, tuple[str, str, str]] = {
    "fraction": ("fluid data", "limit", "1"),
    "frozen": ("freezing", "unphysical", "K"),
    "near freezing": ("freezing", "limit", "K"),
    "cold": ("fluid data", "practice", "K"),
    "hot": ("fluid data", "practice", "K"),
    "boiling": ("boiling", "unphysical", "Pa"),
}
"""Kind of finding, severity and unit by what is wrong."""


class Stream(NamedTuple):
    """Extremes of loops of one kind [K, Pa]; `pressure` is None where it is not known."""

    coldest: Float[Array, "..."]
    hottest: Float[Array, "..."]
    pressure: Float[Array, "..."] | None


def streams(state: SiteState) -> tuple[Stream, Stream, Stream]:
    """Secondary loops (building, row), facility water (building,) and chilled water (building,)."""
    rows, facility, chilled = state.buildings.rows, state.buildings.facility, state.buildings.air.plant
    plant = facility.plant
    racks = jnp.max(jnp.asarray(state.buildings.racks.return_temperature), axis=-1)
    secondary = Stream(
        jnp.minimum(rows.supply_temperature, rows.return_temperature),
        jnp.maximum(jnp.maximum(rows.supply_temperature, rows.return_temperature), racks),
        jnp.min(jnp.asarray(state.flows.rows.pressure), axis=-1),
    )
    back = jnp.max(jnp.asarray(rows.facility_return_temperature), axis=-1)
    water = Stream(
        jnp.minimum(plant.supply_temperature, plant.return_temperature),
        jnp.maximum(jnp.maximum(plant.supply_temperature, plant.return_temperature), back),
        jnp.min(jnp.asarray(state.flows.facility.pressure), axis=-1),
    )
    cold = Stream(
        jnp.minimum(chilled.supply_temperature, chilled.return_temperature),
        jnp.maximum(chilled.supply_temperature, chilled.return_temperature),
        None,
    )
    return secondary, water, cold


def stream_findings(
    stream: Stream, liquid: AbstractLiquid, freezing_margin: float, elements: Elements
) -> Iterator[Finding]:
    """What is outside the range of these loops."""
    coldest, hottest = np.asarray(stream.coldest), np.asarray(stream.hottest)
    extremes = np.stack([coldest, hottest])
    for problem in outside_range(liquid, extremes, "stream", freezing_margin=freezing_margin, pressure=stream.pressure):
        kind, severity, unit = _RULES[problem.what]
        difference = abs(problem.value - problem.bound)
        if unit != "K":
            # the composition is that of all loops, and so are pressures to the height of a pump
            beyond, badness, excess = np.isfinite(hottest), hottest, difference / max(abs(problem.bound), 1.0)
        elif problem.what == "hot":
            beyond, badness, excess = hottest > problem.bound, hottest, difference / KELVINS
        else:
            beyond, badness, excess = coldest < problem.bound, -coldest, difference / KELVINS
        group = outside(beyond, badness, elements)
        assert group is not None
        _, _, told = problem.sentence.partition(": ")
        yield Finding(
            kind,
            elements.several,
            group.element,
            problem.value,
            problem.bound,
            unit,
            severity,
            group.count,
            group.total,
            excess,
            f"{group.counted}{group.remark}: {told}",
        )
