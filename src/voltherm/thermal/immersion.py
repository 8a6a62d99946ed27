r"""Single-phase immersion: a vertical board that gives its heat to still liquid by natural convection.

    Nu = (0.825 + 0.387 Ra^(1/6) / (1 + (0.492 / Pr)^(9/16))^(8/27))^2
    Ra = g beta (T_s - T_f) H^3 rho c / (nu k),    h = Nu k / H
    h A (T_s - T_f) = P(T_j),    T_j = T_s + R P(T_j)

| symbol     | meaning                                                                 | unit    |
|------------|-------------------------------------------------------------------------|---------|
| Nu, Ra, Pr | Nusselt, Rayleigh and Prandtl numbers at the film temperature           | -       |
| H, A       | height of the board, wetted area of one chip with its heat spreader     | m, m2   |
| T_s, T_f   | temperature of the wetted surface and of the liquid in the tank         | K       |
| beta       | thermal expansion, from the liquid's density                            | 1/K     |
| R          | resistance from junction to wetted surface                              | K/W     |

Source: S. W. Churchill and H. H. S. Chu, Int. J. Heat Mass Transfer 18, 1975, eq. 9. Range: Ra up to 1e12, isothermal
surface; scatter of data 10 to 20 %. Below Ra of about 1 the exponent is smoothed so that the law stays differentiable
at rest.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from voltherm.media import AbstractLiquid
from voltherm.numerics import Solution, bracketed_root, signed_power
from voltherm.numerics.bounds import bounded, refuse_out_of_bounds
from voltherm.thermal.leakage import LeakagePower, OfChips
from voltherm.thermal.outcome import closed_form_status, failed

GRAVITY = 9.80665


class ImmersionState(eqx.Module):
    """Junction temperature [K] and power [W] of every immersed chip."""

    junction_temperature: Float[Array, " chip"]
    power: Float[Array, " chip"]


class ImmersedChips(eqx.Module):
    """n chips on immersed boards; every field is a scalar or (n,).

    `surface_resistance` [K/W] from junction to wetted surface, wetted `area` [m2] of one chip, `board_height` [m].
    """

    power: LeakagePower
    surface_resistance: OfChips = eqx.field(metadata=bounded("K/W", least=0.0))
    area: OfChips = eqx.field(metadata=bounded("m2", above=0.0))
    board_height: OfChips = eqx.field(metadata=bounded("m", above=0.0))

    def __check_init__(self) -> None:
        refuse_out_of_bounds(self)


def vertical_plate_nusselt(rayleigh: Float[Array, "..."], prandtl: Float[Array, "..."]) -> Float[Array, "..."]:
    """Mean Nusselt number of a vertical plate at all Rayleigh numbers, elementwise."""
    blending = (1.0 + (0.492 / prandtl) ** (9.0 / 16.0)) ** (8.0 / 27.0)
    return (0.825 + 0.387 * signed_power(rayleigh, 1.0 / 6.0, 1.0) / blending) ** 2


def heat_transfer_coefficient(
    liquid: AbstractLiquid,
    surface_rise: Float[Array, "..."],
    liquid_temperature: Float[Array, "..."],
    board_height: Float[Array, "..."],
) -> Float[Array, "..."]:
    """Natural convection [W/(m2K)] from a surface `surface_rise` [K] above the liquid [K], arrays of one shape."""
    film = liquid_temperature + 0.5 * surface_rise
    density, density_slope = jax.jvp(liquid.density, (film,), (jnp.ones_like(film),))
    expansion = -density_slope / density
    viscosity, conductivity = liquid.viscosity(film), liquid.conductivity(film)
    capacity = density * liquid.heat_capacity(film)
    rayleigh = GRAVITY * expansion * surface_rise * board_height**3 * capacity * density / (viscosity * conductivity)
    prandtl = viscosity * liquid.heat_capacity(film) / conductivity
    return vertical_plate_nusselt(rayleigh, prandtl) * conductivity / board_height


def steady_immersion(
    chips: ImmersedChips,
    liquid_temperature: Float[ArrayLike, " chip"],
    liquid: AbstractLiquid,
    *,
    load_factor: float | Float[Array, ""] = 1.0,
    highest_rise: float = 60.0,
) -> Solution:
    """Steady state of immersed chips.

    `liquid_temperature` [K] is that of the tank around each chip. The surface is sought up to `highest_rise` [K]
    above it. `liquid` has to hold its numbers in arrays (an `eqx.Module`).

    **Returns**: a `Solution` of `ImmersionState`, with a status for every chip.

    **Result codes**, of every chip: CONVERGED; LIMIT, the chip needs a larger rise or runs away: it is NaN with zero
    gradient.
    """
    liquid_temperature = jnp.asarray(liquid_temperature)
    shape = liquid_temperature.shape
    resistance = jnp.broadcast_to(chips.surface_resistance, shape)
    area = jnp.broadcast_to(chips.area, shape)
    height = jnp.broadcast_to(chips.board_height, shape)
    args = (chips.power.broadcast(shape), resistance, area, height, liquid_temperature, liquid, load_factor)
    lower = jnp.zeros_like(liquid_temperature)
    rise = bracketed_root(_imbalance, lower, lower + highest_rise, args, tolerance=1.0e-12)
    unsolved = ~(rise < highest_rise) | ~(_imbalance(lower + highest_rise, args) > 0.0)
    rise = jnp.where(unsolved, 0.0, rise)
    heat = _heat(rise, args)
    junction = liquid_temperature + rise + resistance * heat
    status = closed_form_status(unsolved[:, None], jnp.zeros((*shape, 1), bool))
    return Solution(ImmersionState(failed(junction, unsolved), failed(heat, unsolved)), status)


def _heat(rise: Float[Array, " chip"], args: tuple) -> Float[Array, " chip"]:
    _, _, area, height, liquid_temperature, liquid, _ = args
    return heat_transfer_coefficient(liquid, rise, liquid_temperature, height) * area * rise


def _imbalance(rise: Float[Array, " chip"], args: tuple) -> Float[Array, " chip"]:
    """Heat taken by the liquid less power of the chip, rising with the surface until leakage outruns convection."""
    law, resistance, _, _, liquid_temperature, _, load_factor = args
    heat = _heat(rise, args)
    return heat - law.power(liquid_temperature + rise + resistance * heat, load_factor)
