"""Long tables of an answer in user units: every row of racks, substation, main transformer and ambient, by name."""

import dataclasses

import numpy as np

from voltherm.report.figures_one_line import feeders
from voltherm.report.place import hottest_gpu_by_rack
from voltherm.report.quantities import ZERO_CELSIUS, number
from voltherm.site.electrical import one_line
from voltherm.site.year import Response
from voltherm.study.answer import Answer, Point


@dataclasses.dataclass(frozen=True)
class Table:
    """One long table: title, header with units, rows of text."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def tables(answer: Answer, point: Point | None = None) -> dict[str, Table]:
    """Tables of `point`, by default the set point on the hot day."""
    point = point or answer.point
    return {
        "rows": _rows(answer, point),
        "substations": _substations(answer, point),
        "main": _main(answer, point),
        "ambient": _ambient("Response to ambient at the set point", answer.curve),
        "ambient allowed": _ambient("Response to ambient at the highest allowed supply", answer.allowed_curve),
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


def _ambient(title: str, curve: Response) -> Table:
    columns = (
        ("dry bulb [°C]", curve.dry_bulb - ZERO_CELSIUS, 2),
        ("set point [°C]", curve.set_point - ZERO_CELSIUS, 2),
        ("supply reached [°C]", curve.figures["supply_temperature"] - ZERO_CELSIUS, 2),
        ("facility supply [°C]", curve.figures["facility_supply_temperature"] - ZERO_CELSIUS, 2),
        ("smallest chip margin [K]", curve.figures["junction_margin"], 2),
        ("fans [kW]", curve.figures["dry_cooler_fan_power"] / 1e3, 0),
        ("trim chillers [kW]", curve.figures["trim_chiller_power"] / 1e3, 0),
        ("cooling [kW]", curve.figures["cooling_power"] / 1e3, 0),
        ("PUE", curve.figures["pue"], 4),
    )
    rows = tuple(
        tuple(number(float(values[index]), digits) for _, values, digits in columns)
        for index in range(len(curve.dry_bulb))
    )
    return Table(title, tuple(name for name, _, _ in columns), rows)
