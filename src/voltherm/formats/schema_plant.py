"""The coolant side of a site: secondary loops, CDUs, facility water, dry coolers, chillers and air handlers."""

import dataclasses

from voltherm.formats.schema import Field, Section, quantity_field

_quantity = quantity_field


def _some(name: str, meaning: str, below: str) -> Field:
    return _quantity(name, "number", "1", "10000", meaning, below)


def _optional(field: Field, default: str) -> Field:
    return dataclasses.replace(field, default=default)


def _fluid() -> Field:
    return Field("fluid", "coolant: water, or such as 'propylene glycol 25 %vol'", "text", static=True)


def _pump(nominal: str) -> tuple[Field, ...]:
    return (
        _quantity("pump_shutoff_pressure", "pressure", "1 kPa", "5000 kPa", "pressure rise of the pump at no flow"),
        _quantity("pump_nominal_flow", "mass flow", "0.01 kg/s", "10000 kg/s", f"flow of {nominal} at the point below"),
        _quantity("pump_nominal_pressure", "pressure", "1 kPa", "5000 kPa", "pressure rise at that flow"),
        _quantity("pump_efficiency", "share", "5 %", "100 %", "of the pump at that point"),
        _quantity(
            "pump_required_npsh", "length", "0 m", "100 m", "net positive suction head it needs there", default="4 m"
        ),
        _quantity("motor_efficiency", "share", "5 %", "100 %", "of motor and drive"),
        _quantity("minimum_speed", "share", "0 %", "100 %", "least speed over the rated one"),
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
        _quantity("supply_temperature", "temperature", "-10 degC", "90 degC", "set point of the CDUs"),
        _quantity(
            "differential_pressure", "pressure", "1 kPa", "2000 kPa", "set point across the row's supply and return"
        ),
        _quantity(
            "expansion_pressure", "absolute pressure", "50 kPa(a)", "3000 kPa(a)", "held by the expansion vessel"
        ),
        _quantity("header_diameter", "length", "10 mm", "2000 mm", "row header"),
        _quantity("header_segment", "length", "0.1 m", "100 m", "header between two racks"),
        _quantity("header_roughness", "length", "0 mm", "5 mm", "wall of the header"),
        _quantity("branch_loss_coefficient", "number", "0", "1000", "tees and valve of a rack's branch"),
        _quantity("branch_diameter", "length", "5 mm", "1000 mm", "branch to a rack"),
        *_pump("a CDU's pump"),
        _quantity("cdu_pressure_drop", "pressure", "0 kPa", "2000 kPa", "inside the CDU at the nominal flow"),
        _quantity("cdu_volume", "volume", "0.1 L", "100000 L", "coolant in the CDU"),
    ),
)

CDU = Section(
    "cdu",
    "rating of a coolant distribution unit",
    (
        _quantity("rated_heat", "power", "1 kW", "100000 kW", "heat at rating"),
        _quantity("secondary_flow", "mass flow", "0.01 kg/s", "10000 kg/s", "secondary flow at rating"),
        _quantity("facility_flow", "mass flow", "0.01 kg/s", "10000 kg/s", "facility flow at rating"),
        _quantity(
            "approach", "temperature difference", "0.1 K", "50 K", "secondary supply less facility supply at rating"
        ),
        _quantity("facility_supply", "temperature", "0 degC", "90 degC", "facility supply at rating"),
        _quantity("facility_pressure_drop", "pressure", "0.1 kPa", "2000 kPa", "of the facility side at rating"),
        _quantity("electronics", "power", "0 kW", "1000 kW", "controls and sensors of one CDU"),
    ),
)

FACILITY = Section(
    "facility",
    "facility water system: the loop of one building",
    (
        _fluid(),
        _quantity("volume", "volume", "0.1 m3", "1000000 m3", "fill of the loop"),
        _quantity("tank_fraction", "share", "0.1 %", "99.9 %", "share of the fill in mixed buffer tanks"),
        _quantity("makeup_fraction", "share", "0 %", "1000 %", "make-up of a year over the fill"),
        _quantity(
            "supply_offset", "temperature difference", "0 K", "60 K", "facility set point below the secondary one"
        ),
        _quantity(
            "differential_pressure", "pressure", "1 kPa", "5000 kPa", "highest set point across the plant's headers"
        ),
        _optional(
            _quantity("least_differential_pressure", "pressure", "1 kPa", "5000 kPa", "lowest set point of a reset"),
            "50 kPa",
        ),
        _optional(
            _quantity(
                "reset_opening",
                "share",
                "10 %",
                "100 %",
                "opening of the most open CDU valve to which the set point is reset; 10 %: no reset",
            ),
            "10 %",
        ),
        _quantity("expansion_pressure", "absolute pressure", "50 kPa(a)", "3000 kPa(a)", "at the plant's return"),
        _quantity("main_diameter", "length", "10 mm", "10000 mm", "main from plant to hall"),
        _quantity("main_length", "length", "0.1 m", "100000 m", "its length"),
        _quantity("header_diameter", "length", "10 mm", "10000 mm", "header along the rows of a hall"),
        _quantity("header_segment", "length", "0.1 m", "1000 m", "header between two rows"),
        _quantity("branch_diameter", "length", "5 mm", "5000 mm", "branch to a CDU"),
        _quantity("branch_length", "length", "0.1 m", "10000 m", "its length, there and back"),
        _quantity("roughness", "length", "0 mm", "5 mm", "wall of all pipes"),
        _quantity("branch_loss_coefficient", "number", "0", "1000", "fittings of a branch"),
        _quantity(
            "control_valve", "valve coefficient", "0.01 m3/h", "100000 m3/h", "Kv of a CDU's control valve, open"
        ),
        _quantity("control_valve_rangeability", "number", "2", "1000", "of the equal-percentage valve"),
        _quantity(
            "balancing_valve", "valve coefficient", "0.01 m3/h", "100000 m3/h", "Kv of a CDU's balancing valve as set"
        ),
        _some("pumps", "pumps in parallel", "a loop without a pump: at least 1"),
        *_pump("one pump"),
        _quantity(
            "plant_pressure_drop", "pressure", "0 kPa", "5000 kPa", "of the plant at the nominal flow of all pumps"
        ),
    ),
)

DRY_COOLERS = Section(
    "dry_coolers",
    "bank of equal dry coolers",
    (
        _some("count", "how many", "a loop without heat rejection: at least 1"),
        _quantity("rated_heat", "power", "1 kW", "100000 kW", "heat of one at rating"),
        _quantity("rated_inlet", "temperature", "-40 degC", "120 degC", "water inlet at rating"),
        _quantity("rated_outlet", "temperature", "-40 degC", "120 degC", "water outlet at rating"),
        _quantity("rated_dry_bulb", "temperature", "-60 degC", "60 degC", "dry bulb at rating"),
        _quantity("rated_fan_power", "power", "0.001 kW", "10000 kW", "fans of one at rating"),
        _optional(
            _quantity(
                "rated_air_flow", "volume flow", "0 m3/s", "10000 m3/s", "air of one at rating; 0: from its fans' power"
            ),
            "0 m3/s",
        ),
        _quantity("minimum_speed", "share", "0 %", "100 %", "least fan speed over the rated one"),
        _optional(_quantity("maximum_speed", "share", "1 %", "120 %", "highest fan speed over the rated one"), "100 %"),
        _optional(
            _quantity(
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
        _quantity("capacity", "power", "0.001 MW", "100 MW", "of one"),
        _quantity("carnot_fraction", "share", "5 %", "95 %", "of the Carnot efficiency between the approaches"),
        _quantity("evaporator_approach", "temperature difference", "0.1 K", "50 K", "leaving water over evaporation"),
        _quantity(
            "condenser_approach", "temperature difference", "0.1 K", "80 K", "condensing over dry bulb at full load"
        ),
        _quantity("maximum_cop", "number", "1", "100", "highest coefficient of performance"),
        _optional(
            _quantity(
                "highest_evaporating",
                "temperature",
                "-20 degC",
                "90 degC",
                "highest evaporating temperature; warmer water is mixed",
            ),
            "25 degC",
        ),
        _optional(
            _quantity(
                "highest_condensing",
                "temperature",
                "20 degC",
                "120 degC",
                "highest condensing temperature; at it no capacity is left",
            ),
            "60 degC",
        ),
        _optional(
            _quantity(
                "least_lift", "temperature difference", "1 K", "60 K", "least condensing over evaporating temperature"
            ),
            "15 K",
        ),
        _optional(_quantity("least_load", "share", "1 %", "100 %", "least load of a machine that runs"), "25 %"),
    ),
)

AIR = Section(
    "air",
    "air handlers and their chilled water",
    (
        _quantity("supply_temperature", "temperature", "5 degC", "50 degC", "set point of the rack inlets"),
        _quantity("inlet_limit", "temperature", "10 degC", "60 degC", "highest rack inlet allowed"),
        _quantity("dew_point", "temperature", "-40 degC", "40 degC", "dew point of the rooms' air", default="15 degC"),
        _some("handlers", "air handlers of a building", "racks without air: at least 1 air handler"),
        _quantity("fan_pressure", "pressure", "1 Pa", "5000 Pa", "pressure rise of the fans"),
        _quantity("fan_efficiency", "share", "5 %", "100 %", "of fan and motor"),
        _quantity("coil_rated_heat", "power", "1 kW", "10000 kW", "heat of one coil at rating"),
        _quantity("coil_rated_air_flow", "volume flow", "0.01 m3/s", "1000 m3/s", "its air at rating"),
        _quantity("coil_rated_water_flow", "mass flow", "0.01 kg/s", "1000 kg/s", "its water at rating"),
        _quantity("coil_rated_air_inlet", "temperature", "0 degC", "90 degC", "its air inlet at rating"),
        _quantity("coil_rated_water_inlet", "temperature", "0 degC", "90 degC", "its water inlet at rating"),
        _quantity("chilled_water_temperature", "temperature", "0.5 degC", "60 degC", "set point"),
        _quantity("chilled_water_pump_pressure", "pressure", "0 kPa", "5000 kPa", "pressure rise at the nominal flow"),
        _quantity("chilled_water_pump_efficiency", "share", "5 %", "100 %", "of pump and motor"),
        _some("dry_coolers", "dry coolers for free cooling of the chilled water", "none: at least 1"),
        _some("chillers", "water-cooled chillers of the chilled water", "none: at least 1"),
        _quantity(
            "condenser_approach", "temperature difference", "0.1 K", "50 K", "condensing over leaving condenser water"
        ),
        _quantity(
            "condenser_water_rise", "temperature difference", "0.1 K", "50 K", "of the water through the condensers"
        ),
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
