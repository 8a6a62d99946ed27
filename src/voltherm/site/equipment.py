"""The site's equipment as the domain models have it, made from ratings once before a solve and not in every pass."""

import equinox as eqx
import jax.numpy as jnp

from voltherm.coolant import AirHandler, Chiller, CoolantDistributionUnit, DryCooler
from voltherm.coolant.chiller import AIR_COOLED_SCREW, WATER_COOLED_CENTRIFUGAL
from voltherm.coolant.dry_cooler import air_flow_of_fans
from voltherm.media import AbstractLiquid
from voltherm.site.electrical import RackSupply, rack_supply
from voltherm.site.fluids import liquid_named
from voltherm.site.sections import Scalar, Site

_LARGEST_FACILITY_FLOW = 4.0  # over rated: beyond any valve, so that the valve and not this bound is the limit
_LEAST_FACILITY_FLOW = 1e-3
_LARGEST_CHILLED_FLOW = 2.0  # over rated: what the coils' valves pass


class Equipment(eqx.Module):
    """Coolants of both loops; supply of the racks; one CDU, dry cooler, chiller of each kind and air handler."""

    coolant: AbstractLiquid
    water: AbstractLiquid
    supply: RackSupply
    cdu: CoolantDistributionUnit
    dry_cooler: DryCooler
    trim_chiller: Chiller
    air_chiller: Chiller
    air_handler: AirHandler


def _chiller(site: Site, condenser_approach: Scalar, part_load: tuple[float, float, float]) -> Chiller:
    """One machine of either kind: they differ by condenser and part load."""
    chiller = site.chillers
    return Chiller(
        chiller.capacity,
        chiller.carnot_fraction,
        evaporator_approach=chiller.evaporator_approach,
        condenser_approach=condenser_approach,
        maximum_performance=chiller.maximum_cop,
        least_lift=chiller.least_lift,
        highest_evaporating_temperature=chiller.highest_evaporating,
        highest_condensing_temperature=chiller.highest_condensing,
        least_load=chiller.least_load,
        part_load=part_load,
    )


def build_equipment(site: Site) -> Equipment:
    """The equipment of `site`; differentiable with respect to its ratings."""
    coolant, water = liquid_named(site.secondary.fluid), liquid_named(site.facility.fluid)
    cdu, cooler, air = site.cdu, site.dry_coolers, site.air
    return Equipment(
        coolant=coolant,
        water=water,
        supply=rack_supply(site),
        cdu=CoolantDistributionUnit.from_rating(
            coolant,
            water,
            heat_flow=cdu.rated_heat,
            secondary_mass_flow=cdu.secondary_flow,
            facility_mass_flow=cdu.facility_flow,
            facility_supply_temperature=cdu.facility_supply,
            approach=cdu.approach,
            maximum_flow_ratio=_LARGEST_FACILITY_FLOW,
            minimum_flow_ratio=_LEAST_FACILITY_FLOW,
        ),
        dry_cooler=DryCooler.from_rating(
            water,
            heat_flow=cooler.rated_heat,
            coolant_inlet_temperature=cooler.rated_inlet,
            coolant_outlet_temperature=cooler.rated_outlet,
            air_temperature=cooler.rated_dry_bulb,
            fan_power=cooler.rated_fan_power,
            minimum_fan_speed=cooler.minimum_speed,
            maximum_fan_speed=cooler.maximum_speed,
            air_flow=jnp.where(
                cooler.rated_air_flow > 0.0, cooler.rated_air_flow, air_flow_of_fans(cooler.rated_fan_power)
            ),
        ),
        trim_chiller=_chiller(site, site.chillers.condenser_approach, AIR_COOLED_SCREW),
        air_chiller=_chiller(site, air.condenser_approach, WATER_COOLED_CENTRIFUGAL),
        air_handler=AirHandler.from_rating(
            water,
            heat_flow=air.coil_rated_heat,
            air_flow=air.coil_rated_air_flow,
            water_mass_flow=air.coil_rated_water_flow,
            air_inlet_temperature=air.coil_rated_air_inlet,
            water_inlet_temperature=air.coil_rated_water_inlet,
            fan_pressure=air.fan_pressure,
            fan_efficiency=air.fan_efficiency,
            air_pressure=site.climate.pressure,
            maximum_flow_ratio=_LARGEST_CHILLED_FLOW,
        ),
    )
