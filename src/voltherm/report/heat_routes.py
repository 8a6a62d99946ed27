"""Where the power of a site goes: from every use, through the air side and the facility water, to the surroundings.

    uses -> (air side) -> (facility water) -> dry coolers | trim chillers | straight to the surroundings

Links are taken from the states of the solve and add up to its balances: what enters a node leaves it.
"""

import dataclasses

import numpy as np

from voltherm.site.electrical import one_line
from voltherm.study.answer import Answer, Point

AIR = "air handlers"
WATER = "facility water"
COOLERS = "dry coolers"
TRIM = "trim chillers"
FREE = "free cooling of the air side"
OUTSIDE = "straight to the surroundings"


@dataclasses.dataclass(frozen=True)
class Link:
    """Power [W] that goes from one node to another."""

    source: str
    target: str
    power: float


def heat_routes(answer: Answer, point: Point) -> list[Link]:
    """All links of a solved point, sources top to bottom as they are drawn; links without power are left out."""
    site, state = answer.site, point.state
    buildings, network = state.buildings, state.power
    rows, racks, facility, air = buildings.rows, buildings.racks, buildings.facility, buildings.air
    topology = one_line(site)

    def total(values) -> float:
        return float(np.sum(np.asarray(values)))

    def losses(*groups: str) -> float:
        return sum(total(network.active_loss[topology.group(group)]) for group in groups)

    liquid = total(racks.liquid_heat)
    compressors = total(air.plant.compressor_power)
    electronics = site.building.count * site.building.rows * float(site.cdu.electronics)
    motors = total(facility.pump_power) - total(facility.pump_shaft_power)
    mechanical = total(network.active_load[topology.mechanical_bus])
    house = mechanical - total(buildings.mechanical_power) + site.building.count * float(site.electrical.house_load)
    found = [
        Link("chips, to liquid", WATER, liquid),
        Link("CDU pumps", WATER, total(rows.pump_shaft_power)),
        Link("facility pumps", WATER, total(facility.pump_shaft_power)),
        Link("air-side chillers", WATER, compressors),
        Link("racks, to air", AIR, total(racks.air_heat)),
        Link("CDU pumps", AIR, total(rows.pump_power) - total(rows.pump_shaft_power)),
        Link("CDU electronics", AIR, electronics),
        Link("UPS", AIR, total(buildings.ups_loss)),
        Link("fans of the air handlers", AIR, total(air.fan_power)),
        Link("chilled-water pumps", AIR, total(air.pump_power)),
        Link("unit substations", AIR, losses("row substation")),
        Link("facility pumps", OUTSIDE, motors),
        Link("trim chillers' compressors", TRIM, total(facility.plant.compressor_power)),
        Link("dry-cooler fans", OUTSIDE, total(facility.plant.fan_power) + total(air.plant.fan_power)),
        Link(
            "transformers and cables outside",
            OUTSIDE,
            losses("main", "row cable", "mechanical cable", "mechanical substation"),
        ),
        Link("house and other", OUTSIDE, house),
        Link(AIR, WATER, total(air.plant.chiller_heat)),
        Link(AIR, FREE, total(air.plant.dry_cooler_heat)),
        Link(WATER, COOLERS, total(facility.plant.dry_cooler_heat)),
        Link(WATER, TRIM, total(facility.plant.chiller_heat)),
    ]
    return [link for link in found if link.power > 1.0]
