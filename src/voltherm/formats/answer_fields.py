"""Unit, meaning and axes of every array of an answer, by the class and the field that hold it.

The states of a site say it beside each field (`voltherm.site.states.quantity`). The classes below serve more than
sites, or hold NumPy arrays without names of axes, and are described here. A field without a description is an error:
nothing is guessed from a name.
"""

import dataclasses
import typing
from collections.abc import Callable
from typing import NamedTuple

from voltherm.coolant import NetworkState
from voltherm.power import PowerState
from voltherm.site.outputs import FIGURES
from voltherm.site.ride_through import RideThrough
from voltherm.site.year import Response, Year


class Described(NamedTuple):
    """Unit (SI), meaning and names of the last axes of an array; before them may stand `LEADING`."""

    unit: str
    meaning: str
    axes: tuple[str, ...] = ()


LEADING = ("building", "row")
"""Axes before the own ones of a state that exists once a building, or once a row of a building."""


ByName = Callable[[str], Described]
"""The description of the array that a mapping holds under a name."""


def _figure(name: str) -> Described:
    return Described(*FIGURES[name], ("ambient",))


def _monthly_energy(name: str) -> Described:
    return Described("J", f"energy of the month: {FIGURES[name].meaning}", ("month",))


def _over_time(unit: str, meaning: str) -> Described:
    return Described(unit, meaning, ("instant",))


_ELSEWHERE: dict[type, dict[str, Described | ByName]] = {
    NetworkState: {
        "mass_flow": Described("kg s-1", "coolant through the branch of the network, from its start to its end"),
        "pressure": Described("Pa", "absolute pressure at the node of the network"),
    },
    PowerState: {
        "voltage_magnitude": Described("1", "voltage of the bus, per unit"),
        "voltage_angle": Described("rad", "angle of the voltage of the bus"),
        "active_power_from": Described("W", "active power into the branch at its start"),
        "reactive_power_from": Described("var", "reactive power into the branch at its start"),
        "active_power_to": Described("W", "active power into the branch at its end"),
        "reactive_power_to": Described("var", "reactive power into the branch at its end"),
        "current_from": Described("A", "current at the start of the branch"),
        "current_to": Described("A", "current at the end of the branch"),
        "active_loss": Described("W", "active loss of the branch"),
        "reactive_loss": Described("var", "reactive power taken by the branch"),
        "loading": Described("1", "current over rating of the branch, 0 where unrated"),
        "active_load": Described("W", "active power of the loads at the bus"),
        "reactive_load": Described("var", "reactive power of the loads at the bus"),
        "active_shunt": Described("W", "active power of the shunts at the bus"),
        "reactive_shunt": Described("var", "reactive power of the shunts at the bus"),
        "active_source": Described("W", "active power that the bus feeds in"),
        "reactive_source": Described("var", "reactive power that the bus feeds in"),
        "active_mismatch": Described("W", "active power left unbalanced at the bus"),
        "reactive_mismatch": Described("var", "reactive power left unbalanced at the bus"),
        "active_balance": Described("W", "sources less loads, shunts and losses of the whole network"),
    },
    Response: {
        "dry_bulb": Described("K", "dry bulb", ("ambient",)),
        "set_point": Described("K", "set point of the secondary supply", ("ambient",)),
        "figures": _figure,
        "result": Described("1", "result code, 0 where converged", ("ambient",)),
    },
    Year: {
        "dry_bulb": Described("K", "dry bulb of the hour", ("hour",)),
        "monthly_energy": _monthly_energy,
        "monthly_pue": Described("1", "PUE of the month", ("month",)),
        "monthly_water": Described("m3", "water of the month", ("month",)),
    },
    RideThrough: {
        "time": _over_time("s", "time since the start"),
        "facility_supply": _over_time("K", "facility water at the CDUs"),
        "facility_return": _over_time("K", "facility water entering the buffer tank"),
        "tank": _over_time("K", "buffer tank"),
        "supply": _over_time("K", "warmest secondary supply"),
        "gpu_temperature": _over_time("K", "hottest GPU junction"),
        "junction_margin": _over_time("K", "smallest margin of all chips"),
        "work": _over_time("1", "work of the GPUs over that at the nameplate load, mean"),
        "inlet_air": _over_time("K", "rack inlet air"),
        "it_power": _over_time("W", "power at the input of the racks"),
        "heat_in": _over_time("W", "heat of chips, pumps and condensers to coolant and facility water"),
        "facility_flow": _over_time("kg s-1", "facility water through the CDUs and condensers of the building"),
        "row_flow": _over_time("kg s-1", "coolant of the row with the least flow"),
        "cooler_share": _over_time("1", "share of the dry coolers that works"),
        "chiller_share": _over_time("1", "share of the trim chillers that works"),
        "handler_share": _over_time("1", "share of the air handlers that works"),
        "load_factor": _over_time("1", "factor on the load of the racks"),
    },
}


def described(kind: type, field: dataclasses.Field) -> Described | ByName | None:
    """What the array in a field of `kind` is, or those in its mapping; None where none is declared."""
    there = _ELSEWHERE.get(kind, {}).get(field.name)
    if "unit" in field.metadata:
        there = Described(field.metadata["unit"], field.metadata["meaning"])
    if not isinstance(there, Described) or there.axes:
        return there
    # a shape such as "*building row rack" names the axes; those with a star may be missing
    names = getattr(typing.get_type_hints(kind)[field.name], "dim_str", "").split()
    return there._replace(axes=tuple(name for name in names if not name.startswith("*")))
