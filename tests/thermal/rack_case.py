"""One NVL72-like rack and a liquid for the tests of this folder."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from voltherm.thermal import (
    LITRE_PER_MINUTE,
    AirSide,
    ColdPlate,
    DeviceGroup,
    InterfaceMaterial,
    LeakagePower,
    Package,
    RackModel,
    Tray,
)


class LinearLiquid(eqx.Module):
    """A liquid near PG25 with constant density and heat capacity linear in temperature, so that enthalpy inverts."""

    slope: Float[Array, ""]

    def density(self, temperature: Float[Array, "..."], /) -> Float[Array, "..."]:
        return jnp.full_like(temperature, 1010.0)

    def heat_capacity(self, temperature: Float[Array, "..."], /) -> Float[Array, "..."]:
        return 3850.0 + self.slope * (temperature - 273.15)

    def viscosity(self, temperature: Float[Array, "..."], /) -> Float[Array, "..."]:
        return 1.1e-3 * jnp.exp(-0.02 * (temperature - 313.15))

    def conductivity(self, temperature: Float[Array, "..."], /) -> Float[Array, "..."]:
        return jnp.full_like(temperature, 0.49)

    def specific_enthalpy(self, temperature: Float[Array, "..."], /) -> Float[Array, "..."]:
        celsius = temperature - 273.15
        return celsius * (3850.0 + 0.5 * self.slope * celsius)

    def temperature_at_enthalpy(self, enthalpy: Float[Array, "..."], /) -> Float[Array, "..."]:
        root = jnp.sqrt(3850.0**2 + 2.0 * self.slope * enthalpy)
        return 273.15 + 2.0 * enthalpy / (3850.0 + root)


def liquid(dtype: type = float) -> LinearLiquid:
    return LinearLiquid(jnp.asarray(2.5, dtype))


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
            number(0.01736),
            number(0.00697),
            number(1.194),
            number(flow * LITRE_PER_MINUTE),
            number(pressure_drop),
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
    compute, switch = model.trays
    litres = [8.1] * compute.count + [2.97] * switch.count
    return jnp.asarray(litres, dtype) * LITRE_PER_MINUTE * 1010.0
