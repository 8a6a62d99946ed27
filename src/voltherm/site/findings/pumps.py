r"""Pumps: how far from their best flow they run, and whether their suction keeps the liquid from boiling.

    x = V / (w V_best)
    NPSH_available = (p_suction - p_v(T)) / (rho g),   NPSH_required = w² max(1, x)² NPSH_best

| symbol | meaning | unit | source |
| --- | --- | --- | --- |
| x | flow of one pump over its best flow at its speed | - | affinity laws |
| V, V_best | volume flow; at the best point and rated speed (`pump_nominal_flow`) | m³/s | solved, configuration |
| w | speed over rated speed | - | solved |
| p_suction | absolute pressure at the pump's suction, where the expansion vessel stands | Pa | solved |
| p_v, rho | vapour pressure and density at the temperature T of the return | Pa, kg/m³ | `voltherm.media` |
| NPSH_best | net positive suction head the pump needs at its best point (`pump_required_npsh`) | m | configuration |

Sources: preferred operating region 70 to 120 % of the best flow for usual specific speeds, ANSI/HI 9.6.3 (2017); the
allowable region beyond it is the maker's and stands in the configuration. Margin over the required head: ANSI/HI 9.6.1
(2017), recalled. Required head beyond the best flow: about with its square, Gülich, Centrifugal Pumps (3rd ed., 2014),
section 6.2; below the best flow it does not fall. Default of 4 m: suction specific speed 213 (rpm, m³/s, m) gives
3.2 m at 32 L/s and 2,900 rpm and 3.8 m at 160 L/s and 1,450 rpm. The velocity head at the suction, 0.1 to 0.3 m, is
left out. Beyond x = 1.7 the efficiency's parabola is no pump (`voltherm.coolant.pump_power`).
"""

from collections.abc import Iterator
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from voltherm.media import AbstractLiquid, vapour_pressure
from voltherm.site.findings.finding import Elements, Finding, Group, outside
from voltherm.site.fluids import liquid_named
from voltherm.site.sections import Facility, Limits, Secondary, Site
from voltherm.site.states import SiteState

GRAVITY = 9.80665
"""m/s²."""


class PumpStates(NamedTuple):
    """Pumps of one kind: flow over best flow, and suction heads available and required [m]."""

    relative_flow: Float[Array, "..."]
    available_head: Float[Array, "..."]
    required_head: Float[Array, "..."]


def _states(
    numbers: Secondary | Facility,
    liquid: AbstractLiquid,
    mass_flow: Float[Array, "..."],
    speed: Float[Array, "..."],
    temperature: Float[Array, "..."],
) -> PumpStates:
    # flow and best flow at one density: their ratio is that of the masses
    relative = mass_flow / (speed * numbers.pump_nominal_flow)
    head = (numbers.expansion_pressure - vapour_pressure(liquid, temperature)) / (liquid.density(temperature) * GRAVITY)
    required = numbers.pump_required_npsh * (speed * jnp.maximum(relative, 1.0)) ** 2
    return PumpStates(relative, head, required)


def pump_states(site: Site, state: SiteState) -> tuple[PumpStates, PumpStates]:
    """Pumps of the CDUs (building, row), and one of the facility pumps of every building (building,)."""
    rows, facility = state.buildings.rows, state.buildings.facility
    secondary = _states(
        site.secondary,
        liquid_named(site.secondary.fluid),
        rows.mass_flow,
        rows.pump_speed,
        rows.return_temperature,
    )
    return secondary, _states(
        site.facility,
        liquid_named(site.facility.fluid),
        facility.mass_flow / site.facility.pumps,
        facility.pump_speed,
        facility.plant.return_temperature,
    )


def pump_findings(limits: Limits, states: PumpStates, elements: Elements) -> Iterator[Finding]:
    """What is outside the range of these pumps."""
    relative = np.asarray(states.relative_flow)
    low, high = float(limits.pump_flow_minimum), float(limits.pump_flow_maximum)
    least, most = float(limits.pump_allowable_minimum), float(limits.pump_allowable_maximum)
    regions = f"preferred is {100 * low:.0f} to {100 * high:.0f} %, allowable {100 * least:.0f} to {100 * most:.0f} %"
    above = outside(relative > high, relative, elements)
    if above is not None:
        yield _off_curve(above, float(relative[above.worst]), (high, most), regions, above=True)
    below = outside(relative < low, -relative, elements)
    if below is not None:
        yield _off_curve(below, float(relative[below.worst]), (low, least), regions, above=False)
    available, required = np.asarray(states.available_head), np.asarray(states.required_head)
    short = required + float(limits.npsh_margin) - available
    starved = outside(short > 0.0, short, elements)
    if starved is not None:
        have, need = float(available[starved.worst]), float(required[starved.worst])
        yield Finding(
            "suction head",
            elements.several,
            starved.element,
            have,
            need + float(limits.npsh_margin),
            "m",
            "unphysical" if have <= 0.0 else "limit",
            starved.count,
            starved.total,
            float(short[starved.worst]) / max(need, 1.0),
            f"{starved.said('has', 'have')} {have:.1f} m of net positive suction head{starved.remark} and "
            f"{'needs' if starved.count == 1 else 'need'} {need:.1f} m with {float(limits.npsh_margin):g} m to spare: "
            "raise the pressure that the expansion vessel holds",
        )


def _off_curve(group: Group, value: float, ends: tuple[float, float], regions: str, *, above: bool) -> Finding:
    preferred, allowable = ends
    beyond = value > allowable if above else value < allowable
    cure = "a smaller head or a larger flow" if above else "fewer pumps, a smaller one or a bypass"
    return Finding(
        "pump flow",
        group.elements.several,
        group.element,
        value,
        preferred,
        "1",
        "limit" if beyond else "practice",
        group.count,
        group.total,
        abs(value / preferred - 1.0),
        f"{group.said('runs', 'run')} at {100 * value:.0f} % of {'its' if group.count == 1 else 'their'} best flow"
        f"{group.remark}; {regions}: choose {cure} for the duty",
    )
