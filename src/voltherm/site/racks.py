"""The racks of a building: the site's numbers as a thermal rack model, evaluated for every rack of every row.

    P_device(i) = P (1 + s (1 - 2 i / (n - 1))),  i = 0 .. n - 1

| symbol | meaning | unit | source |
| --- | --- | --- | --- |
| P | mean power of the devices of one kind in a tray | W | configuration |
| s | power spread: hottest device of a tray over the mean | - | configuration |
| n | devices of the kind in a tray | - | configuration |

Everything else is `voltherm.thermal.rack`; the loss of the power shelves joins the heat to the air. The load factor is
the share of what follows the rack's work: the dynamic power of its chips and the power of its air-cooled parts. Leakage
follows the junctions, and the loss of the shelves their output.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from voltherm.media.liquid import AbstractLiquid
from voltherm.site.electrical import RackSupply
from voltherm.site.sections import Device, Rack, Site
from voltherm.site.states import RackStates
from voltherm.thermal import AirSide, ColdPlate, DeviceGroup, InterfaceMaterial, LeakagePower, Package, RackModel, Tray
from voltherm.thermal import rack as rack_model


def device_group(name: str, device: Device) -> DeviceGroup:
    """Devices of one kind as the thermal model has them."""
    dtype = device.power.dtype
    position = jnp.linspace(1.0, -1.0, device.per_tray, dtype=dtype) if device.per_tray > 1 else jnp.zeros(1, dtype)
    power = LeakagePower.from_fraction(
        device.power * (1.0 + device.power_spread * position),
        device.leakage_fraction,
        device.leakage_reference,
        device.leakage_scale,
    )
    return DeviceGroup(
        name,
        device.per_tray,
        power,
        Package(device.package_resistance),
        InterfaceMaterial(device.interface_resistance, device.interface_area),
        ColdPlate(
            device.plate_base_resistance,
            device.plate_flow_resistance,
            device.plate_flow_exponent,
            device.plate_nominal_flow,
            device.plate_nominal_pressure_drop,
        ),
        device.junction_limit,
        device.heat_capacity,
    )


def thermal_rack(rack: Rack, supply: RackSupply, inlet_limit: Float[Array, ""]) -> RackModel:
    """The site's rack as the thermal model has it; `inlet_limit`: of the air entering the rack [K]."""
    zero = jnp.zeros_like(rack.air_heat)
    return RackModel(
        (
            Tray("compute", rack.compute_trays, (device_group("gpu", rack.gpu), device_group("cpu", rack.cpu))),
            Tray("switch", rack.switch_trays, (device_group("switch", rack.switch),)),
        ),
        AirSide(supply.air_electronics, zero, zero, zero, inlet_limit, inlet_limit),
        jnp.ones_like(zero),
    )


@jax.named_scope("racks")
def solve_racks(
    site: Site,
    supply: RackSupply,
    liquid: AbstractLiquid,
    supply_temperature: Float[Array, "row"],
    tray_mass_flow: Float[Array, "row rack tray"],
    load_factor: Float[Array, ""],
) -> RackStates:
    """All racks of one building at the supply temperature [K] of their row and the mass flow [kg/s] of their trays.

    **Arguments**: `load_factor`: share of dynamic chip power and of air-cooled power [-].
    """
    model = thermal_rack(site.rack, supply, site.air.inlet_limit)

    def one(temperature: Float[Array, ""], flow: Float[Array, "tray"]) -> rack_model.RackState:
        return rack_model.steady(model, temperature, flow, liquid, load_factor=load_factor)

    states = jax.vmap(jax.vmap(one, in_axes=(None, 0)))(supply_temperature, tray_mass_flow)
    shelf_loss = supply.shelf.loss(states.electrical_power)
    return RackStates(
        gpu_temperature=states.junction_temperature["gpu"],
        cpu_temperature=states.junction_temperature["cpu"],
        switch_temperature=states.junction_temperature["switch"],
        return_temperature=states.return_temperature,
        liquid_heat=states.liquid_heat,
        air_heat=states.air_heat + shelf_loss,
        electrical_power=states.electrical_power + shelf_loss,
    )
