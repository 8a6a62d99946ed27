"""The liquids that every test of the package runs over, and checks shared by the glycols."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from voltherm.media import (
    HFE7100,
    AbstractLiquid,
    EthyleneGlycolWater,
    InhibitedEthyleneGlycolWater,
    InhibitedPropyleneGlycolWater,
    PropyleneGlycolWater,
    Water,
)

LIQUIDS: dict[str, AbstractLiquid] = {
    "water": Water(),
    "propylene glycol, mass": PropyleneGlycolWater(0.25),
    "ethylene glycol, mass": EthyleneGlycolWater(0.3),
    "propylene glycol, volume": InhibitedPropyleneGlycolWater(0.25),
    "ethylene glycol, volume": InhibitedEthyleneGlycolWater(0.5),
    "hydrofluoroether": HFE7100(),
}

PROPERTIES = ("density", "heat_capacity", "viscosity", "conductivity", "prandtl", "specific_enthalpy")


def check_composition_derivatives(make: Callable[[jax.Array], AbstractLiquid], fraction: float) -> None:
    """Slopes in the fraction, forward and reverse, against central differences over a batch of liquids."""
    temperature, enthalpy = jnp.linspace(280.0, 330.0, 3), jnp.linspace(3e4, 2e5, 3)

    def everything(x: jax.Array) -> jax.Array:
        liquid = make(x)
        values = [getattr(liquid, name)(temperature) for name in PROPERTIES]
        values += [liquid.temperature_at_enthalpy(enthalpy), liquid.freezing_temperature()[None]]
        return jnp.concatenate(values)

    x, step = jnp.asarray(fraction), 1e-5
    forward, reverse = jax.jit(lambda x: (jax.jacfwd(everything)(x), jax.jacrev(everything)(x)))(x)
    values = jax.jit(jax.vmap(everything))(jnp.asarray([fraction, fraction + step, fraction - step]))
    np.testing.assert_allclose(forward, reverse, rtol=1e-12)
    difference = (values[1] - values[2]) / (2.0 * step)
    np.testing.assert_allclose(forward, difference, rtol=2e-6, atol=1e-9 * float(jnp.max(jnp.abs(values[0]))))
    np.testing.assert_allclose(values[0], everything(x), rtol=1e-13)


def check_row(liquid: AbstractLiquid, celsius: float, row: tuple[float, float, float, float]) -> None:
    """Density, heat capacity, viscosity and conductivity at one temperature."""
    temperature = celsius + 273.15
    values = (
        liquid.density(temperature),
        liquid.heat_capacity(temperature),
        liquid.viscosity(temperature),
        liquid.conductivity(temperature),
    )
    np.testing.assert_allclose(values, row, rtol=1e-8)
