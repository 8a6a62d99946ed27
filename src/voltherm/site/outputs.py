"""Named figures of a solved site: powers by use, margins to every limit, indicators and balance residuals.

    P_intake = Σ P_use                                        uses of `voltherm.site.ledger`
    PUE      = P_intake / P_it                                `voltherm.site.indicators`
    t_1K     = V ρ(T) c_p(T) / Q                              fill alone, heat as at the start

| symbol | meaning | unit |
| --- | --- | --- |
| P_use | IT, cooling, UPS, electronics, house, what loads draw for their voltage, losses of the network | W |
| V, ρ, c_p | fill of a building's facility loop; density and heat capacity at the plant's mean temperature | m³, SI |
| Q | heat that a building's plant takes from the facility water | W |
| t_1K | time in which the fill warms by 1 K once that heat stays in it | s |

Every figure is a scalar array; `FIGURES` gives its unit and meaning, in the order of summaries and tables.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from voltherm.site.balances import balances
from voltherm.site.electrical import one_line
from voltherm.site.fluids import liquid_named
from voltherm.site.indicators import Category, Number, PowerUsageEffectiveness, power_usage_effectiveness
from voltherm.site.ledger import USES, by_use, ledger
from voltherm.site.sections import Site
from voltherm.site.states import SiteState

_LEAST_HEAT = 1.0  # W: a rack that is off has a flow over its heat, too


class Figure(NamedTuple):
    """Unit (SI, as stored) and meaning of one named figure."""

    unit: str
    meaning: str


def _of_use(name: str) -> Figure:
    return Figure("W", USES[name].meaning)


FIGURES: dict[str, Figure] = {
    "it_power": _of_use("it_power"),
    "facility_power": Figure("W", "power at the utility intake"),
    "pue": Figure("1", "interim PUE, category 3, boundary at the utility intake"),
    "liquid_heat": Figure("W", "heat of the racks to the secondary loops"),
    "air_heat": Figure("W", "heat to the air handlers"),
    **{name: _of_use(name) for name in USES if name != "it_power"},
    "cooling_power": Figure("W", "all fans, pumps and compressors"),
    "trim_chiller_heat": Figure("W", "heat taken by the trim chillers"),
    "work": Figure("1", "work of all GPUs over that at nameplate load"),
    "throttled_chips": Figure("1", "chips that do less work to get no warmer"),
    "off_chips": Figure("1", "chips that have switched themselves off"),
    "gpu_temperature": Figure("K", "hottest GPU junction"),
    "gpu_margin": Figure("K", "junction limit less the hottest GPU, if it did not throttle"),
    "cpu_margin": Figure("K", "junction limit less the hottest CPU, if it did not throttle"),
    "switch_margin": Figure("K", "junction limit less the hottest switch chip, if it did not throttle"),
    "junction_margin": Figure("K", "smallest margin of all chips, less the margin the site keeps"),
    "memory_margin": Figure("K", "limit of the chips' memory less its temperature, if no chip throttled"),
    "inlet_margin": Figure("K", "limit of the rack inlet air less its temperature"),
    "supply_temperature": Figure("K", "warmest secondary supply reached"),
    "return_temperature": Figure("K", "warmest secondary return"),
    "supply_margin": Figure("K", "warmest supply that the racks' maker allows less the warmest supply reached"),
    "supply_excess": Figure("K", "warmest secondary supply less its set point"),
    "facility_supply_temperature": Figure("K", "warmest facility water supply"),
    "facility_return_temperature": Figure("K", "warmest facility water return"),
    "lowest_rack_flow": Figure("kg s-1", "least coolant flow of a rack"),
    "flow_per_heat": Figure("m3 J-1", "least coolant flow of a rack over its heat to liquid"),
    "valve_opening": Figure("1", "most open control valve of the CDUs"),
    "fan_speed": Figure("1", "speed of the dry coolers' fans over rated"),
    "cdu_pump_speed": Figure("1", "fastest CDU pump over rated speed"),
    "facility_pump_speed": Figure("1", "facility pumps over rated speed"),
    "chiller_load": Figure("1", "trim chillers' heat over their capacity"),
    "lowest_voltage": Figure("1", "lowest low-voltage bus, per unit"),
    "highest_voltage": Figure("1", "highest low-voltage bus, per unit"),
    "transformer_loading": Figure("1", "most loaded transformer"),
    "feeder_loading": Figure("1", "most loaded feeder"),
    "heat_residual": Figure("1", "largest relative residual of the heat balances"),
    "mass_residual": Figure("1", "largest relative residual of flow and pressure"),
    "power_residual": Figure("1", "relative residual of the electrical balance"),
    "site_residual": Figure("1", "power at the intake less heat to the surroundings, relative"),
}

COOLING_PARTS = tuple(name for name, use in USES.items() if use.cooling)
"""Figures that add up to `cooling_power`."""

INTAKE_PARTS = tuple(USES)
"""Figures that add up to `facility_power`, to the residual of the power flow."""


def site_effectiveness(
    site: Site, facility_energy: Number, it_energy: Number, *, interim: bool
) -> PowerUsageEffectiveness:
    """PUE of the site from energies [J] of one period, or powers [W]: IT at the racks' input, bounded at the intake."""
    boundary = (
        f"utility intake at {site.electrical.intake_voltage / 1e3:g} kV, with transformers, UPS, cooling and house load"
    )
    return power_usage_effectiveness(
        facility_energy, it_energy, category=Category.IT_INPUT, interim=interim, boundary=boundary
    )


def makeup_water(site: Site) -> Float[Array, ""]:
    """Water that the closed facility loops of all buildings are topped up with in a year [m³]; nothing evaporates."""
    return site.building.count * site.facility.volume * site.facility.makeup_fraction


def seconds_per_kelvin(site: Site, state: SiteState) -> Float[Array, "building"]:
    """Time [s] in which the fill alone warms by 1 K with heat rejection lost and the heat as in `state`.

    A course in time differs by what it adds: metal and coolant of the rows, leakage of warmer chips, and heat of the
    air side that free cooling took before.
    """
    plant = state.buildings.facility.plant
    water = liquid_named(site.facility.fluid)
    mean = 0.5 * (jnp.asarray(plant.supply_temperature) + jnp.asarray(plant.return_temperature))
    return site.facility.volume * water.density(mean) * water.heat_capacity(mean) / plant.heat


def low_voltages(site: Site, state: SiteState) -> Float[Array, "bus"]:
    """Voltages [p.u.] of the low-voltage buses: rows, then mechanical substations, building by building."""
    topology = one_line(site)
    buses = jnp.concatenate([jnp.asarray(topology.row_bus.ravel()), jnp.asarray(topology.mechanical_bus.ravel())])
    return state.power.voltage_magnitude[buses]


def flow_per_heat(site: Site, state: SiteState) -> Float[Array, "building row rack"]:
    """Coolant flow of every rack over its heat to liquid [m³/J], at the density of the supply."""
    rows = state.buildings.rows
    density = liquid_named(site.secondary.fluid).density(rows.supply_temperature)
    heat = jnp.maximum(jnp.asarray(state.buildings.racks.liquid_heat), _LEAST_HEAT)
    return rows.rack_mass_flow / density[..., None] / heat


def outputs(site: Site, state: SiteState) -> dict[str, Float[Array, ""]]:
    """The figures of `FIGURES` for a solved site; differentiable, and NaN where the solve failed."""
    buildings, power = state.buildings, state.power
    rows, racks, facility, air = buildings.rows, buildings.racks, buildings.facility, buildings.air
    topology = one_line(site)
    transformers = [topology.group(name) for name in ("main", "row substation", "mechanical substation")]
    feeders = [topology.group(name) for name in ("row cable", "mechanical cable")]
    intake = topology.group("intake")
    facility_power = -power.active_power_to[intake][0]
    uses = by_use(ledger(site, state))
    margins = {
        kind: getattr(site.rack, kind).junction_limit - jnp.max(chips) for kind, chips in racks.unthrottled.items()
    }
    memory = [
        getattr(site.rack, kind).memory_limit - getattr(site.rack, kind).memory_offset - jnp.max(chips)
        for kind, chips in racks.unthrottled.items()
    ]
    voltages = low_voltages(site, state)
    chiller_capacity = site.building.count * site.chillers.count * site.chillers.capacity
    trim_heat = jnp.sum(facility.plant.chiller_heat)
    supply = jnp.max(rows.supply_temperature)
    figures = {
        **uses,
        "facility_power": facility_power,
        "pue": site_effectiveness(site, facility_power, uses["it_power"], interim=True).value,
        "liquid_heat": jnp.sum(racks.liquid_heat),
        "air_heat": jnp.sum(air.heat),
        "cooling_power": jnp.sum(jnp.stack([uses[name] for name in COOLING_PARTS])),
        "trim_chiller_heat": trim_heat,
        "work": jnp.mean(racks.work),
        "throttled_chips": jnp.sum(racks.throttled_chips),
        "off_chips": jnp.sum(racks.off_chips),
        "gpu_temperature": jnp.max(racks.gpu_temperature),
        "gpu_margin": margins["gpu"],
        "cpu_margin": margins["cpu"],
        "switch_margin": margins["switch"],
        "junction_margin": jnp.min(jnp.stack(list(margins.values()))) - site.limits.junction_margin,
        "memory_margin": jnp.min(jnp.stack(memory)),
        "inlet_margin": site.air.inlet_limit - jnp.max(air.supply_temperature),
        "supply_temperature": supply,
        "return_temperature": jnp.max(rows.return_temperature),
        "supply_margin": site.limits.supply_maximum - supply,
        "supply_excess": supply - site.secondary.supply_temperature,
        "facility_supply_temperature": jnp.max(facility.plant.supply_temperature),
        "facility_return_temperature": jnp.max(facility.plant.return_temperature),
        "lowest_rack_flow": jnp.min(rows.rack_mass_flow),
        "flow_per_heat": jnp.min(flow_per_heat(site, state)),
        "valve_opening": jnp.max(rows.valve_opening),
        "fan_speed": jnp.max(facility.plant.fan_speed),
        "cdu_pump_speed": jnp.max(rows.pump_speed),
        "facility_pump_speed": jnp.max(facility.pump_speed),
        # a site without trim chillers has no load on them
        "chiller_load": jnp.where(chiller_capacity > 0.0, trim_heat, 0.0)
        / jnp.where(chiller_capacity > 0.0, chiller_capacity, 1.0),
        "lowest_voltage": jnp.min(voltages),
        "highest_voltage": jnp.max(voltages),
        "transformer_loading": jnp.max(jnp.concatenate([power.loading[group] for group in transformers])),
        "feeder_loading": jnp.max(jnp.concatenate([power.loading[group] for group in feeders])),
        **balances(site, state),
    }
    # the largest of NaNs is not NaN on every device, and a failed solve must not show a margin
    failed = jnp.any(jnp.isnan(state.unknowns))
    return {name: jnp.where(failed, jnp.nan, figures[name]) for name in FIGURES}
