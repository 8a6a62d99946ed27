"""Exchangers: heat flows from warm to cold, at both ends of every CDU.

    T_hot,in - T_cold,out >= 0,   T_hot,out - T_cold,in >= 0       counterflow

| symbol | meaning | unit | source |
| --- | --- | --- | --- |
| T_hot | coolant of the row entering (warmed by the pump) and leaving the exchanger | K | solved |
| T_cold | facility water, entering and leaving | K | solved |

The second law; an answer that breaks it is not physical whatever its residuals say.
"""

from collections.abc import Iterator

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from voltherm.site.findings.finding import KELVINS, Elements, Finding, Values, outside
from voltherm.site.fluids import liquid_named
from voltherm.site.sections import Site
from voltherm.site.states import SiteState

_ROUNDING = 1e-6
"""K."""


def approaches(site: Site, state: SiteState) -> Float[Array, "building row"]:
    """Smaller of the temperature differences [K] at the two ends of every CDU's exchanger."""
    rows, liquid = state.buildings.rows, liquid_named(site.secondary.fluid)
    supply = jnp.asarray(state.buildings.facility.plant.supply_temperature)[:, None]
    pump = rows.pump_shaft_power / rows.mass_flow
    hot = liquid.temperature_at_enthalpy(liquid.specific_enthalpy(rows.return_temperature) + pump)
    return jnp.minimum(rows.supply_temperature - supply, hot - rows.facility_return_temperature)


def approach_findings(found: Values, elements: Elements) -> Iterator[Finding]:
    """Exchangers in which heat would flow from cold to warm."""
    found = np.asarray(found)
    group = outside(found < -_ROUNDING, -found, elements)
    if group is None:
        return
    value = float(found[group.worst])
    yield Finding(
        "second law",
        elements.several,
        group.element,
        value,
        0.0,
        "K",
        "unphysical",
        group.count,
        group.total,
        -value / KELVINS,
        f"{group.said('has', 'have')} a hot end {-value:.2f} K colder than the cold one{group.remark}: heat does not "
        "flow from cold to warm",
    )
