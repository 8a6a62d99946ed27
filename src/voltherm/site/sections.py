"""The numbers of a site, section by section, as the configuration names them.

A `Site` mirrors the tree of a building's YAML file: the number written there as ``secondary.supply_temperature`` is
the leaf ``site.secondary.supply_temperature`` here, in SI units (temperatures in K, shares as fractions, valve
coefficients Kv in m³/h). Counts that shape arrays and names are static; every other number is a traced scalar, so that
sweeps, gradients and tuning address it by the same dotted path and none of them compiles twice.
"""

import dataclasses
import typing
from collections.abc import Iterator
from typing import Annotated

import equinox as eqx
from jaxtyping import Array, Float

Scalar = Float[Array, ""]
Kelvin = Annotated[Scalar, "K"]
"""A temperature or a temperature difference, of which a kelvin is a natural step."""


class Building(eqx.Module):
    """How many racks there are and where: buildings, halls a building, rows a hall, racks a row (all static)."""

    count: int = eqx.field(static=True)
    halls: int = eqx.field(static=True)
    rows_per_hall: int = eqx.field(static=True)
    racks_per_row: int = eqx.field(static=True)

    @property
    def rows(self) -> int:
        """Rows, and so CDUs, in one building."""
        return self.halls * self.rows_per_hall

    @property
    def racks(self) -> int:
        """Racks in one building."""
        return self.rows * self.racks_per_row


class Climate(eqx.Module):
    """The hot day and the parametric year: dry bulb [K], pressure [Pa], monthly means [K] and daily ranges [K].

    `place` (static): where the weather is from, and from which source.
    """

    dry_bulb: Kelvin
    pressure: Scalar
    monthly_mean: Float[Array, "month"]
    monthly_daily_range: Float[Array, "month"]
    synoptic_deviation: Kelvin
    place: str = eqx.field(static=True, default="not said")


NO_LIMIT = 473.15
"""K: a temperature limit of this height counts as none."""


class Device(eqx.Module):
    """One kind of liquid-cooled chip: power [W], leakage, limits, thermal path [K/W, m²K/W, m²] and cold plate.

    Shares of the nameplate power: `idle_power`, `power_limit`. The plate's law holds for `plate_coolant` (static) and
    is converted to the coolant of the secondary loop.
    Memory in its package is `memory_offset` [K] warmer than its junction and has a limit of its own, or `NO_LIMIT`.
    """

    per_tray: int = eqx.field(static=True)
    power: Scalar
    idle_power: Scalar
    power_limit: Scalar
    leakage_fraction: Scalar
    leakage_reference: Kelvin
    leakage_scale: Kelvin
    junction_limit: Kelvin
    throttle_above_limit: Kelvin
    shutdown_above_limit: Kelvin
    memory_limit: Kelvin
    memory_offset: Kelvin
    package_resistance: Scalar
    interface_resistance: Scalar
    interface_area: Scalar
    plate_base_resistance: Scalar
    plate_flow_resistance: Scalar
    plate_flow_exponent: Scalar
    plate_nominal_flow: Scalar
    plate_nominal_pressure_drop: Scalar
    plate_coolant: str = eqx.field(static=True)
    plate_coolant_temperature: Kelvin
    power_spread: Scalar
    heat_capacity: Scalar


class Rack(eqx.Module):
    """One rack: its trays, what it gives to the air [W, m³/s], its manifold and trays as flow resistances."""

    name: str = eqx.field(static=True)
    compute_trays: int = eqx.field(static=True)
    switch_trays: int = eqx.field(static=True)
    load_factor: Scalar
    coolant_volume: Scalar
    air_heat: Scalar
    air_flow: Scalar
    heat_capacity: Scalar
    tray_nominal_pressure_drop: Scalar
    tray_nominal_flow: Scalar
    tray_maldistribution: Scalar
    manifold_nominal_pressure_drop: Scalar
    manifold_nominal_flow: Scalar
    gpu: Device
    cpu: Device
    switch: Device


class Secondary(eqx.Module):
    """Technology cooling system: the loop of one row, its set points, header, rack branches and CDU pump."""

    fluid: str = eqx.field(static=True)
    supply_temperature: Kelvin
    differential_pressure: Scalar
    expansion_pressure: Scalar
    header_diameter: Scalar
    header_segment: Scalar
    header_roughness: Scalar
    branch_loss_coefficient: Scalar
    branch_diameter: Scalar
    pump_shutoff_pressure: Scalar
    pump_nominal_flow: Scalar
    pump_nominal_pressure: Scalar
    pump_efficiency: Scalar
    pump_required_npsh: Scalar
    motor_efficiency: Scalar
    minimum_speed: Scalar
    maximum_speed: Scalar
    cdu_pressure_drop: Scalar
    cdu_volume: Scalar


class Cdu(eqx.Module):
    """Coolant distribution unit: the rating of its exchanger and its own consumption."""

    rated_heat: Scalar
    secondary_flow: Scalar
    facility_flow: Scalar
    approach: Kelvin
    facility_supply: Kelvin
    facility_pressure_drop: Scalar
    electronics: Scalar


class Facility(eqx.Module):
    """Facility water system: volume, set points, mains, headers, CDU branches with valves, and the pump station."""

    fluid: str = eqx.field(static=True)
    volume: Scalar
    tank_fraction: Scalar
    makeup_fraction: Scalar
    supply_offset: Kelvin
    differential_pressure: Scalar
    least_differential_pressure: Scalar
    reset_opening: Scalar
    expansion_pressure: Scalar
    main_diameter: Scalar
    main_length: Scalar
    header_diameter: Scalar
    header_segment: Scalar
    branch_diameter: Scalar
    branch_length: Scalar
    roughness: Scalar
    branch_loss_coefficient: Scalar
    control_valve: Scalar
    control_valve_rangeability: Scalar
    balancing_valve: Scalar
    pumps: Scalar
    pump_shutoff_pressure: Scalar
    pump_nominal_flow: Scalar
    pump_nominal_pressure: Scalar
    pump_efficiency: Scalar
    pump_required_npsh: Scalar
    motor_efficiency: Scalar
    minimum_speed: Scalar
    maximum_speed: Scalar
    plant_pressure_drop: Scalar


class DryCoolers(eqx.Module):
    """Bank of equal dry coolers: how many, the rating of one, its fans' speeds, and the air that reaches them.

    `recirculation`: how much warmer than the dry bulb the air is that coolers and air-cooled chillers draw in.
    """

    count: Scalar
    rated_heat: Scalar
    rated_inlet: Kelvin
    rated_outlet: Kelvin
    rated_dry_bulb: Kelvin
    rated_fan_power: Scalar
    rated_air_flow: Scalar
    minimum_speed: Scalar
    maximum_speed: Scalar
    recirculation: Kelvin


class Chillers(eqx.Module):
    """Air-cooled trim chillers behind the dry coolers: how many, capacity of one, efficiency, approaches, envelope.

    Efficiency, evaporator and envelope are those of the air side's chillers, too.
    """

    count: Scalar
    capacity: Scalar
    carnot_fraction: Scalar
    evaporator_approach: Kelvin
    condenser_approach: Kelvin
    maximum_cop: Scalar
    highest_evaporating: Kelvin
    highest_condensing: Kelvin
    least_lift: Kelvin
    least_load: Scalar


class Air(eqx.Module):
    """Air handlers of a building and their chilled water: free cooling first, then chillers on facility water."""

    supply_temperature: Kelvin
    inlet_limit: Kelvin
    dew_point: Kelvin
    handlers: Scalar
    fan_pressure: Scalar
    fan_efficiency: Scalar
    coil_rated_heat: Scalar
    coil_rated_air_flow: Scalar
    coil_rated_water_flow: Scalar
    coil_rated_air_inlet: Kelvin
    coil_rated_water_inlet: Kelvin
    chilled_water_temperature: Kelvin
    chilled_water_pump_pressure: Scalar
    chilled_water_pump_efficiency: Scalar
    dry_coolers: Scalar
    chillers: Scalar
    condenser_approach: Kelvin
    condenser_water_rise: Kelvin
    chilled_water_volume: Scalar
    room_heat_capacity: Scalar


class TransformerRating(eqx.Module):
    """Nameplate of a transformer: rating [VA], vk, vkr, no-load loss [W] and current, tap ratio at its high side."""

    rating: Scalar
    vk: Scalar
    vkr: Scalar
    no_load_loss: Scalar
    no_load_current: Scalar
    tap: Scalar


class FeederRating(eqx.Module):
    """Cable of a feeder: Ω/m, Ω/m, F/m, A; length to the first substation and between substations [m]."""

    resistance: Scalar
    reactance: Scalar
    capacitance: Scalar
    rating: Scalar
    length: Scalar
    segment: Scalar


class UpsRating(eqx.Module):
    """Uninterruptible power supply: rating [VA], efficiency at load fractions, input power factor."""

    rating: Scalar
    efficiency: Float[Array, "point"]
    load: Float[Array, "point"]
    power_factor: Scalar


class PowerShelfRating(eqx.Module):
    """Power shelves of one rack: rating [W], efficiency at load fractions."""

    rating: Scalar
    efficiency: Float[Array, "point"]
    load: Float[Array, "point"]


class Motors(eqx.Module):
    """Pumps, fans and chillers as loads: power factor, shares of constant impedance and constant current."""

    power_factor: Scalar
    impedance_share: Scalar
    current_share: Scalar


class Electrical(eqx.Module):
    """From the intake to the rows: counts and base values (static), transformers, feeders, UPS, shelves, motors.

    Static: numbers of main transformers, feeders and substations; frequency [Hz], base power [VA] and voltages [V]
    of the per-unit system.
    """

    main_transformers: int = eqx.field(static=True)
    feeders: int = eqx.field(static=True)
    mechanical_feeders: int = eqx.field(static=True)
    mechanical_substations: int = eqx.field(static=True)
    frequency: float = eqx.field(static=True)
    base_power: float = eqx.field(static=True)
    intake_voltage: float = eqx.field(static=True)
    distribution_voltage: float = eqx.field(static=True)
    low_voltage: float = eqx.field(static=True)
    intake_set_point: Scalar
    intake_short_circuit: Scalar
    main_transformer: TransformerRating
    feeder: FeederRating
    unit_substation: TransformerRating
    mechanical_substation: TransformerRating
    ups: UpsRating
    power_shelf: PowerShelfRating
    motors: Motors
    house_load: Scalar


class Limits(eqx.Module):
    """What no answer may pass: voltages [p.u.], loadings, margin kept below every junction limit, the maker's limits.

    Below them what equipment is used for: flow of pumps over their best, velocities [m/s], air behind the racks [K],
    margins kept above freezing, dew point [K] and required net positive suction head [m]. An answer outside says so.
    """

    voltage_minimum: Scalar
    voltage_maximum: Scalar
    loading_maximum: Scalar
    junction_margin: Kelvin
    supply_maximum: Kelvin
    flow_minimum: Scalar
    pump_flow_minimum: Scalar
    pump_flow_maximum: Scalar
    pump_allowable_minimum: Scalar
    pump_allowable_maximum: Scalar
    npsh_margin: Scalar
    main_velocity: Scalar
    branch_velocity: Scalar
    freezing_margin: Kelvin
    return_air_maximum: Kelvin
    dew_point_margin: Kelvin


class Economics(eqx.Module):
    """Prices: electricity [1/J], water [1/m³], piping [1/m² of wall], yearly share of the piping's price [1/year]."""

    electricity_price: Scalar
    water_price: Scalar
    pipe_price: Scalar
    annuity: Scalar


class RideThrough(eqx.Module):
    """What `simulate` runs: duration and longest step [s], events and load, coasting down and ramps of machines [s].

    `events`: time [s], service (index into `voltherm.site.events.SERVICES`), 1 where it is restored, ramp [s] (negative
    for the usual one); `load`: time [s] and factor on the load factor.
    """

    duration: Scalar
    step: Scalar
    events: Float[Array, "event 4"]
    load: Float[Array, "point 2"]
    facility_pump_coast_down: Scalar
    cdu_pump_coast_down: Scalar
    pump_ramp: Scalar
    fan_ramp: Scalar
    chiller_ramp: Scalar


class Site(eqx.Module):
    """A campus: `building.count` equal buildings behind one intake, and the weather they stand in."""

    name: str = eqx.field(static=True)
    building: Building
    climate: Climate
    rack: Rack
    secondary: Secondary
    cdu: Cdu
    facility: Facility
    dry_coolers: DryCoolers
    chillers: Chillers
    air: Air
    electrical: Electrical
    limits: Limits
    economics: Economics
    ride_through: RideThrough


def _kelvins(kind: type, prefix: str = "") -> Iterator[str]:
    hints = typing.get_type_hints(kind, include_extras=True)
    for field in dataclasses.fields(kind):
        hint = hints[field.name]
        if hint == Kelvin:
            yield f"{prefix}{field.name}"
        elif isinstance(hint, type) and dataclasses.is_dataclass(hint):
            yield from _kelvins(hint, f"{prefix}{field.name}.")


TEMPERATURES = frozenset(_kelvins(Site))
"""Dotted paths of the scalars in kelvin: temperatures and temperature differences."""
