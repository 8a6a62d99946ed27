"""The site's equipment as the domain models have it, made from ratings once before a solve and not in every pass."""

import equinox as eqx

from voltherm.coolant import AirCooledChiller, AirHandler, CoolantDistributionUnit, DryCooler
from voltherm.media import AbstractLiquid
from voltherm.site.electrical import RackSupply, rack_supply
from voltherm.site.fluids import liquid_named
from voltherm.site.sections import Site

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
    trim_chiller: AirCooledChiller
    air_chiller: AirCooledChiller
    air_handler: AirHandler


def equipment(site: Site) -> Equipment:
    """The equipment of `site`; differentiable with respect to its ratings."""
    coolant, water = liquid_named(site.secondary.fluid), liquid_named(site.facility.fluid)
    cdu, cooler, chiller, air = site.cdu, site.dry_coolers, site.chillers, site.air
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
        ),
        trim_chiller=AirCooledChiller(
            chiller.capacity,
            chiller.carnot_fraction,
            chiller.evaporator_approach,
            chiller.condenser_approach,
            chiller.maximum_cop,
        ),
        # the same machine on facility water: what it rejects to is given as its surroundings' temperature
        air_chiller=AirCooledChiller(
            chiller.capacity,
            chiller.carnot_fraction,
            chiller.evaporator_approach,
            air.condenser_approach,
            chiller.maximum_cop,
        ),
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
