"""One NVL72-like rack and its coolant for the tests of this folder."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from voltherm.media import AbstractLiquid, propylene_glycol_from_volume_fraction
from voltherm.thermal import (
    LITRE_PER_MINUTE,
    AirSide,
    ColdPlate,
    CoolantProperties,
    DeviceGroup,
    InterfaceMaterial,
    LeakagePower,
    Package,
    RackModel,
    Tray,
)


def liquid(dtype: type = float) -> AbstractLiquid:
    """25 % propylene glycol by volume."""
    return propylene_glycol_from_volume_fraction(jnp.asarray(0.25, dtype))


def device_group(
    name: str,
    count: int,
    power: float,
    flow: float,
    pressure_drop: float,
    package: float,
    area: float,
    dtype: type = float,
) -> DeviceGroup:
    def number(value: float) -> Float[Array, ""]:
        return jnp.asarray(value, dtype)

    return DeviceGroup(
        name=name,
        count=count,
        power=LeakagePower.from_fraction(number(power), number(0.12), number(348.15), number(40.0)),
        package=Package(number(package)),
        interface=InterfaceMaterial(number(1.0e-5), number(area)),
        cold_plate=ColdPlate(
            number(0.0028),
            number(0.0139),
            number(0.0),
            number(flow * LITRE_PER_MINUTE),
            number(pressure_drop),
            CoolantProperties.of(liquid(dtype), number(313.15)),
        ),
        junction_limit=number(360.15),
        heat_capacity=number(300.0),
    )


def rack(compute_trays: int = 18, switch_trays: int = 9, dtype: type = float) -> RackModel:
    gpu = device_group("gpu", 4, 1200.0, 1.25, 50.0e3, 0.004, 16.0e-4, dtype)
    cpu = device_group("cpu", 2, 300.0, 0.45, 98.0e3, 0.02, 8.0e-4, dtype)
    switch = device_group("switch", 2, 989.0, 1.483, 98.0e3, 0.01, 8.0e-4, dtype)
    air = (9.0e3, 6.0e3, 2.0e3, 0.003, 368.15, 308.15)
    return RackModel(
        trays=(Tray("compute", compute_trays, (gpu, cpu)), Tray("switch", switch_trays, (switch,))),
        air_side=AirSide(*(jnp.asarray(value, dtype) for value in air)),
        liquid_capture=jnp.asarray(1.0, dtype),
    )


def tray_mass_flow(model: RackModel, dtype: type = float) -> Float[Array, " all_trays"]:
    """1.5 L/min per kW in every tray."""
    compute, switch = model.trays
    litres = [8.1] * compute.count + [2.97] * switch.count
    return jnp.asarray(litres, dtype) * LITRE_PER_MINUTE * liquid(dtype).density(jnp.asarray(313.15, dtype))
