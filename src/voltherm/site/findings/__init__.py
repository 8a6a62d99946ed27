"""What is outside its range in a solved site: laws beyond their data, streams, machines, pipes and rooms.

Inside a solve every law runs on without a word, so that Newton may pass anywhere on its way. Whoever shows a result
asks here. Each rule has a module with its equation, source and range; the limits are numbers of the configuration.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Float

from voltherm.site.balances import closing_limit
from voltherm.site.findings.exchangers import approach_findings, approaches
from voltherm.site.findings.finding import SEVERITIES as SEVERITIES
from voltherm.site.findings.finding import Elements, Finding
from voltherm.site.findings.outdoor import outdoor_findings
from voltherm.site.findings.pumps import PumpStates, pump_findings, pump_states
from voltherm.site.findings.racks import (
    KINDS,
    flow_findings,
    memory_findings,
    plate_findings,
    plate_flows,
    rack_flows,
    supply_findings,
)
from voltherm.site.findings.rooms import dew_findings, return_air_findings
from voltherm.site.findings.streams import Stream, stream_findings, streams
from voltherm.site.findings.velocities import Velocities, velocities, velocity_findings
from voltherm.site.fluids import liquid_named
from voltherm.site.layout import Layout, layout
from voltherm.site.sections import Site
from voltherm.site.states import SiteState

_RESIDUALS = {
    "heat_residual": "heat",
    "mass_residual": "mass and pressure",
    "power_residual": "electrical power",
    "site_residual": "the whole site",
}


class _Measures(NamedTuple):
    """What the rules judge, computed in one program."""

    pumps: tuple[PumpStates, PumpStates]
    streams: tuple[Stream, Stream, Stream]
    velocities: Velocities
    plate_flows: dict[str, Float[Array, "building row rack tray"]]
    flow_per_heat: Float[Array, "building row rack"]
    approaches: Float[Array, "building row"]


@eqx.filter_jit
def _measured(site: Site, state: SiteState) -> _Measures:
    return _Measures(
        pump_states(site, state),
        streams(state),
        velocities(site, state),
        plate_flows(site, state),
        rack_flows(site, state),
        approaches(site, state),
    )


def findings(
    site: Site,
    state: SiteState,
    *,
    figures: Mapping[str, float] | None = None,
    dry_bulb: Float[np.ndarray, "hour"] | None = None,
) -> tuple[Finding, ...]:
    """Everything that is outside its range in a solved state, the worst first; equal elements are told together.

    **Arguments**

    - `state`: of `steady`; of a failed one (NaN) nothing is said
    - `figures`: of `outputs` there; with them a balance that does not close is a finding
    - `dry_bulb`: hours of a year [K], against the coldest of which outdoor coils are judged; None judges none

    **Returns**: the findings. Those that are "unphysical" say that no such state exists: the answer is not to be used.
    """
    if not np.all(np.isfinite(np.asarray(state.unknowns))):
        return ()
    measured = jax.tree.map(np.asarray, _measured(site, state))
    names = layout(site)
    rules = (
        _machines(site, measured, names),
        _liquids(site, measured, names),
        _computing(site, state, measured, names),
        velocity_findings(site, measured.velocities, names),
        _rooms(site, state, names),
        _coils(site, dry_bulb),
        _open_balances(figures or {}, closing_limit(np.asarray(state.unknowns).dtype)),
    )
    return tuple(sorted((each for rule in rules for each in rule), key=lambda each: each.rank))


def _per_building(names: Layout, what: str, several: str) -> Elements:
    return Elements(f"the {what}", several, lambda index: names.within(index[0], what))


def _machines(site: Site, measured: _Measures, names: Layout) -> Iterator[Finding]:
    def cdu(index: tuple[int, ...]) -> str:
        return names.cdu(*index)

    secondary, facility = measured.pumps
    yield from pump_findings(site.limits, secondary, Elements("the CDU's pump", "CDU pumps", cdu))
    station = _per_building(names, "facility pumps", "stations of facility pumps")
    yield from pump_findings(site.limits, facility, station)
    yield from approach_findings(measured.approaches, Elements("the CDU", "CDUs", cdu))


def _liquids(site: Site, measured: _Measures, names: Layout) -> Iterator[Finding]:
    coolant, water = liquid_named(site.secondary.fluid), liquid_named(site.facility.fluid)
    rows = Elements("the secondary loop", "secondary loops", lambda index: names.cdu(*index))
    for stream, liquid, elements in zip(
        measured.streams,
        (coolant, water, water),
        (
            rows,
            _per_building(names, "facility water", "facility water loops"),
            _per_building(names, "chilled water", "chilled-water loops"),
        ),
        strict=True,
    ):
        yield from stream_findings(stream, liquid, float(site.limits.freezing_margin), elements)


def _computing(site: Site, state: SiteState, measured: _Measures, names: Layout) -> Iterator[Finding]:
    racks = state.buildings.racks
    for kind in KINDS:
        yield from plate_findings(kind, measured.plate_flows[kind], names)
        junction = np.asarray(getattr(racks, f"{kind}_temperature"))
        yield from memory_findings(kind, getattr(site.rack, kind), junction, names)
    yield from flow_findings(site.limits, measured.flow_per_heat, names)
    yield from supply_findings(site.limits, state.buildings.rows.supply_temperature, names)


def _rooms(site: Site, state: SiteState, names: Layout) -> Iterator[Finding]:
    buildings = state.buildings
    rows = Elements("the row's supply", "supplies of the rows", lambda index: names.cdu(*index))
    yield from dew_findings(site, buildings.rows.supply_temperature, rows)
    facility = _per_building(names, "facility water at the CDUs", "supplies of facility water")
    yield from dew_findings(site, buildings.facility.plant.supply_temperature, facility)
    chilled = _per_building(names, "chilled water at the coils", "supplies of chilled water")
    yield from dew_findings(site, buildings.air.plant.supply_temperature, chilled)
    returning = _per_building(names, "air behind the racks", "buildings' air behind the racks")
    yield from return_air_findings(site, buildings.air.return_temperature, returning)


def _coils(site: Site, dry_bulb: np.ndarray | None) -> Iterator[Finding]:
    if dry_bulb is None:
        return
    fluid, liquid = site.facility.fluid, liquid_named(site.facility.fluid)
    margin, buildings = float(site.limits.freezing_margin), site.building.count
    for count, loop in ((site.dry_coolers.count, "facility loop"), (site.air.dry_coolers, "chilled water")):
        yield from outdoor_findings(dry_bulb, liquid, fluid, margin, loop, buildings * round(float(count)))


def _open_balances(figures: Mapping[str, float], limit: float) -> Iterator[Finding]:
    for figure, what in _RESIDUALS.items():
        value = figures.get(figure, 0.0)
        if abs(value) < limit:
            continue
        yield Finding(
            "balance",
            what,
            what,
            value,
            limit,
            "1",
            "unphysical",
            1,
            1,
            abs(value),
            f"the balance of {what} does not close: {value:.1e} of the larger side is missing",
        )
