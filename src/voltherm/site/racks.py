"""The racks of a building: the site's numbers as a thermal rack model, evaluated for every rack of every row.

    P_device(i) = P (1 + s (1 - 2 i / (n - 1))),  i = 0 .. n - 1,    held to P_limit = l P

| symbol | meaning | unit | source |
| --- | --- | --- | --- |
| P | nameplate: mean power of the devices of one kind in a tray | W | configuration |
| s | power spread: what the hottest device of a tray would draw over the mean at the same work | - | configuration |
| l | power limit over the nameplate: one for all devices, so that a hotter one does less work | - | configuration |
| n | devices of the kind in a tray | - | configuration |

Everything else is `voltherm.thermal.rack`; the loss of the power shelves joins the heat to the air. The load factor is
the work asked of the rack: it scales the dynamic power of its chips and the power of its air-cooled parts. Idle power
stays, leakage follows the junctions, and the loss of the shelves their output. The work done is a result: chips at
their power limit or their throttle temperature do less of it than is asked (`voltherm.thermal.throttling`).
"""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from voltherm.media.liquid import AbstractLiquid
from voltherm.site.electrical import RackSupply
from voltherm.site.fluids import liquid_named
from voltherm.site.sections import Device, Rack, Site
from voltherm.site.states import RackStates
from voltherm.thermal import (
    AirSide,
    ColdPlate,
    CoolantProperties,
    DeviceGroup,
    InterfaceMaterial,
    LeakagePower,
    OperatingLimits,
    Package,
    RackModel,
    Tray,
)
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
        device.idle_power,
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
            CoolantProperties.of(liquid_named(device.plate_coolant), device.plate_coolant_temperature),
        ),
        device.junction_limit,
        device.heat_capacity,
        OperatingLimits(
            device.power_limit * device.power,
            device.junction_limit + device.throttle_above_limit,
            device.junction_limit + device.shutdown_above_limit,
        ),
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

    **Arguments**: `load_factor`: work asked of the chips, and share of air-cooled power [-].
    """
    model = thermal_rack(site.rack, supply, site.air.inlet_limit)

    def one(temperature: Float[Array, ""], flow: Float[Array, "tray"]) -> rack_model.RackState:
        return rack_model.steady(model, temperature, flow, liquid, load_factor=load_factor).value

    states = jax.vmap(jax.vmap(one, in_axes=(None, 0)))(supply_temperature, tray_mass_flow)
    shelf_loss = supply.shelf.loss(states.electrical_power)
    free = states.unthrottled_temperature
    return RackStates(
        gpu_temperature=states.junction_temperature["gpu"],
        cpu_temperature=states.junction_temperature["cpu"],
        switch_temperature=states.junction_temperature["switch"],
        gpu_unthrottled_temperature=free["gpu"],
        cpu_unthrottled_temperature=free["cpu"],
        switch_unthrottled_temperature=free["switch"],
        work=_per_rack(states.work["gpu"]) / (site.rack.compute_trays * site.rack.gpu.per_tray),
        throttled_chips=_count(states.throttled, shelf_loss),
        off_chips=_count(states.off, shelf_loss),
        return_temperature=states.return_temperature,
        liquid_heat=states.liquid_heat,
        air_heat=states.air_heat + shelf_loss,
        electrical_power=states.electrical_power + shelf_loss,
    )


def _per_rack(values: Float[Array, "row rack tray device"]) -> Float[Array, "row rack"]:
    """Sum over the devices of a rack, as a product with ones: a sum would be fused and compute the chips once more."""
    flat = values.reshape(*values.shape[:2], -1)
    return jnp.matmul(flat, jnp.ones((flat.shape[-1],), flat.dtype), precision="highest")


def _count(
    chips: Mapping[str, Bool[Array, "row rack tray device"]], like: Float[Array, "row rack"]
) -> Float[Array, "row rack"]:
    """How many chips of a rack are in a state, of all kinds."""
    return sum((_per_rack(kind.astype(like.dtype)) for kind in chips.values()), start=jnp.zeros_like(like))
