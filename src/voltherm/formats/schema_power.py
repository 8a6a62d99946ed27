"""The electrical side of a site, from the utility's intake to the racks, and the limits no answer may pass."""

import dataclasses

from voltherm.formats.schema import Field, Section, quantity_field

_quantity = quantity_field


def _count(name: str, meaning: str, below: str) -> Field:
    return Field(name, meaning, "integer", minimum="1", maximum="10000", below=below, static=True)


def _base(name: str, dimension: str, minimum: str, maximum: str, meaning: str) -> Field:
    return dataclasses.replace(_quantity(name, dimension, minimum, maximum, meaning), static=True)


def _transformer(name: str, meaning: str) -> Section:
    return Section(
        name,
        meaning,
        (
            _quantity("rating", "apparent power", "0.001 MVA", "2000 MVA", "of one"),
            _quantity("vk", "share", "0.1 %", "40 %", "short-circuit voltage"),
            _quantity("vkr", "share", "0 %", "20 %", "its resistive part"),
            _quantity("no_load_loss", "power", "0 kW", "10000 kW", "iron loss"),
            _quantity("no_load_current", "share", "0 %", "20 %", "over the rated current"),
            _quantity("tap", "number", "0.5", "1.5", "tap ratio at the high side"),
        ),
    )


def _curve(extra: tuple[Field, ...], rating: Field) -> tuple[Field, ...]:
    return (
        rating,
        Field("efficiency", "efficiency at the loads below", "list", "share", "5 %", "100 %"),
        Field("load", "loads over the rating, increasing", "list", "share", "0.1 %", "200 %"),
        *extra,
    )


ELECTRICAL = Section(
    "electrical",
    "from the intake to the racks",
    (
        _base("frequency", "frequency", "16 Hz", "400 Hz", "of the network"),
        _base("base_power", "apparent power", "0.001 MVA", "100000 MVA", "base of the per-unit system"),
        _base("intake_voltage", "voltage", "0.4 kV", "1200 kV", "of the utility's intake"),
        _quantity("intake_set_point", "per unit", "0.8 pu", "1.2 pu", "voltage held by the utility"),
        _quantity(
            "intake_short_circuit", "apparent power", "1 MVA", "1000000 MVA", "short-circuit power of the utility"
        ),
        _count(
            "main_transformers",
            "main transformers of a building",
            "no main transformer: every bus behind it is disconnected; at least 1",
        ),
        _transformer("main_transformer", "one main transformer"),
        _base("distribution_voltage", "voltage", "0.4 kV", "100 kV", "of the feeders"),
        _count(
            "feeders",
            "feeders of the rows of a building",
            "no feeder: the rows are disconnected from the intake; at least 1",
        ),
        Section(
            "feeder",
            "cable of a feeder",
            (
                _quantity("resistance", "line resistance", "0 ohm/km", "100 ohm/km", "series resistance"),
                _quantity("reactance", "line resistance", "0.0001 ohm/km", "100 ohm/km", "series reactance"),
                _quantity("capacitance", "line capacitance", "0 nF/km", "100000 nF/km", "shunt capacitance"),
                _quantity("rating", "current", "1 A", "100000 A", "highest current"),
                _quantity("length", "length", "0.1 m", "100000 m", "to the first substation"),
                _quantity("segment", "length", "0.1 m", "100000 m", "between two substations"),
            ),
        ),
        _transformer("unit_substation", "substation of one row"),
        _count(
            "mechanical_feeders",
            "feeders of pumps, fans and chillers",
            "no mechanical feeder: the pumps are disconnected; at least 1",
        ),
        _count(
            "mechanical_substations",
            "substations of pumps, fans and chillers",
            "no mechanical substation: the pumps are disconnected; at least 1",
        ),
        _transformer("mechanical_substation", "one mechanical substation"),
        _base("low_voltage", "voltage", "100 V", "1000 V", "behind the substations"),
        Section(
            "ups",
            "uninterruptible power supply of a row",
            _curve(
                (_quantity("power_factor", "number", "0.5", "1", "at its input"),),
                _quantity("rating", "apparent power", "0.001 MVA", "100 MVA", "of one"),
            ),
        ),
        Section(
            "power_shelf",
            "power shelves of one rack",
            _curve((), _quantity("rating", "power", "1 kW", "10000 kW", "of one rack")),
        ),
        Section(
            "motors",
            "pumps, fans and chillers as loads",
            (
                _quantity("power_factor", "number", "0.5", "1", "of the drives"),
                _quantity("impedance_share", "share", "0 %", "100 %", "of constant impedance"),
                _quantity("current_share", "share", "0 %", "100 %", "of constant current"),
            ),
        ),
        _quantity("house_load", "power", "0 kW", "1000000 kW", "lights, controls, offices of a building"),
    ),
)

LIMITS = Section(
    "limits",
    "what no answer may pass",
    (
        _quantity("voltage_minimum", "per unit", "0.5 pu", "1 pu", "lowest voltage at a low-voltage bus"),
        _quantity("voltage_maximum", "per unit", "1 pu", "1.5 pu", "highest voltage at a low-voltage bus"),
        _quantity("loading_maximum", "share", "1 %", "200 %", "of transformers and feeders"),
        _quantity("junction_margin", "temperature difference", "0 K", "100 K", "kept below every junction limit"),
        _quantity(
            "supply_maximum",
            "temperature",
            "-10 degC",
            "200 degC",
            "warmest secondary supply the racks' maker allows; 200 degC is none",
            default="200 degC",
        ),
        _quantity(
            "flow_minimum",
            "flow per power",
            "0 L/min/kW",
            "100 L/min/kW",
            "least coolant of a rack over its heat to liquid; 0 is none",
            default="0 L/min/kW",
        ),
        _quantity(
            "pump_flow_minimum",
            "share",
            "0 %",
            "100 %",
            "of a pump's flow over its best, preferred",
            default="70 %",
        ),
        _quantity(
            "pump_flow_maximum",
            "share",
            "100 %",
            "200 %",
            "of a pump's flow over its best, preferred",
            default="120 %",
        ),
        _quantity(
            "pump_allowable_minimum",
            "share",
            "0 %",
            "100 %",
            "of a pump's flow over its best, allowable",
            default="50 %",
        ),
        _quantity(
            "pump_allowable_maximum",
            "share",
            "100 %",
            "200 %",
            "of a pump's flow over its best, allowable",
            default="130 %",
        ),
        _quantity(
            "npsh_margin",
            "length",
            "0 m",
            "100 m",
            "kept above the suction head that a pump needs",
            default="0.6 m",
        ),
        _quantity("main_velocity", "velocity", "0.1 m/s", "20 m/s", "highest in mains and headers", default="2.4 m/s"),
        _quantity("branch_velocity", "velocity", "0.1 m/s", "20 m/s", "highest in branches", default="2.4 m/s"),
        _quantity(
            "freezing_margin",
            "temperature difference",
            "0 K",
            "50 K",
            "kept above the freezing point of every stream",
            default="3 K",
        ),
        _quantity(
            "return_air_maximum", "temperature", "20 degC", "100 degC", "air behind the racks", default="60 degC"
        ),
        _quantity(
            "dew_point_margin",
            "temperature difference",
            "0 K",
            "50 K",
            "kept above the dew point by what is cold in the rooms",
            default="2 K",
        ),
    ),
)
