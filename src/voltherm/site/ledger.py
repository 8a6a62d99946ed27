"""Ledger of a solved site: of every watt that is drawn, what it serves and where its heat goes.

    Σ entries of all uses = power at the intake
    Σ entries to a medium = heat that its machines take,    Σ entries out of the site = heat to the surroundings

| symbol | meaning | unit |
| --- | --- | --- |
| entry | power of one use that warms one medium, or heat that one medium gives to the next | W |
| use | what power serves: a name of `USES`; empty where heat is passed on | |
| medium | `AIR`, `CHILLED` and `WATER` inside; what stands in `OUT_OF_SITE` leaves the site | |

Powers by use, cooling power, parts of the intake, load of the mechanical substations, heat of the rooms, the
balance of the site and the picture of the heat's routes are sums over the entries: a machine is booked once, here.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from voltherm.power import PowerState
from voltherm.site.electrical import one_line
from voltherm.site.sections import Site
from voltherm.site.states import AirState, RackStates, RejectionState, SiteState

AIR, CHILLED, WATER = "rooms' air", "chilled water", "facility water"
COOLERS, FREE, TRIM, OUTSIDE = "dry coolers", "free cooling of the air side", "trim chillers", "surroundings"
OUT_OF_SITE = (COOLERS, FREE, TRIM, OUTSIDE)
"""Where heat leaves the site: by machines, or straight to the surroundings."""


class Use(NamedTuple):
    """What power serves: its words in a table and its meaning, and whether it belongs to cooling."""

    label: str
    meaning: str
    cooling: bool = False


USES: dict[str, Use] = {
    "it_power": Use("IT power, at the input of the racks", "power at the input of the racks (PUE category 3)"),
    "dry_cooler_fan_power": Use(
        "Dry-cooler fans", "fans of the dry coolers, chilled water's free cooling included", cooling=True
    ),
    "trim_chiller_power": Use("Trim chillers", "compressors of the trim chillers of the facility water", cooling=True),
    "air_chiller_power": Use("Air-side chillers", "compressors of the chillers of the air side", cooling=True),
    "cdu_pump_power": Use("CDU pumps", "pumps of the CDUs", cooling=True),
    "facility_pump_power": Use("Facility pumps", "facility water pumps", cooling=True),
    "air_handler_power": Use(
        "Air handlers and chilled-water pumps", "fans of the air handlers and chilled-water pumps", cooling=True
    ),
    "cdu_electronics": Use("CDU electronics", "controls and sensors of the CDUs"),
    "ups_loss": Use("UPS losses", "losses of the UPS"),
    "house_load": Use("House load", "lights, controls and offices, at nominal voltage"),
    "voltage_excess": Use(
        "Motors and house: change with their voltage",
        "what motors and house draw beyond nominal for the voltage at their buses",
    ),
    "network_loss": Use("Transformer and cable losses", "losses of transformers and cables behind the intake"),
}
"""Every use of power of a site; together they are what the intake carries."""


class Entry(NamedTuple):
    """Power [W] of a use that warms a medium, with the words of what draws it and, where it hangs on the mechanical
    substations, `mechanical`. Without a use: heat that the medium `source` passes on."""

    use: str
    source: str
    medium: str
    power: Float[ArrayLike, "*building"]
    mechanical: bool = False


def _of_rows(values: Float[ArrayLike, "*building row"]) -> Float[Array, "*building"]:
    return jnp.sum(jnp.asarray(values), axis=-1)


def _of_racks(values: Float[ArrayLike, "*building row rack"]) -> Float[Array, "*building"]:
    return jnp.sum(jnp.asarray(values), axis=(-2, -1))


def computing_entries(
    site: Site,
    racks: RackStates,
    pump_power: Float[ArrayLike, "*building row"],
    pump_shaft_power: Float[ArrayLike, "*building row"],
    ups_loss: Float[ArrayLike, "*building"],
) -> list[Entry]:
    """What hangs on the rows: racks, pumps and electronics of the CDUs [W], UPS."""
    shaft = _of_rows(pump_shaft_power)
    electronics = jnp.full_like(jnp.asarray(ups_loss), site.building.rows * site.cdu.electronics)
    return [
        Entry("it_power", "chips, to liquid", WATER, _of_racks(racks.liquid_heat)),
        Entry("it_power", "racks, to air", AIR, _of_racks(racks.air_heat)),
        Entry("cdu_pump_power", "CDU pumps", WATER, shaft),
        Entry("cdu_pump_power", "CDU pumps", AIR, _of_rows(pump_power) - shaft),
        Entry("cdu_electronics", "CDU electronics", AIR, electronics),
        Entry("ups_loss", "UPS", AIR, ups_loss),
    ]


def cooling_entries(
    site: Site,
    pump_power: Float[ArrayLike, "*building"],
    pump_shaft_power: Float[ArrayLike, "*building"],
    plant: RejectionState,
    air: AirState,
) -> list[Entry]:
    """What hangs on the mechanical substations, at nominal voltage: pumps [W] of the facility loop, plant, air side,
    house."""
    pump, shaft = jnp.asarray(pump_power), jnp.asarray(pump_shaft_power)
    house = jnp.full_like(pump, site.electrical.house_load)
    drawn = [
        ("facility_pump_power", "facility pumps", WATER, shaft),
        ("facility_pump_power", "facility pumps", OUTSIDE, pump - shaft),
        ("dry_cooler_fan_power", "dry-cooler fans", OUTSIDE, plant.fan_power),
        ("trim_chiller_power", "trim chillers' compressors", TRIM, plant.compressor_power),
        ("dry_cooler_fan_power", "dry-cooler fans", OUTSIDE, air.plant.fan_power),
        ("air_chiller_power", "air-side chillers", WATER, air.plant.compressor_power),
        ("air_handler_power", "fans of the air handlers", AIR, air.fan_power),
        ("air_handler_power", "chilled-water pumps", CHILLED, air.pump_power),
        ("house_load", "house and other", OUTSIDE, house),
    ]
    return [Entry(*each, mechanical=True) for each in drawn]


def passed_on(plant: RejectionState, air: AirState) -> list[Entry]:
    """Heat that media pass on, to each other and out of the site."""
    return [
        Entry("", AIR, CHILLED, air.heat),
        Entry("", CHILLED, WATER, air.plant.chiller_heat),
        Entry("", CHILLED, FREE, air.plant.dry_cooler_heat),
        Entry("", WATER, COOLERS, plant.dry_cooler_heat),
        Entry("", WATER, TRIM, plant.chiller_heat),
    ]


def _loss(site: Site, active_loss: Float[ArrayLike, "branch"], *groups: str) -> Float[Array, "building"]:
    """Losses [W] of groups of branches; those of a group stand building by building."""
    topology, loss = one_line(site), jnp.asarray(active_loss)
    found = [jnp.reshape(loss[topology.group(name)], (site.building.count, -1)) for name in groups]
    return jnp.sum(jnp.concatenate(found, axis=1), axis=1)


def substation_loss(site: Site, active_loss: Float[ArrayLike, "branch"]) -> Float[Array, "building"]:
    """Losses of the unit substations of every building [W]: they stand inside and heat its air."""
    return _loss(site, active_loss, "row substation")


def network_entries(site: Site, power: PowerState, nominal_power: Float[ArrayLike, "building"]) -> list[Entry]:
    """Losses behind the intake, and what mechanical loads draw beyond nominal [W] for the voltage at their buses."""
    drawn = jnp.sum(power.active_load[jnp.asarray(one_line(site).mechanical_bus)], axis=1)
    outside = ("main", "row cable", "mechanical cable", "mechanical substation")
    return [
        Entry("network_loss", "unit substations", AIR, substation_loss(site, power.active_loss)),
        Entry("network_loss", "transformers and cables outside", OUTSIDE, _loss(site, power.active_loss, *outside)),
        Entry("voltage_excess", "house and other", OUTSIDE, drawn - nominal_power),
    ]


def ledger(site: Site, state: SiteState) -> list[Entry]:
    """Every entry of a solved site, building by building; NaN where the solve failed."""
    buildings = state.buildings
    rows, facility, air = buildings.rows, buildings.facility, buildings.air
    return [
        *computing_entries(site, buildings.racks, rows.pump_power, rows.pump_shaft_power, buildings.ups_loss),
        *cooling_entries(site, facility.pump_power, facility.pump_shaft_power, facility.plant, air),
        *network_entries(site, state.power, buildings.mechanical_power),
        *passed_on(facility.plant, air),
    ]


def total(entries: Iterable[Entry]) -> Float[Array, "*building"]:
    """Sum of entries [W], building by building; there has to be one."""
    first, *others = (jnp.asarray(each.power) for each in entries)
    for each in others:
        first = first + each
    return first


def into(medium: str, entries: Sequence[Entry]) -> Float[Array, "*building"]:
    """What warms a medium [W]."""
    return total(each for each in entries if each.medium == medium)


def out_of(medium: str, entries: Sequence[Entry]) -> Float[Array, "*building"]:
    """What a medium passes on [W]."""
    return total(each for each in entries if not each.use and each.source == medium)


def by_use(entries: Sequence[Entry]) -> dict[str, Float[Array, ""]]:
    """Power of every use of `USES` [W], all buildings together."""
    return {use: jnp.sum(total(each for each in entries if each.use == use)) for use in USES}


def mechanical_power(entries: Sequence[Entry]) -> Float[Array, "*building"]:
    """What the mechanical substations of a building supply [W], at nominal voltage."""
    return total(each for each in entries if each.mechanical)
