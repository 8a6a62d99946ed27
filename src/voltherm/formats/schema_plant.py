"""The coolant side of a site: secondary loops, CDUs, facility water, dry coolers, chillers and air handlers."""

import dataclasses

from voltherm.formats.schema import Field, Section, quantity_field

_q = quantity_field


def _some(name: str, meaning: str, below: str) -> Field:
    return _q(name, "number", "1", "10000", meaning, below)


def _optional(field: Field, default: str) -> Field:
    return dataclasses.replace(field, default=default)


def _fluid() -> Field:
    return Field("fluid", "coolant: water, or such as 'propylene glycol 25 %vol'", "text", static=True)


def _pump(nominal: str) -> tuple[Field, ...]:
    return (
        _q("pump_shutoff_pressure", "pressure", "1 kPa", "5000 kPa", "pressure rise of the pump at no flow"),
        _q("pump_nominal_flow", "mass flow", "0.01 kg/s", "10000 kg/s", f"flow of {nominal} at the point below"),
        _q("pump_nominal_pressure", "pressure", "1 kPa", "5000 kPa", "pressure rise at that flow"),
        _q("pump_efficiency", "share", "5 %", "100 %", "of the pump at that point"),
        _q("pump_required_npsh", "length", "0 m", "100 m", "net positive suction head it needs there", default="4 m"),
        _q("motor_efficiency", "share", "5 %", "100 %", "of motor and drive"),
        _q("minimum_speed", "share", "0 %", "100 %", "least speed over the rated one"),
        Field(
            "maximum_speed",
            "highest speed over the rated one",
            "quantity",
            "share",
            "0 %",
            "150 %",
            default="100 %",
        ),
    )


SECONDARY = Section(
    "secondary",
    "technology cooling system: the loop of one row",
    (
        _fluid(),
        _q("supply_temperature", "temperature", "-10 degC", "90 degC", "set point of the CDUs"),
        _q("differential_pressure", "pressure", "1 kPa", "2000 kPa", "set point across the row's supply and return"),
        _q("expansion_pressure", "absolute pressure", "50 kPa(a)", "3000 kPa(a)", "held by the expansion vessel"),
        _q("header_diameter", "length", "10 mm", "2000 mm", "row header"),
        _q("header_segment", "length", "0.1 m", "100 m", "header between two racks"),
        _q("header_roughness", "length", "0 mm", "5 mm", "wall of the header"),
        _q("branch_loss_coefficient", "number", "0", "1000", "tees and valve of a rack's branch"),
        _q("branch_diameter", "length", "5 mm", "1000 mm", "branch to a rack"),
        *_pump("a CDU's pump"),
        _q("cdu_pressure_drop", "pressure", "0 kPa", "2000 kPa", "inside the CDU at the nominal flow"),
        _q("cdu_volume", "volume", "0.1 L", "100000 L", "coolant in the CDU"),
    ),
)

CDU = Section(
    "cdu",
    "rating of a coolant distribution unit",
    (
        _q("rated_heat", "power", "1 kW", "100000 kW", "heat at rating"),
        _q("secondary_flow", "mass flow", "0.01 kg/s", "10000 kg/s", "secondary flow at rating"),
        _q("facility_flow", "mass flow", "0.01 kg/s", "10000 kg/s", "facility flow at rating"),
        _q("approach", "temperature difference", "0.1 K", "50 K", "secondary supply less facility supply at rating"),
        _q("facility_supply", "temperature", "0 degC", "90 degC", "facility supply at rating"),
        _q("facility_pressure_drop", "pressure", "0.1 kPa", "2000 kPa", "of the facility side at rating"),
        _q("electronics", "power", "0 kW", "1000 kW", "controls and sensors of one CDU"),
    ),
)

FACILITY = Section(
    "facility",
    "facility water system: the loop of one building",
    (
        _fluid(),
        _q("volume", "volume", "0.1 m3", "1000000 m3", "fill of the loop"),
        _q("tank_fraction", "share", "0.1 %", "99.9 %", "share of the fill in mixed buffer tanks"),
        _q("makeup_fraction", "share", "0 %", "1000 %", "make-up of a year over the fill"),
        _q("supply_offset", "temperature difference", "0 K", "60 K", "facility set point below the secondary one"),
        _q("differential_pressure", "pressure", "1 kPa", "5000 kPa", "highest set point across the plant's headers"),
        _optional(
            _q("least_differential_pressure", "pressure", "1 kPa", "5000 kPa", "lowest set point of a reset"),
            "50 kPa",
        ),
        _optional(
            _q(
                "reset_opening",
                "share",
                "10 %",
                "100 %",
                "opening of the most open CDU valve to which the set point is reset; 10 %: no reset",
            ),
            "10 %",
        ),
        _q("expansion_pressure", "absolute pressure", "50 kPa(a)", "3000 kPa(a)", "at the plant's return"),
        _q("main_diameter", "length", "10 mm", "10000 mm", "main from plant to hall"),
        _q("main_length", "length", "0.1 m", "100000 m", "its length"),
        _q("header_diameter", "length", "10 mm", "10000 mm", "header along the rows of a hall"),
        _q("header_segment", "length", "0.1 m", "1000 m", "header between two rows"),
        _q("branch_diameter", "length", "5 mm", "5000 mm", "branch to a CDU"),
        _q("branch_length", "length", "0.1 m", "10000 m", "its length, there and back"),
        _q("roughness", "length", "0 mm", "5 mm", "wall of all pipes"),
        _q("branch_loss_coefficient", "number", "0", "1000", "fittings of a branch"),
        _q("control_valve", "valve coefficient", "0.01 m3/h", "100000 m3/h", "Kv of a CDU's control valve, open"),
        _q("control_valve_rangeability", "number", "2", "1000", "of the equal-percentage valve"),
        _q("balancing_valve", "valve coefficient", "0.01 m3/h", "100000 m3/h", "Kv of a CDU's balancing valve as set"),
        _some("pumps", "pumps in parallel", "a loop without a pump: at least 1"),
        *_pump("one pump"),
        _q("plant_pressure_drop", "pressure", "0 kPa", "5000 kPa", "of the plant at the nominal flow of all pumps"),
    ),
)

DRY_COOLERS = Section(
    "dry_coolers",
    "bank of equal dry coolers",
    (
        _some("count", "how many", "a loop without heat rejection: at least 1"),
        _q("rated_heat", "power", "1 kW", "100000 kW", "heat of one at rating"),
        _q("rated_inlet", "temperature", "-40 degC", "120 degC", "water inlet at rating"),
        _q("rated_outlet", "temperature", "-40 degC", "120 degC", "water outlet at rating"),
        _q("rated_dry_bulb", "temperature", "-60 degC", "60 degC", "dry bulb at rating"),
        _q("rated_fan_power", "power", "0.001 kW", "10000 kW", "fans of one at rating"),
        _optional(
            _q(
                "rated_air_flow", "volume flow", "0 m3/s", "10000 m3/s", "air of one at rating; 0: from its fans' power"
            ),
            "0 m3/s",
        ),
        _q("minimum_speed", "share", "0 %", "100 %", "least fan speed over the rated one"),
        _optional(_q("maximum_speed", "share", "1 %", "120 %", "highest fan speed over the rated one"), "100 %"),
        _optional(
            _q(
                "recirculation",
                "temperature difference",
                "0 K",
                "20 K",
                "air drawn in by coolers and air-cooled chillers over the dry bulb",
            ),
            "0 K",
        ),
    ),
)

CHILLERS = Section(
    "chillers",
    "air-cooled trim chillers behind the dry coolers",
    (
        _some("count", "how many", "no trim chillers: at least 1 (give it a small capacity to do without)"),
        _q("capacity", "power", "0.001 MW", "100 MW", "of one"),
        _q("carnot_fraction", "share", "5 %", "95 %", "of the Carnot efficiency between the approaches"),
        _q("evaporator_approach", "temperature difference", "0.1 K", "50 K", "leaving water over evaporation"),
        _q("condenser_approach", "temperature difference", "0.1 K", "80 K", "condensing over dry bulb at full load"),
        _q("maximum_cop", "number", "1", "100", "highest coefficient of performance"),
        _optional(
            _q(
                "highest_evaporating",
                "temperature",
                "-20 degC",
                "90 degC",
                "highest evaporating temperature; warmer water is mixed",
            ),
            "25 degC",
        ),
        _optional(
            _q(
                "highest_condensing",
                "temperature",
                "20 degC",
                "120 degC",
                "highest condensing temperature; at it no capacity is left",
            ),
            "60 degC",
        ),
        _optional(
            _q("least_lift", "temperature difference", "1 K", "60 K", "least condensing over evaporating temperature"),
            "15 K",
        ),
        _optional(_q("least_load", "share", "1 %", "100 %", "least load of a machine that runs"), "25 %"),
    ),
)

AIR = Section(
    "air",
    "air handlers and their chilled water",
    (
        _q("supply_temperature", "temperature", "5 degC", "50 degC", "set point of the rack inlets"),
        _q("inlet_limit", "temperature", "10 degC", "60 degC", "highest rack inlet allowed"),
        _q("dew_point", "temperature", "-40 degC", "40 degC", "dew point of the rooms' air", default="15 degC"),
        _some("handlers", "air handlers of a building", "racks without air: at least 1 air handler"),
        _q("fan_pressure", "pressure", "1 Pa", "5000 Pa", "pressure rise of the fans"),
        _q("fan_efficiency", "share", "5 %", "100 %", "of fan and motor"),
        _q("coil_rated_heat", "power", "1 kW", "10000 kW", "heat of one coil at rating"),
        _q("coil_rated_air_flow", "volume flow", "0.01 m3/s", "1000 m3/s", "its air at rating"),
        _q("coil_rated_water_flow", "mass flow", "0.01 kg/s", "1000 kg/s", "its water at rating"),
        _q("coil_rated_air_inlet", "temperature", "0 degC", "90 degC", "its air inlet at rating"),
        _q("coil_rated_water_inlet", "temperature", "0 degC", "90 degC", "its water inlet at rating"),
        _q("chilled_water_temperature", "temperature", "0.5 degC", "60 degC", "set point"),
        _q("chilled_water_pump_pressure", "pressure", "0 kPa", "5000 kPa", "pressure rise at the nominal flow"),
        _q("chilled_water_pump_efficiency", "share", "5 %", "100 %", "of pump and motor"),
        _some("dry_coolers", "dry coolers for free cooling of the chilled water", "none: at least 1"),
        _some("chillers", "water-cooled chillers of the chilled water", "none: at least 1"),
        _q("condenser_approach", "temperature difference", "0.1 K", "50 K", "condensing over leaving condenser water"),
        _q("condenser_water_rise", "temperature difference", "0.1 K", "50 K", "of the water through the condensers"),
        Field(
            "chilled_water_volume",
            "chilled water in loop and coils, for one air handler",
            "quantity",
            "volume",
            "0.001 m3",
            "1000 m3",
            default="0.8 m3",
        ),
        Field(
            "room_heat_capacity",
            "room air and what warms with it, for one rack",
            "quantity",
            "heat capacity",
            "1 kJ/K",
            "100000 kJ/K",
            default="100 kJ/K",
        ),
    ),
)
