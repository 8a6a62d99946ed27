"""Dry air as an ideal gas with polynomial heat capacity, viscosity and conductivity.

    rho = p / (R T)    cp, ln mu, k = sum_j c[j] t^j    h = integral of cp dT from 273.15 K

| symbol | meaning                                              | unit     |
|--------|------------------------------------------------------|----------|
| p      | absolute pressure                                    | Pa       |
| T      | temperature                                          | K        |
| R      | gas constant of dry air, 287.042 (ASHRAE 2021)       | J/(kg K) |
| t      | reduced temperature, (T - 273.15 K) / 100 K          | -        |

Source: Lemmon et al. (2000) and Lemmon and Jacobsen (2004) at 1 atm as CoolProp 8.0.0 (MIT) evaluates them, fitted by
`docs/theory/make_media_coefficients.py`: heat capacity to 0.001 %, viscosity to 0.01 %, conductivity to 0.02 %; the
ideal gas is within 0.1 % of the density. Valid from -40 to 100 C, 0.6 to 1.2 bar.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from voltherm.media.polynomial import TEMPERATURE_SCALE, ArrayLike, horner, reduced_temperature

GAS_CONSTANT = 287.042
"""J/(kg K)"""

STANDARD_PRESSURE = 101325.0
"""Pa, at sea level."""

_HEAT_CAPACITY = (1005.674014, 1.507011325, 4.041603581)
_LOG_VISCOSITY = (-10.96953334, 0.2915965091, -0.0642555823, 0.01311141705)
_CONDUCTIVITY = (0.02435712113, 0.007661071641, -0.0004032772356)


def density(temperature: Float[ArrayLike, "..."], pressure: Float[ArrayLike, "..."]) -> Float[Array, "..."]:
    """Density; (...), K and (...), Pa absolute -> (...), kg/m3."""
    return jnp.asarray(pressure) / (GAS_CONSTANT * jnp.asarray(temperature))


def heat_capacity(temperature: Float[ArrayLike, "..."]) -> Float[Array, "..."]:
    """Specific heat capacity at constant pressure; (...), K -> (...), J/(kg K)."""
    return horner(_HEAT_CAPACITY, reduced_temperature(jnp.asarray(temperature)))


def viscosity(temperature: Float[ArrayLike, "..."]) -> Float[Array, "..."]:
    """Dynamic viscosity; (...), K -> (...), Pa s."""
    return jnp.exp(horner(_LOG_VISCOSITY, reduced_temperature(jnp.asarray(temperature))))


def conductivity(temperature: Float[ArrayLike, "..."]) -> Float[Array, "..."]:
    """Thermal conductivity; (...), K -> (...), W/(m K)."""
    return horner(_CONDUCTIVITY, reduced_temperature(jnp.asarray(temperature)))


def specific_enthalpy(temperature: Float[ArrayLike, "..."]) -> Float[Array, "..."]:
    """Exact integral of the heat capacity from 273.15 K; (...), K -> (...), J/kg."""
    t = reduced_temperature(jnp.asarray(temperature))
    return t * horner([TEMPERATURE_SCALE / (j + 1) * c for j, c in enumerate(_HEAT_CAPACITY)], t)


def prandtl(temperature: Float[ArrayLike, "..."]) -> Float[Array, "..."]:
    """Prandtl number mu cp / k; (...), K -> (...)."""
    return viscosity(temperature) * heat_capacity(temperature) / conductivity(temperature)


def standard_pressure(altitude: Float[ArrayLike, "..."]) -> Float[Array, "..."]:
    """Pressure of the standard atmosphere (ICAO, as ASHRAE Fundamentals 2021 ch. 1 eq. 3); (...), m -> (...), Pa."""
    return STANDARD_PRESSURE * (1.0 - 2.25577e-5 * jnp.asarray(altitude)) ** 5.2559
