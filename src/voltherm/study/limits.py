"""What limits a solved site, and what has come to the end of its range, each with the element that comes nearest.

A *limit* must not be passed: junctions, inlet air, voltages, loadings. A *control* holds a set point, or lets it float.
*Equipment* that has no range left only says that the next kelvin floats.
"""

import dataclasses
from collections.abc import Mapping

import numpy as np
from jaxtyping import Array

from voltherm.site.electrical import one_line
from voltherm.site.layout import Layout
from voltherm.site.sections import Site
from voltherm.site.states import SiteState

_LEFT = 1e-3
"""Share of its scale below which nothing is left of a limit or a machine's range."""
_KELVIN = 60.0
"""Scale of temperatures [K]: what lies between a chip's limit and a cool day."""
_FLOATS = 0.01
"""K above its set point from which a supply floats: far beyond the tolerance of the solve."""

Values = Array | np.ndarray
"""States come from a solve, or from a file."""


@dataclasses.dataclass(frozen=True)
class Constraint:
    """One limit, control or machine at one operating point, and what is left to it, in its own unit.

    `kind`: "limit", "control" or "equipment". `binding`: nothing is left of a limit, a machine has
    no range left, or a set point is not held.
    """

    name: str
    element: str
    margin: float
    unit: str
    kind: str
    binding: bool


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


def constraints(site: Site, names: Layout, state: SiteState, figures: Mapping[str, float]) -> tuple[Constraint, ...]:
    """Every limit, control and machine with what is left to it and the element that comes nearest, tightest first.

    A limit or machine binds where less than 0.1 % of its scale is left: 60 K for temperatures, 1 for shares and
    voltages. A set point binds where the supply floats more than 0.01 K above it.
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
    maximum = float(limits.loading_maximum)
    kept = float(limits.junction_margin)
    rows: list[tuple[str, str, float, str, str]] = [
        ("GPU junction temperature", who["gpu"], figures["gpu_margin"] - kept, "K", "limit"),
        ("CPU junction temperature", who["cpu"], figures["cpu_margin"] - kept, "K", "limit"),
        ("switch junction temperature", who["switch"], figures["switch_margin"] - kept, "K", "limit"),
        ("rack inlet air", "all racks", figures["inlet_margin"], "K", "limit"),
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

    def binds(margin: float, unit: str, kind: str) -> bool:
        return margin < -_FLOATS if kind == "control" else share(margin, unit) < _LEFT

    ordered = sorted(rows, key=lambda row: share(row[2], row[3]))
    return tuple(
        Constraint(name, element, margin, unit, kind, binds(margin, unit, kind))
        for name, element, margin, unit, kind in ordered
    )
