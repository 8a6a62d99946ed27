"""Polynomials by Horner's rule, in one variable and with coefficients that are themselves polynomials in a second one.

    p(t, x) = sum_j (sum_i c[j][i] x^i) t^j

| symbol  | meaning                                            | unit |
|---------|----------------------------------------------------|------|
| t       | reduced temperature, (T - 273.15 K) / 100 K        | -    |
| x       | fraction of the solute, mass or volume             | -    |
| c[j][i] | coefficients, Python floats, lowest powers first   | any  |

Collapsing x first leaves one short polynomial in t, so that a fluid of one composition costs no more than a pure one;
where x is a Python number, that is done before anything is traced.
"""

from collections.abc import Sequence
from typing import overload

from jax.typing import ArrayLike as ArrayLike
from jaxtyping import Array, Float

FREEZING_POINT = 273.15
"""K, the zero of the reduced temperature and of specific enthalpy."""

TEMPERATURE_SCALE = 100.0
"""K, the unit of the reduced temperature."""

Table = tuple[tuple[float, ...], ...]
Coefficient = float | Float[Array, "..."]


@overload
def horner(coefficients: Sequence[float], x: float) -> float: ...


@overload
def horner(coefficients: Sequence[Coefficient], x: Float[Array, "..."]) -> Float[Array, "..."]: ...


def horner(coefficients: Sequence[Coefficient], x: Coefficient) -> Coefficient:
    """Value of sum_j coefficients[j] x^j, elementwise; (...) -> (...), a number where all of them are numbers."""
    if len(coefficients) == 1:
        return coefficients[0] + 0.0 * x
    value = coefficients[-1]
    for coefficient in reversed(coefficients[:-1]):
        value = value * x + coefficient
    return value


def collapse(table: Table, fraction: Coefficient) -> tuple[Coefficient, ...]:
    """Coefficients in t at one composition: for each power of t one number, or array of the shape of `fraction`."""
    return tuple(horner(row, fraction) for row in table)


def reduced_temperature(temperature: Float[Array, "..."]) -> Float[Array, "..."]:
    """t = (T - 273.15 K) / 100 K; (...), K -> (...)."""
    return (temperature - FREEZING_POINT) * (1.0 / TEMPERATURE_SCALE)
