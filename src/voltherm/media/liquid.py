"""What every liquid of `voltherm.media` can do: properties from short polynomials in temperature.

    rho = P_rho(t)    cp = P_cp(t)    mu = exp(P_mu(t))    k = P_k(t)
    h = integral of cp dT from 273.15 K    Pr = mu cp / k
    t = (T - 273.15 K) / 100 K,  each P with coefficients that depend on the composition

| symbol | meaning                                          | unit     |
|--------|--------------------------------------------------|----------|
| T      | temperature                                      | K        |
| rho    | density                                          | kg/m3    |
| cp     | specific heat capacity at constant pressure      | J/(kg K) |
| mu     | dynamic viscosity                                | Pa s     |
| k      | thermal conductivity                             | W/(m K)  |
| h      | specific enthalpy, zero at 273.15 K              | J/kg     |
| Pr     | Prandtl number                                   | -        |

The integral is the exact one of the fitted heat capacity, and `temperature_at_enthalpy` inverts it to round-off, so
that the heat a stream carries away equals the heat put into it. The pressure is that of a cooling loop (3 bar): from
1 to 6 bar heat capacity moves by 0.05 %, the rest by less, and the flow work p / rho is not part of h. Outside
`temperature_range` the polynomials run on without warning: `voltherm.media.check_range` says so on the host.
"""

import abc
import functools
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from voltherm.media.polynomial import (
    FREEZING_POINT,
    TEMPERATURE_SCALE,
    ArrayLike,
    Coefficient,
    Table,
    collapse,
    horner,
    reduced_temperature,
)

_NEWTON_STEPS = 3
"""Heat capacity moves by less than a fifth over the range: three steps reach round-off."""


class Correlation(NamedTuple):
    """Coefficients [power of t][power of the fraction] of a liquid, lowest powers first.

    density, kg/m3; heat_capacity, J/(kg K); log_viscosity, of the viscosity in Pa s; conductivity, W/(m K);
    freezing_temperature [power of the fraction], K.
    """

    density: Table
    heat_capacity: Table
    log_viscosity: Table
    conductivity: Table
    freezing_temperature: tuple[float, ...]


class AbstractLiquid(eqx.Module):
    """A liquid of one composition; every method is elementwise, differentiable and takes temperature in K.

    `temperature_range` (K) and `fraction_range` (of `composition()`) are those of the data behind the correlation.
    """

    correlation: eqx.AbstractClassVar[Correlation]
    temperature_range: eqx.AbstractClassVar[tuple[float, float]]
    fraction_range: eqx.AbstractClassVar[tuple[float, float]]

    @abc.abstractmethod
    def composition(self) -> Coefficient:
        """Fraction the correlation counts in: a number, or an array, scalar or of the shape of the temperatures.

        A number is a constant of the program; only an array can be traced. Zero in a pure liquid.
        """

    def density(self, temperature: Float[ArrayLike, "..."]) -> Float[Array, "..."]:
        """Density at the temperature; (...), K -> (...), kg/m3."""
        return self._polynomial(self.correlation.density, temperature)

    def heat_capacity(self, temperature: Float[ArrayLike, "..."]) -> Float[Array, "..."]:
        """Specific heat capacity at constant pressure; (...), K -> (...), J/(kg K)."""
        return self._polynomial(self.correlation.heat_capacity, temperature)

    def viscosity(self, temperature: Float[ArrayLike, "..."]) -> Float[Array, "..."]:
        """Dynamic viscosity; (...), K -> (...), Pa s."""
        return jnp.exp(self._polynomial(self.correlation.log_viscosity, temperature))

    def conductivity(self, temperature: Float[ArrayLike, "..."]) -> Float[Array, "..."]:
        """Thermal conductivity; (...), K -> (...), W/(m K)."""
        return self._polynomial(self.correlation.conductivity, temperature)

    def prandtl(self, temperature: Float[ArrayLike, "..."]) -> Float[Array, "..."]:
        """Prandtl number mu cp / k; (...), K -> (...)."""
        return self.viscosity(temperature) * self.heat_capacity(temperature) / self.conductivity(temperature)

    def specific_enthalpy(self, temperature: Float[ArrayLike, "..."]) -> Float[Array, "..."]:
        """Exact integral of the heat capacity from 273.15 K; (...), K -> (...), J/kg."""
        temperature, fraction = self._same_precision(temperature)
        return _enthalpy(collapse(self.correlation.heat_capacity, fraction), reduced_temperature(temperature))

    def temperature_at_enthalpy(self, enthalpy: Float[ArrayLike, "..."]) -> Float[Array, "..."]:
        """Inverse of `specific_enthalpy`, to round-off and with exact derivatives; (...), J/kg -> (...), K."""
        enthalpy, fraction = self._same_precision(enthalpy)
        heat_capacity = collapse(self.correlation.heat_capacity, fraction)
        return _temperature(*((heat_capacity, ()) if isinstance(fraction, float) else ((), heat_capacity)), enthalpy)

    def freezing_temperature(self) -> Float[Array, "..."]:
        """Temperature at which the first ice forms; shape of the composition, K."""
        return jnp.asarray(horner(self.correlation.freezing_temperature, self.composition()))

    def _polynomial(self, table: Table, temperature: Float[ArrayLike, "..."]) -> Float[Array, "..."]:
        temperature, fraction = self._same_precision(temperature)
        return horner(collapse(table, fraction), reduced_temperature(temperature))

    def _same_precision(self, value: Float[ArrayLike, "..."]) -> tuple[Float[Array, "..."], Coefficient]:
        """`value` and the composition in one precision: a Python number follows the other, two arrays have to agree."""
        value, fraction = jnp.asarray(value), self.composition()
        if isinstance(fraction, float):
            return value, fraction
        dtype = jnp.result_type(value, fraction)
        return value.astype(dtype), fraction.astype(dtype)


def _enthalpy(heat_capacity: tuple[Coefficient, ...], t: Float[Array, "..."]) -> Float[Array, "..."]:
    """TEMPERATURE_SCALE times the integral of sum_j heat_capacity[j] t^j from zero to t."""
    return t * horner([(TEMPERATURE_SCALE / (j + 1)) * c for j, c in enumerate(heat_capacity)], t)


@functools.partial(jax.custom_jvp, nondiff_argnums=(0,))
def _temperature(
    numbers: tuple[float, ...], arrays: tuple[Float[Array, "..."], ...], enthalpy: Float[Array, "..."]
) -> Float[Array, "..."]:
    """Temperature, K, of an enthalpy, J/kg; the heat capacity has the coefficients `numbers`, or else `arrays`."""
    heat_capacity = numbers or arrays
    t = enthalpy / (TEMPERATURE_SCALE * heat_capacity[0])
    for _ in range(_NEWTON_STEPS):
        slope = TEMPERATURE_SCALE * horner(heat_capacity, t)
        t = t - (_enthalpy(heat_capacity, t) - enthalpy) / slope
    return FREEZING_POINT + TEMPERATURE_SCALE * t


@_temperature.defjvp
def _temperature_derivative(numbers, primals, tangents):
    """Implicit function theorem on h(c, T) = h: dT = (dh - dh/dc dc) / cp, which holds at every order."""
    arrays, enthalpy = primals
    temperature = _temperature(numbers, arrays, enthalpy)
    t = reduced_temperature(temperature)
    change = tangents[1]
    if arrays:
        change = change - jax.jvp(lambda c: _enthalpy(c, t), (arrays,), (tangents[0],))[1]
    return temperature, change / horner(numbers or arrays, t)
