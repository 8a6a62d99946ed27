"""What limits a solved site, and what has come to the end of its range, each with the element that comes nearest.

A *limit* must not be passed: junctions, memory, inlet air, the maker's supply and flow, voltages, loadings. It *binds*
where nothing is left of it, and is *violated* where it is passed. A *control* holds a set point, or lets it float.
*Equipment* that has no range left only says that the next kelvin floats.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from jaxtyping import Array

from voltherm.site.electrical import one_line
from voltherm.site.findings.finding import ROUNDING
from voltherm.site.layout import Layout
from voltherm.site.outputs import flow_per_heat
from voltherm.site.sections import NO_LIMIT, Site
from voltherm.site.states import SiteState

SUPPLY_LIMIT, MEMORY_LIMIT, INLET_LIMIT = "supply temperature", "memory temperature", "rack inlet air"
"""Names of the maker's limit of the supply, of the limit of the memory and of that of the racks' air."""
JUNCTION = "junction temperature"
"""What the names of the limits of all junctions have in common."""
_LEFT = 1e-3
"""Share of its scale below which nothing is left of a limit or a machine's range."""
_KELVIN = 60.0
"""Scale of temperatures [K]: what lies between a chip's limit and a cool day."""
_FLOATS = 0.01
"""K above its set point from which a supply floats: far beyond the tolerance of the solve."""

_Row = tuple[str, str, float, str, str]
"""Name, element, margin, unit and kind."""

Values = Array | np.ndarray
"""States come from a solve, or from a file."""


@dataclasses.dataclass(frozen=True)
class Constraint:
    """One limit, control or machine at one operating point, and what is left to it, in its own unit.

    `kind`: "limit", "control" or "equipment". `binding`: nothing is left of a limit, a machine has
    no range left, or a set point is not held. `violated`: a limit is passed; it then binds no more.
    """

    name: str
    element: str
    margin: float
    unit: str
    kind: str
    binding: bool
    violated: bool = False


def ends_search(constraint: Constraint) -> bool:
    """Whether a limit ends the search for the highest supply: junctions, memory, the racks' air, the maker's supply."""
    return constraint.name in (MEMORY_LIMIT, SUPPLY_LIMIT, INLET_LIMIT) or JUNCTION in constraint.name


def violated(constraints: Sequence[Constraint]) -> tuple[Constraint, ...]:
    """The limits that are passed, in the order given."""
    return tuple(each for each in constraints if each.violated)


def hottest(names: Layout, state: SiteState) -> dict[str, str]:
    """Names of the hottest GPU, CPU and switch chip, of the rack that holds that GPU ("rack"), and of the CDU of the
    row with the warmest supply ("row")."""
    racks = state.buildings.racks

    def device(kind: str, temperature: Values) -> str:
        building, row, rack, tray, position = _largest(temperature)
        return names.device(kind, building, row, rack, tray, position)

    building, row, rack, _, _ = _largest(racks.gpu_unthrottled_temperature)
    return {
        "gpu": device("gpu", racks.gpu_unthrottled_temperature),
        "cpu": device("cpu", racks.cpu_unthrottled_temperature),
        "switch": device("switch", racks.switch_unthrottled_temperature),
        "rack": names.rack(building, row, rack),
        "row": _cdu_with_most(names, state.buildings.rows.supply_temperature),
    }


def _largest(values: Values) -> list[int]:
    """Where the largest value stands, along every axis."""
    plain = np.asarray(values)
    return [int(index) for index in np.unravel_index(int(np.argmax(plain)), plain.shape)]


def _cdu_with_most(names: Layout, values: Values) -> str:
    """Name of the CDU where values (building, row) are largest."""
    building, row = _largest(values)
    return names.cdu(building, row)


def _memory(site: Site, names: Layout, state: SiteState) -> _Row | None:
    """What is left to the memory that comes nearest to a limit of its own; None where none has one."""
    racks, left = state.buildings.racks, []
    for kind in ("gpu", "cpu", "switch"):
        device, junction = getattr(site.rack, kind), getattr(racks, f"{kind}_unthrottled_temperature")
        if float(device.memory_limit) < NO_LIMIT:
            margin = float(device.memory_limit - device.memory_offset) - float(np.max(np.asarray(junction)))
            left.append((margin, names.device(kind, *_largest(junction))))
    if not left:
        return None
    margin, element = min(left)
    return MEMORY_LIMIT, element, margin, "K", "limit"


def _makers(site: Site, names: Layout, state: SiteState, figures: Mapping[str, float], warmest: str) -> Iterator[_Row]:
    """The limits of the racks' maker, where the site has them: warmest supply and least flow."""
    if float(site.limits.supply_maximum) < NO_LIMIT:
        yield SUPPLY_LIMIT, warmest, figures["supply_margin"], "K", "limit"
    least = float(site.limits.flow_minimum)
    if least > 0.0:
        building, row, rack = _largest(-np.asarray(flow_per_heat(site, state)))
        yield (
            "coolant flow of the racks",
            names.rack(building, row, rack),
            figures["flow_per_heat"] / least - 1.0,
            "1",
            "limit",
        )


def constraints(site: Site, names: Layout, state: SiteState, figures: Mapping[str, float]) -> tuple[Constraint, ...]:
    """Every limit, control and machine with what is left to it and the element that comes nearest, tightest first.

    A limit or machine binds where less than 0.1 % of its scale is left: 60 K for temperatures, 1 for shares and
    voltages. A limit that is passed by more than rounding (`findings.finding.ROUNDING`) is violated. A set point binds
    where the supply floats more than 0.01 K above it. Limits that the site does not set are left out.
    """
    topology = one_line(site)
    network, power = topology.network, state.power
    who = hottest(names, state)

    def most_loaded(groups: tuple[str, ...]) -> str:
        index = np.concatenate([np.arange(len(network.branches))[topology.group(group)] for group in groups])
        return network.branches[index[np.argmax(power.loading[index])]]

    low = np.concatenate([topology.row_bus.ravel(), topology.mechanical_bus.ravel()])
    lowest = network.buses[low[np.argmin(power.voltage_magnitude[low])]]
    highest = network.buses[low[np.argmax(power.voltage_magnitude[low])]]
    most_open = _cdu_with_most(names, state.buildings.rows.valve_opening)
    fastest = _cdu_with_most(names, state.buildings.rows.pump_speed)
    limits = site.limits
    memory = _memory(site, names, state)
    maximum = float(limits.loading_maximum)
    kept = float(limits.junction_margin)
    junction = f"{JUNCTION} with {kept:g} K kept" if kept else JUNCTION
    rows: list[_Row] = [
        (f"GPU {junction}", who["gpu"], figures["gpu_margin"] - kept, "K", "limit"),
        (f"CPU {junction}", who["cpu"], figures["cpu_margin"] - kept, "K", "limit"),
        (f"switch {junction}", who["switch"], figures["switch_margin"] - kept, "K", "limit"),
        *([] if memory is None else [memory]),
        *_makers(site, names, state, figures, who["row"]),
        (INLET_LIMIT, "all racks", figures["inlet_margin"], "K", "limit"),
        ("lowest voltage", lowest, figures["lowest_voltage"] - float(limits.voltage_minimum), "1", "limit"),
        ("highest voltage", highest, float(limits.voltage_maximum) - figures["highest_voltage"], "1", "limit"),
        (
            "transformer loading",
            most_loaded(("main", "row substation", "mechanical substation")),
            maximum - figures["transformer_loading"],
            "1",
            "limit",
        ),
        (
            "feeder loading",
            most_loaded(("row cable", "mechanical cable")),
            maximum - figures["feeder_loading"],
            "1",
            "limit",
        ),
        ("supply set point held", who["row"], -figures["supply_excess"], "K", "control"),
        ("trim chiller capacity", "trim chillers", 1.0 - figures["chiller_load"], "1", "equipment"),
        ("dry cooler fans", "dry coolers", 1.0 - figures["fan_speed"], "1", "equipment"),
        ("CDU valve", most_open, 1.0 - figures["valve_opening"], "1", "equipment"),
        ("CDU pump speed", fastest, 1.0 - figures["cdu_pump_speed"], "1", "equipment"),
        ("facility pump speed", "facility pumps", 1.0 - figures["facility_pump_speed"], "1", "equipment"),
    ]

    def share(margin: float, unit: str) -> float:
        return margin / _KELVIN if unit == "K" else margin

    def violates(margin: float, unit: str, kind: str) -> bool:
        return kind == "limit" and margin < -ROUNDING[unit]

    def binds(margin: float, unit: str, kind: str) -> bool:
        if kind == "control":
            return margin < -_FLOATS
        return share(margin, unit) < _LEFT and not violates(margin, unit, kind)

    ordered = sorted(rows, key=lambda row: share(row[2], row[3]))
    return tuple(
        Constraint(name, element, margin, unit, kind, binds(margin, unit, kind), violates(margin, unit, kind))
        for name, element, margin, unit, kind in ordered
    )
