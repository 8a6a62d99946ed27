"""The sections of a site: what is written where, in which dimension and range, and what it means.

Ranges are wide: they refuse a slip of the unit or of the sign, not a bold design. Names and order are those of
`voltherm.site.sections`.
"""

from voltherm.formats.phrases import EVENTS, LOAD
from voltherm.formats.schema import Field, Section, fields, quantity_field
from voltherm.formats.schema_plant import AIR, CDU, CHILLERS, DRY_COOLERS, FACILITY, SECONDARY
from voltherm.formats.schema_power import ELECTRICAL, LIMITS

_quantity = quantity_field


def _count(name: str, meaning: str, below: str, minimum: str = "1", maximum: str = "100000") -> Field:
    return Field(name, meaning, "integer", minimum=minimum, maximum=maximum, below=below, static=True)


_BUILDING = Section(
    "building",
    "how many racks there are and where",
    (
        _count("count", "equal buildings behind the same intake", "no building: at least 1", maximum="64"),
        _count("halls", "halls of a building", "a building without halls: at least 1", maximum="1000"),
        _count("rows_per_hall", "rows of racks in a hall", "a hall without rows: at least 1"),
        _count(
            "racks_per_row",
            "racks in a row, behind one CDU",
            "a CDU without racks: every row has a CDU and needs at least 1 rack",
        ),
    ),
)

_CLIMATE = Section(
    "climate",
    "the hot day and the parametric year",
    (
        _quantity("dry_bulb", "temperature", "-60 degC", "60 degC", "dry bulb of the hot day"),
        _quantity("pressure", "pressure", "50 kPa", "110 kPa", "pressure of the air"),
        Field(
            "monthly_mean",
            "mean dry bulb of the twelve months",
            "list",
            "temperature",
            "-60 degC",
            "60 degC",
            length=12,
        ),
        Field(
            "monthly_daily_range",
            "mean daily range of the twelve months",
            "list",
            "temperature difference",
            "0 K",
            "40 K",
            length=12,
        ),
        _quantity(
            "synoptic_deviation",
            "temperature difference",
            "0 K",
            "20 K",
            "spread of daily means about the month's mean",
        ),
        Field("place", "where the weather is from, and from which source", "text", default="not said", static=True),
    ),
)


def _device(name: str, meaning: str) -> Section:
    return Section(
        name,
        meaning,
        (
            _count("per_tray", "how many of them on a tray", "a tray without any: at least 1", maximum="64"),
            _quantity(
                "power", "power", "1 W", "20000 W", "power of one at its reference temperature, leakage included"
            ),
            _quantity(
                "idle_power",
                "share",
                "0 %",
                "100 %",
                "share of that power drawn without work, leakage included; at least the leakage",
                default="30 %",
            ),
            _quantity(
                "power_limit",
                "share",
                "10 %",
                "1000 %",
                "most that the chip lets itself draw over that power: above it, it does less work",
                default="100 %",
            ),
            _quantity(
                "leakage_fraction", "share", "0 %", "60 %", "share of leakage in the power at the reference temperature"
            ),
            _quantity(
                "leakage_reference",
                "temperature",
                "0 degC",
                "150 degC",
                "junction temperature at which the power holds",
            ),
            _quantity(
                "leakage_scale", "temperature difference", "5 K", "500 K", "rise over which leakage grows e-fold"
            ),
            _quantity("junction_limit", "temperature", "30 degC", "200 degC", "highest junction temperature allowed"),
            _quantity(
                "throttle_above_limit",
                "temperature difference",
                "0 K",
                "1000 K",
                "junction over its limit at which the chip does less work to get no warmer",
                default="0 K",
            ),
            _quantity(
                "shutdown_above_limit",
                "temperature difference",
                "0 K",
                "1000 K",
                "junction over its limit at which the chip switches itself off",
                default="5 K",
            ),
            _quantity(
                "memory_limit",
                "temperature",
                "30 degC",
                "200 degC",
                "highest temperature of the memory in its package; 200 degC is none",
                default="200 degC",
            ),
            _quantity(
                "memory_offset",
                "temperature difference",
                "-60 K",
                "60 K",
                "memory over junction",
                default="0 K",
            ),
            _quantity(
                "package_resistance", "thermal resistance", "0 K/W", "5 K/W", "junction to the top of the package"
            ),
            _quantity(
                "interface_resistance",
                "area resistance",
                "0.01 mm2K/W",
                "1000 mm2K/W",
                "interface material, times its area",
            ),
            _quantity("interface_area", "area", "0.1 cm2", "1000 cm2", "area of the interface material"),
            _quantity("plate_base_resistance", "thermal resistance", "0 K/W", "5 K/W", "conduction in the cold plate"),
            _quantity(
                "plate_flow_resistance",
                "thermal resistance",
                "0 K/W",
                "5 K/W",
                "convection to the coolant of the plate's test at 1 L/min",
            ),
            _quantity(
                "plate_flow_exponent",
                "number",
                "0",
                "0.5",
                "power of the flow by which that falls: 0 where laminar flow is developed, 0.33 in its entry; what the "
                "coolant warms is no part of it",
            ),
            _quantity(
                "plate_nominal_flow", "volume flow", "0.01 L/min", "100 L/min", "flow of the pressure drop below"
            ),
            _quantity(
                "plate_nominal_pressure_drop",
                "pressure",
                "0.1 kPa",
                "1000 kPa",
                "pressure drop of the plate at that flow",
            ),
            Field(
                "plate_coolant",
                "coolant of the test behind these four; converted to that of the secondary loop",
                "text",
                static=True,
                default="propylene glycol 25 %vol",
            ),
            _quantity(
                "plate_coolant_temperature",
                "temperature",
                "0 degC",
                "90 degC",
                "temperature of the coolant in that test",
                default="40 degC",
            ),
            _quantity("power_spread", "share", "0 %", "50 %", "hottest of a tray over the mean"),
            Field(
                "heat_capacity",
                "of one with its lid, its plate and the coolant in it; part of the rack's metal",
                "quantity",
                "heat capacity",
                "1 J/K",
                "100 kJ/K",
                default="400 J/K",
            ),
        ),
    )


_RACK = Section(
    "rack",
    "one rack",
    (
        Field("name", "its name", "text", static=True),
        _quantity(
            "load_factor", "share", "0 %", "150 %", "share of the rack's power that follows its work, liquid and air"
        ),
        _count("compute_trays", "compute trays", "a rack without compute trays: at least 1", maximum="200"),
        _count("switch_trays", "switch trays", "a rack without switch trays: at least 1", maximum="200"),
        _quantity("coolant_volume", "volume", "0.1 L", "1000 L", "coolant in hoses, manifolds and plates"),
        _quantity("air_heat", "power", "0 kW", "200 kW", "heat given to the air, the power shelves' loss included"),
        _quantity("air_flow", "volume flow", "0.001 m3/s", "50 m3/s", "air through the rack"),
        _quantity("heat_capacity", "heat capacity", "1 kJ/K", "10000 kJ/K", "metal of the liquid-cooled parts"),
        _quantity(
            "tray_nominal_pressure_drop", "pressure", "0.1 kPa", "1000 kPa", "quick disconnects and hoses of a tray"
        ),
        _quantity("tray_nominal_flow", "volume flow", "0.1 L/min", "1000 L/min", "flow of that pressure drop"),
        _quantity(
            "tray_maldistribution", "share", "0 %", "200 %", "more drop through the farthest tray than the nearest"
        ),
        _quantity(
            "manifold_nominal_pressure_drop",
            "pressure",
            "0.1 kPa",
            "1000 kPa",
            "manifold, hoses and disconnects of a rack",
        ),
        _quantity("manifold_nominal_flow", "volume flow", "0.1 L/min", "10000 L/min", "flow of that pressure drop"),
        _device("gpu", "GPUs of a compute tray"),
        _device("cpu", "CPUs of a compute tray"),
        _device("switch", "switch chips of a switch tray"),
    ),
)

_ECONOMICS = Section(
    "economics",
    "prices",
    (
        _quantity("electricity_price", "energy price", "0 USD/MWh", "10000 USD/MWh", "electricity"),
        _quantity("water_price", "volume price", "0 USD/m3", "1000 USD/m3", "make-up water"),
        _quantity("pipe_price", "area price", "0 USD/m2", "1000000 USD/m2", "piping, per area of pipe wall"),
        _quantity("annuity", "share a year", "0 %/year", "100 %/year", "yearly share of the piping's price"),
    ),
)


def _lasting(name: str, default: str, meaning: str) -> Field:
    return Field(name, meaning, "quantity", "time", "0 s", "3600 s", default=default)


_RIDE_THROUGH = Section(
    "ride_through",
    "what `simulate` runs: what is lost and restored, and when",
    (
        _quantity("duration", "time", "1 s", "864000 s", "simulated time"),
        _quantity("step", "time", "0.1 s", "3600 s", "longest time step; shorter ones follow every event"),
        Field(
            "events",
            "what is lost and restored, and when",
            "phrases",
            default="heat rejection lost at 0 s",
            phrases=EVENTS,
        ),
        Field(
            "load",
            "course of a factor on the load, straight lines between its points",
            "phrases",
            default="100 % at 0 s",
            phrases=LOAD,
        ),
        _lasting("facility_pump_coast_down", "5 s", "facility pumps that lose power: time constant of their speed"),
        _lasting("cdu_pump_coast_down", "2 s", "pumps of the CDUs that lose power: time constant of their speed"),
        _lasting("pump_ramp", "30 s", "pumps that are restored: until full speed"),
        _lasting("fan_ramp", "30 s", "fans that are restored: until full speed"),
        _lasting("chiller_ramp", "240 s", "chillers that are restored: until full load"),
    ),
)

VERSION = Field("voltherm", "version of this format, 1", "choice", choices=("1",), static=True)
NAME = Field("name", "name of the case", "text", static=True)

SITE = Section(
    "site",
    "a campus: equal buildings behind one intake, and the weather they stand in",
    (
        VERSION,
        NAME,
        _BUILDING,
        _CLIMATE,
        _RACK,
        SECONDARY,
        CDU,
        FACILITY,
        DRY_COOLERS,
        CHILLERS,
        AIR,
        ELECTRICAL,
        LIMITS,
        _ECONOMICS,
        _RIDE_THROUGH,
    ),
)
"""The whole case."""

FIELDS = fields(SITE)
"""Every value of a case by its dotted path."""

STUDY_PATHS = {path: field for path, field in FIELDS.items() if field.movable}
"""Numbers that a study can move, and that may have a tolerance."""
