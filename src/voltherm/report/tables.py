"""Long tables of an answer in user units: every row of racks, substation, main transformer and ambient, by name."""

import dataclasses

import numpy as np

from voltherm.report.figures_one_line import feeders
from voltherm.report.place import hottest_gpu_by_rack
from voltherm.report.quantities import ZERO_CELSIUS, number
from voltherm.site.electrical import one_line
from voltherm.study.answer import Answer, Point


@dataclasses.dataclass(frozen=True)
class Table:
    """One long table: title, header with units, rows of text."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def tables(answer: Answer, point: Point | None = None) -> dict[str, Table]:
    """Tables of `point`, the set point on the hot day where none is given: `rows`, `ambient`, `substations`, `main`."""
    point = point or answer.point
    return {
        "rows": _rows(answer, point),
        "substations": _substations(answer, point),
        "main": _main(answer, point),
        "ambient": _ambient(answer),
    }


def _rows(answer: Answer, point: Point) -> Table:
    state = point.state.buildings
    rows, racks = state.rows, hottest_gpu_by_rack(point)
    found = []
    for building in range(len(answer.layout.buildings)):
        for row in range(len(answer.layout.rows)):
            rack = int(np.argmax(racks[building, row]))
            found.append(
                (
                    answer.layout.cdu(building, row),
                    number(float(rows.cdu_heat[building, row]) / 1e3, 0),
                    number(float(rows.supply_temperature[building, row]) - ZERO_CELSIUS, 2),
                    number(float(rows.return_temperature[building, row]) - ZERO_CELSIUS, 2),
                    number(float(rows.mass_flow[building, row]), 2),
                    number(float(rows.facility_mass_flow[building, row]), 2),
                    number(100.0 * float(rows.valve_opening[building, row]), 1),
                    number(float(rows.pump_power[building, row]) / 1e3, 1),
                    answer.layout.rack(building, row, rack),
                    number(float(racks[building, row, rack]) - ZERO_CELSIUS, 2),
                )
            )
    header = (
        "CDU",
        "heat [kW]",
        "supply [°C]",
        "return [°C]",
        "flow [kg/s]",
        "facility flow [kg/s]",
        "valve [%]",
        "pump [kW]",
        "hottest rack",
        "its hottest GPU [°C]",
    )
    return Table("Rows and their CDUs", header, tuple(found))


def _substations(answer: Answer, point: Point) -> Table:
    found = [
        (
            feeder.name,
            feeder.switchgear,
            substation.name,
            number(100.0 * substation.cable_loading, 1),
            number(100.0 * substation.loading, 1),
            number(substation.voltage, 4),
        )
        for building in range(len(answer.layout.buildings))
        for feeder in feeders(answer, point, building)
        for substation in feeder.substations
    ]
    header = ("feeder", "from", "substation", "cable to it [%]", "transformer [%]", "low voltage [p.u.]")
    return Table("Feeders and substations", header, tuple(found))


def _main(answer: Answer, point: Point) -> Table:
    topology = one_line(answer.site)
    network, power = topology.network, point.state.power
    group = topology.group("main")
    found = []
    for branch in range(group.start, group.stop):
        bus = int(network.to_bus[branch])
        found.append(
            (
                network.branches[branch],
                number(100.0 * float(power.loading[branch]), 1),
                number(float(power.active_power_from[branch]) / 1e6, 2),
                number(float(power.reactive_power_from[branch]) / 1e6, 2),
                number(float(power.active_loss[branch]) / 1e3, 0),
                network.buses[bus],
                number(float(power.voltage_magnitude[bus]), 4),
            )
        )
    header = ("transformer", "loading [%]", "power [MW]", "reactive [Mvar]", "loss [kW]", "to", "voltage [p.u.]")
    return Table("Main transformers", header, tuple(found))


def _ambient(answer: Answer) -> Table:
    curve, allowed = answer.curve, answer.allowed_curve
    found = [
        (
            number(float(curve.dry_bulb[index]) - ZERO_CELSIUS, 1),
            number(float(curve.figures["supply_temperature"][index]) - ZERO_CELSIUS, 2),
            number(float(curve.figures["junction_margin"][index]), 2),
            number(float(curve.figures["cooling_power"][index]) / 1e3, 0),
            number(float(curve.figures["pue"][index]), 4),
            number(float(allowed.set_point[index]) - ZERO_CELSIUS, 2),
            number(float(allowed.figures["cooling_power"][index]) / 1e3, 0),
            number(float(allowed.figures["pue"][index]), 4),
        )
        for index in range(len(curve.dry_bulb))
    ]
    header = (
        "dry bulb [°C]",
        "supply reached [°C]",
        "smallest margin [K]",
        "cooling [kW]",
        "PUE",
        "highest allowed supply [°C]",
        "cooling there [kW]",
        "PUE there",
    )
    return Table("Response to ambient, at the set point and at the highest allowed supply", header, tuple(found))
