"""An answer as labelled arrays in SI: what the tables and drawings of a report show, with names as coordinates.

`voltherm.formats.answer_file` keeps a whole answer, from which its report can be made again. The variables here are for
readers of a file who look for a rack or a feeder by its name.
"""

import dataclasses
from typing import Any, NamedTuple

import numpy as np

from voltherm.formats.answer_fields import Described, described
from voltherm.report.place import hottest_gpu_by_rack
from voltherm.report.quantities import MONTHS
from voltherm.site.electrical import one_line
from voltherm.site.outputs import FIGURES
from voltherm.site.year import Response, Year
from voltherm.study.answer import Answer, Point
from voltherm.study.verdict import limits_held, verdicts


class Values(NamedTuple):
    """Values, names of their dimensions, unit (SI) and meaning; texts have the unit ""."""

    values: np.ndarray
    dimensions: tuple[str, ...]
    units: str
    long_name: str


_ROWS = (
    "supply_temperature",
    "return_temperature",
    "mass_flow",
    "facility_mass_flow",
    "facility_return_temperature",
    "cdu_heat",
    "valve_opening",
    "pump_power",
)
_RIDE = (
    "time",
    "facility_supply",
    "facility_return",
    "tank",
    "supply",
    "gpu_temperature",
    "junction_margin",
    "inlet_air",
    "it_power",
)


def variables(answer: Answer) -> dict[str, Values]:
    """Variables by name; a ``/`` in a name stands for a group.

    Without a group: the main figures, not a number where there is none. Groups: `names` (coordinates), `findings` (over
    `finding`, where there are any), `point` and `allowed` (one operating point each), `curve` and `allowed_curve` (over
    ambient), `year` and `allowed_year` (over `month`), `ride_through` (over `time`).
    """
    found = _main(answer) | _names(answer)
    found |= _point("point", answer.point)
    if answer.allowed is not None:
        found |= _point("allowed", answer.allowed)
    found |= _curve("curve", answer.curve) | _curve("allowed_curve", answer.allowed_curve)
    if answer.year is not None:
        found |= _year("year", answer.year)
    if answer.allowed_year is not None:
        found |= _year("allowed_year", answer.allowed_year)
    found |= _findings(answer)
    for name in _RIDE:
        found[f"ride_through/{name}"] = _field(answer.ride_through, name, ("instant",))
    return found


_HOT_DAY = ("junction_margin", "inlet_margin", "cooling_power", "it_power", "facility_power", "pue", "work")


def _main(answer: Answer) -> dict[str, Values]:
    nothing = float("nan")
    highest = nothing if answer.allowed is None else answer.allowed.set_point
    found = {
        "set_point": (answer.point.set_point, "K", "supply set point of the case"),
        "highest_supply": (highest, "K", "highest supply set point that holds chips, memory, racks' air and maker"),
        "chip_supply": (answer.chip_supply, "K", "highest supply set point that the chips alone would allow"),
        "limits_held": (float(limits_held(answer)), "1", "1 where every limit holds at both, on the hot day"),
        "yearly_pue": (answer.year and answer.year.pue, "1", "PUE of the year at the set point, category 3"),
        "seconds_to_limit": (answer.ride_through.seconds_to_limit, "s", "until the first limit, after what is lost"),
    }
    day = {
        name: Values(
            np.asarray(answer.point.figures[name]), (), FIGURES[name].unit, f"hot day: {FIGURES[name].meaning}"
        )
        for name in _HOT_DAY
    }
    return {
        name: Values(np.asarray(nothing if value is None else value), (), unit, meaning)
        for name, (value, unit, meaning) in found.items()
    } | day


def _findings(answer: Answer) -> dict[str, Values]:
    """What is outside its range, the worst first; nothing where all is well."""
    told = verdicts(answer)
    texts = {
        "kind": ("rule", [each.finding.kind for each in told]),
        "subject": ("what the rule judges", [each.finding.subject for each in told]),
        "element": ("worst element", [each.finding.element for each in told]),
        "severity": ("unphysical, limit or practice", [each.finding.severity for each in told]),
        "where": ("operating points at which it holds", [", ".join(each.where) for each in told]),
        "unit": ("unit of value and limit", [each.finding.unit for each in told]),
        "sentence": ("all of it in words", [each.finding.sentence for each in told]),
    }
    numbers = {
        "value": ("of the worst element, in the finding's unit", [each.finding.value for each in told]),
        "limit": ("that the value passes, in the finding's unit", [each.finding.limit for each in told]),
        "count": ("elements outside", [each.finding.count for each in told]),
        "total": ("elements judged", [each.finding.total for each in told]),
    }
    if not told:
        return {}
    axes = ("finding",)
    found = {f"findings/{name}": Values(np.asarray(items), axes, "", text) for name, (text, items) in texts.items()}
    return found | {
        f"findings/{name}": Values(np.asarray(items), axes, "1", text) for name, (text, items) in numbers.items()
    }


def _field(holder: Any, name: str, dimensions: tuple[str, ...]) -> Values:
    """An array of an answer with the unit and the meaning that are declared for it."""
    field = next(field for field in dataclasses.fields(holder) if field.name == name)
    declared = described(type(holder), field)
    assert isinstance(declared, Described)
    return Values(np.asarray(getattr(holder, name)), dimensions, declared.unit, declared.meaning)


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
    for name in _ROWS:
        found[f"{group}/row_{name}"] = _field(rows, name, axes)
    found |= {
        f"{group}/rack_gpu_temperature": Values(
            hottest_gpu_by_rack(point), (*axes, "rack"), "K", "hottest GPU of the rack"
        ),
        f"{group}/rack_mass_flow": _field(rows, "rack_mass_flow", (*axes, "rack")),
        f"{group}/bus_voltage": _field(power, "voltage_magnitude", ("bus",)),
        f"{group}/branch_loading": _field(power, "loading", ("branch",)),
        f"{group}/branch_active_loss": _field(power, "active_loss", ("branch",)),
    }
    return found


def _curve(group: str, curve: Response) -> dict[str, Values]:
    axes = (f"{group}_ambient",)
    found = {
        f"{group}/dry_bulb": _field(curve, "dry_bulb", axes),
        f"{group}/set_point": _field(curve, "set_point", axes),
        f"{group}/result": _field(curve, "result", axes),
    }
    for name, values in curve.figures.items():
        found[f"{group}/{name}"] = Values(np.asarray(values), axes, FIGURES[name].unit, FIGURES[name].meaning)
    return found


def _year(group: str, year: Year) -> dict[str, Values]:
    found = {
        f"{group}/pue": _field(year, "monthly_pue", ("month",)),
        f"{group}/water": _field(year, "monthly_water", ("month",)),
    }
    for name, values in year.monthly_energy.items():
        meaning = f"energy of the month: {FIGURES[name].meaning}"
        found[f"{group}/energy_{name}"] = Values(np.asarray(values), ("month",), "J", meaning)
    return found
