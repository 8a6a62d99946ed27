"""An answer as labelled arrays in SI: what the tables and drawings of a report show, with names as coordinates.

`voltherm.formats.answer_file` keeps a whole answer, from which its report can be made again. The variables here are for
readers of a file who look for a rack or a feeder by its name.
"""

from typing import NamedTuple

import numpy as np

from voltherm.report.place import hottest_gpu_by_rack
from voltherm.report.quantities import MONTHS
from voltherm.site.electrical import one_line
from voltherm.site.outputs import FIGURES
from voltherm.site.year import Response, Year
from voltherm.study.answer import Answer, Point


class Values(NamedTuple):
    """Values, names of their dimensions, unit (SI) and meaning; texts have the unit ""."""

    values: np.ndarray
    dimensions: tuple[str, ...]
    units: str
    long_name: str


_ROWS = {
    "supply_temperature": ("K", "secondary supply of the row"),
    "return_temperature": ("K", "secondary return of the row"),
    "mass_flow": ("kg s-1", "secondary flow of the row"),
    "facility_mass_flow": ("kg s-1", "facility water through the row's CDU"),
    "facility_return_temperature": ("K", "facility water leaving the row's CDU"),
    "cdu_heat": ("W", "heat over the row's CDU"),
    "valve_opening": ("1", "opening of the CDU's control valve"),
    "pump_power": ("W", "pumps of the CDU"),
}
_RIDE = {
    "facility_supply": ("K", "facility water supply"),
    "facility_return": ("K", "facility water return"),
    "tank": ("K", "buffer tank"),
    "supply": ("K", "warmest secondary supply"),
    "gpu_temperature": ("K", "hottest GPU junction"),
    "junction_margin": ("K", "smallest margin of all chips"),
    "it_power": ("W", "power at the input of the racks"),
}


def variables(answer: Answer) -> dict[str, Values]:
    """Variables by name; a ``/`` in a name stands for a group.

    Groups: `names` (coordinates), `point` and `allowed` (one operating point each), `curve` and `allowed_curve` (over
    ambient), `year` and `allowed_year` (over `month`), `ride_through` (over `time`).
    """
    found = _names(answer)
    found |= _point("point", answer.point)
    if answer.allowed is not None:
        found |= _point("allowed", answer.allowed)
    found |= _curve("curve", answer.curve) | _curve("allowed_curve", answer.allowed_curve)
    if answer.year is not None:
        found |= _year("year", answer.year)
    if answer.allowed_year is not None:
        found |= _year("allowed_year", answer.allowed_year)
    ride = answer.ride_through
    found["ride_through/time"] = Values(np.asarray(ride.time), ("instant",), "s", "time since heat rejection was lost")
    for name, (unit, meaning) in _RIDE.items():
        found[f"ride_through/{name}"] = Values(np.asarray(getattr(ride, name)), ("instant",), unit, meaning)
    return found


def _names(answer: Answer) -> dict[str, Values]:
    layout, network = answer.layout, one_line(answer.site).network
    buildings = range(len(layout.buildings))
    racks = [[[layout.rack(b, r, k) for k in range(len(row))] for r, row in enumerate(layout.racks)] for b in buildings]
    cdus = [[layout.cdu(building, row) for row in range(len(layout.rows))] for building in buildings]
    return {
        "names/building": Values(np.asarray(layout.buildings), ("building",), "", "buildings"),
        "names/cdu": Values(np.asarray(cdus), ("building", "row"), "", "CDUs, one a row"),
        "names/rack": Values(np.asarray(racks), ("building", "row", "rack"), "", "racks"),
        "names/bus": Values(np.asarray(network.buses), ("bus",), "", "buses of the network"),
        "names/branch": Values(np.asarray(network.branches), ("branch",), "", "branches of the network"),
        "names/month": Values(np.asarray(MONTHS), ("month",), "", "months"),
    }


def _point(group: str, point: Point) -> dict[str, Values]:
    rows, power = point.state.buildings.rows, point.state.power
    axes = ("building", "row")
    found = {
        f"{group}/{name}": Values(np.asarray(value), (), FIGURES[name].unit, FIGURES[name].meaning)
        for name, value in point.figures.items()
    }
    for name, (unit, meaning) in _ROWS.items():
        found[f"{group}/row_{name}"] = Values(np.asarray(getattr(rows, name)), axes, unit, meaning)
    found |= {
        f"{group}/rack_gpu_temperature": Values(
            hottest_gpu_by_rack(point), (*axes, "rack"), "K", "hottest GPU of the rack"
        ),
        f"{group}/rack_mass_flow": Values(
            np.asarray(rows.rack_mass_flow), (*axes, "rack"), "kg s-1", "coolant through the rack"
        ),
        f"{group}/bus_voltage": Values(np.asarray(power.voltage_magnitude), ("bus",), "1", "voltage, per unit"),
        f"{group}/branch_loading": Values(np.asarray(power.loading), ("branch",), "1", "current over rating"),
        f"{group}/branch_active_loss": Values(np.asarray(power.active_loss), ("branch",), "W", "active loss"),
    }
    return found


def _curve(group: str, curve: Response) -> dict[str, Values]:
    axes = (f"{group}_ambient",)
    found = {
        f"{group}/dry_bulb": Values(np.asarray(curve.dry_bulb), axes, "K", "dry bulb"),
        f"{group}/set_point": Values(np.asarray(curve.set_point), axes, "K", "set point of the secondary supply"),
        f"{group}/result": Values(np.asarray(curve.result), axes, "1", "result code, 0 where converged"),
    }
    for name, values in curve.figures.items():
        found[f"{group}/{name}"] = Values(np.asarray(values), axes, FIGURES[name].unit, FIGURES[name].meaning)
    return found


def _year(group: str, year: Year) -> dict[str, Values]:
    found = {
        f"{group}/pue": Values(np.asarray(year.monthly_pue), ("month",), "1", "PUE of the month"),
        f"{group}/water": Values(np.asarray(year.monthly_water), ("month",), "m3", "water of the month"),
    }
    for name, values in year.monthly_energy.items():
        meaning = f"energy of the month: {FIGURES[name].meaning}"
        found[f"{group}/energy_{name}"] = Values(np.asarray(values), ("month",), "J", meaning)
    return found
