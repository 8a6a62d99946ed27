"""Mistakes that show only when several numbers of a case are seen together.

Each rule names the numbers it needs and is left out where one of them is missing or wrong itself, so that one slip is
not told twice. Rules stand in `checks_power` and `checks_plant`; pairs that have an order stand here.
"""

from collections.abc import Iterator
from typing import Any

from voltherm.formats import checks_plant, checks_power
from voltherm.formats.rack_power import curve_problem
from voltherm.formats.schema import Reading
from voltherm.formats.schema_site import FIELDS

_CURVES = ("electrical.ups", "electrical.power_shelf")
"""Sections with efficiencies over loads, which other rules read as a curve."""

_ORDERED = (
    *((f"rack.{chip}.throttle_above_limit", f"rack.{chip}.shutdown_above_limit") for chip in ("gpu", "cpu", "switch")),
    ("limits.voltage_minimum", "limits.voltage_maximum"),
    ("electrical.distribution_voltage", "electrical.intake_voltage"),
    ("electrical.low_voltage", "electrical.distribution_voltage"),
    ("dry_coolers.rated_outlet", "dry_coolers.rated_inlet"),
    ("dry_coolers.rated_dry_bulb", "dry_coolers.rated_outlet"),
    ("dry_coolers.minimum_speed", "dry_coolers.maximum_speed"),
    ("chillers.highest_evaporating", "chillers.highest_condensing"),
    ("air.supply_temperature", "air.inlet_limit"),
    ("air.chilled_water_temperature", "air.supply_temperature"),
    ("air.coil_rated_water_inlet", "air.coil_rated_air_inlet"),
    ("secondary.pump_nominal_pressure", "secondary.pump_shutoff_pressure"),
    ("facility.pump_nominal_pressure", "facility.pump_shutoff_pressure"),
    ("secondary.differential_pressure", "secondary.pump_shutoff_pressure"),
    ("facility.differential_pressure", "facility.pump_shutoff_pressure"),
)
"""Pairs of numbers of which the first has to be below the second."""


def _order(reading: Reading) -> Iterator[tuple[str, str]]:
    for low, high in _ORDERED:
        smaller, larger = reading.values.get(low), reading.values.get(high)
        if smaller is not None and larger is not None and not smaller < larger:
            yield low, f"{FIELDS[low].shown(smaller)} has to be below {high}, which is {FIELDS[high].shown(larger)}"


def check_together(reading: Reading) -> None:
    """Add every problem that the rules find to a reading of a whole case."""
    known = dict(reading.values)
    for section in _CURVES:
        efficiency, load = (known.get(f"{section}.{name}") for name in ("efficiency", "load"))
        message = curve_problem(efficiency, load) if efficiency is not None and load is not None else None
        if message:
            reading.report(f"{section}.load", message)
            del known[f"{section}.load"]
    for at, paths, rule in (*checks_plant.RULES, *checks_power.RULES):
        values: list[Any] = [known.get(path) for path in paths]
        if all(value is not None for value in values):
            message = rule(*values)
            if message:
                reading.report(at, message)
    for at, message in _order(reading):
        reading.report(at, message)
