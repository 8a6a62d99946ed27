r"""Heat exchangers by effectiveness and number of transfer units.

    Q = eps C_min (T_hot,in - T_cold,in),   eps = f(NTU, C_r),   NTU = UA / C_min,   C_r = C_min / C_max

| arrangement              | effectiveness, with phi(x) = (1 - e^-x) / x                                   |
|--------------------------|-------------------------------------------------------------------------------|
| counterflow              | N phi / (1 + C_r N phi), phi = phi(N (1 - C_r))                               |
| parallel                 | N phi(N (1 + C_r))                                                            |
| crossflow_unmixed_exact  | sum over n of P(n+1, N) P(n+1, C_r N) / (C_r N)                               |
| crossflow_unmixed_approx | 1 - exp(-N phi(C_r N^0.78))                                                   |
| crossflow_Cmin_mixed     | 1 - exp(-N phi(C_r N))                                                        |
| crossflow_Cmax_mixed     | u phi(C_r u), u = 1 - e^-N                                                    |
| shell_1_tube_2n          | 2 t / ((1 + C_r) t + g), g = sqrt(1 + C_r^2), t = tanh(N g / 2)               |
| shell_2_tube_4n          | two such shells of N/2 each in series                                         |

| symbol | meaning                                             | unit |
|--------|-----------------------------------------------------|------|
| UA     | thermal conductance                                 | W/K  |
| C      | capacity rate m c_p of a stream                     | W/K  |
| N      | number of transfer units                            | -    |
| P      | regularised lower incomplete gamma function         | -    |

Sources: Kays and London, Compact Heat Exchangers (3rd ed., 1984), table 2-2; the series for unmixed crossflow is Mason
(1955). All forms hold at C_r = 0 and C_r = 1 without a special case. Valid for constant properties along the
exchanger; the crossflow series counts NTU up to 50.
"""

from typing import Literal, get_args

import equinox as eqx
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from voltherm.coolant.decay import mean_decay
from voltherm.numerics import bracketed_root
from voltherm.numerics.bounds import bounded, refuse_out_of_bounds

Arrangement = Literal[
    "counterflow",
    "parallel",
    "crossflow_unmixed_exact",
    "crossflow_unmixed_approx",
    "crossflow_Cmin_mixed",
    "crossflow_Cmax_mixed",
    "shell_1_tube_2n",
    "shell_2_tube_4n",
]
ARRANGEMENTS: tuple[str, ...] = get_args(Arrangement)
_SERIES_TERMS = 128  # Poisson tails at NTU 50 end before the 128th term
_SERIES_LARGEST_NTU = 50.0
_LEAST_CAPACITY_RATE = 1e-9  # W/K: an exchanger without flow has no heat flow, and no division by zero


def _poisson_tail(x: Float[Array, "..."], over_x: bool) -> Float[Array, "... term"]:
    """P(n+1, x) for n = 0, 1, ..., as a sum of positive terms so that nothing cancels; divided by x on demand."""
    count = jnp.arange(1, _SERIES_TERMS + 1, dtype=x.dtype)
    factors = x[..., None] / count.reshape((1,) * x.ndim + (-1,))
    first = jnp.ones_like(factors[..., :1]) if over_x else factors[..., :1]
    terms = jnp.exp(-x)[..., None] * jnp.cumprod(jnp.concatenate([first, factors[..., 1:]], axis=-1), axis=-1)
    return lax.cumsum(terms, axis=terms.ndim - 1, reverse=True)


def _crossflow_unmixed(ntu: Float[Array, "..."], ratio: Float[Array, "..."]) -> Float[Array, "..."]:
    ntu = jnp.minimum(ntu, _SERIES_LARGEST_NTU)
    return jnp.sum(_poisson_tail(ntu, False) * _poisson_tail(ratio * ntu, True), axis=-1)


def _one_shell(ntu: Float[Array, "..."], ratio: Float[Array, "..."]) -> Float[Array, "..."]:
    root = jnp.sqrt(1.0 + ratio**2)
    half = jnp.tanh(0.5 * ntu * root)
    return 2.0 * half / ((1.0 + ratio) * half + root)


def effectiveness(
    ntu: Float[Array, "..."], capacity_ratio: Float[Array, "..."], arrangement: Arrangement
) -> Float[Array, "..."]:
    """Effectiveness of an arrangement, elementwise: share of the largest possible heat flow.

    ntu >= 0 and capacity_ratio, 0 to 1, broadcast as scalars or have one shape. In the crossflow arrangements with one
    mixed stream its name says which: the stream with the smaller or the larger capacity rate. Shells take the NTU of
    all shells together.
    """
    if arrangement == "counterflow":
        lifted = ntu * mean_decay(ntu * (1.0 - capacity_ratio))
        return lifted / (1.0 + capacity_ratio * lifted)
    if arrangement == "parallel":
        return ntu * mean_decay(ntu * (1.0 + capacity_ratio))
    if arrangement == "crossflow_unmixed_exact":
        return _crossflow_unmixed(*jnp.broadcast_arrays(ntu, capacity_ratio))
    if arrangement == "crossflow_unmixed_approx":
        # N^0.78 has no slope at zero; below the floor phi is 1 and the expression no longer depends on it
        powered = jnp.maximum(ntu, 1e-12) ** 0.78
        return -jnp.expm1(-ntu * mean_decay(capacity_ratio * powered))
    if arrangement == "crossflow_Cmin_mixed":
        return -jnp.expm1(-ntu * mean_decay(capacity_ratio * ntu))
    if arrangement == "crossflow_Cmax_mixed":
        unmixed = -jnp.expm1(-ntu)
        return unmixed * mean_decay(capacity_ratio * unmixed)
    if arrangement == "shell_1_tube_2n":
        return _one_shell(ntu, capacity_ratio)
    if arrangement == "shell_2_tube_4n":
        one = _one_shell(0.5 * ntu, capacity_ratio)
        lifted = one * ((1.0 - one * capacity_ratio) / (1.0 - one) + 1.0)
        return lifted / (lifted + 1.0 - one)
    raise ValueError(f"unknown arrangement '{arrangement}'; known: {', '.join(ARRANGEMENTS)}")


def exchange_conductance(
    conductance: Float[Array, "..."],
    first_capacity_rate: Float[Array, "..."],
    second_capacity_rate: Float[Array, "..."],
    arrangement: Arrangement,
) -> Float[Array, "..."]:
    """Heat flow per kelvin between the two inlet temperatures, eps C_min, W/K.

    conductance UA, W/K, and both capacity rates, W/K, >= 0, of one shape. In crossflow with one mixed stream the mixed
    one is that with the smaller or larger rate, as the arrangement says. Zero flow on either side gives zero.
    """
    least = jnp.maximum(jnp.minimum(first_capacity_rate, second_capacity_rate), _LEAST_CAPACITY_RATE)
    largest = jnp.maximum(jnp.maximum(first_capacity_rate, second_capacity_rate), _LEAST_CAPACITY_RATE)
    return effectiveness(conductance / least, least / largest, arrangement) * least


def ntu_for_effectiveness(
    reached: Float[Array, "..."], capacity_ratio: Float[Array, "..."], arrangement: Arrangement
) -> Float[Array, "..."]:
    """Number of transfer units of a given effectiveness, both inputs of one shape; 50 where that does not reach it.

    A rated point gives UA this way: effectiveness = Q / (C_min (T_hot,in - T_cold,in)), UA = NTU C_min.
    """
    return bracketed_root(
        lambda ntu, known: effectiveness(ntu, known[1], arrangement) - known[0],
        jnp.zeros_like(reached),
        jnp.full_like(reached, _SERIES_LARGEST_NTU),
        (reached, capacity_ratio),
        tolerance=1e-15,
    )


class ConductanceLaw(eqx.Module):
    """How the conductance of an exchanger follows the flows: resistances in series, 1/UA = R_first + R_second + R_wall.

    R_first = first_share / UA0 (m/m0)^-exponent, likewise the second, R_wall = rest. nominal_conductance UA0, W/K;
    nominal flows, kg/s (or any other unit, as only ratios count); shares of the resistance at the nominal point, -.
    Source: Dittus-Boelter exponent 0.8 for turbulent flow in channels (Incropera et al., 7th ed., eq. 8.60); about 0.7
    for plates. Shapes () or one shape.
    """

    nominal_conductance: Float[Array, "..."] = eqx.field(metadata=bounded("W/K", least=0.0))
    nominal_first_flow: Float[Array, "..."] = eqx.field(metadata=bounded("kg/s", above=0.0))
    nominal_second_flow: Float[Array, "..."] = eqx.field(metadata=bounded("kg/s", above=0.0))
    first_share: Float[Array, "..."] | float = eqx.field(default=0.5, metadata=bounded("", least=0.0, most=1.0))
    second_share: Float[Array, "..."] | float = eqx.field(default=0.5, metadata=bounded("", least=0.0, most=1.0))
    first_exponent: Float[Array, "..."] | float = 0.8
    second_exponent: Float[Array, "..."] | float = 0.8
    least_flow_ratio: float = eqx.field(static=True, default=1e-6)

    def __check_init__(self) -> None:
        refuse_out_of_bounds(self)

    def conductance(self, first_flow: Float[Array, "..."], second_flow: Float[Array, "..."]) -> Float[Array, "..."]:
        """Conductance UA, W/K, at two flows, kg/s; at zero flow that of a ratio of `least_flow_ratio`."""
        first = jnp.maximum(first_flow / self.nominal_first_flow, self.least_flow_ratio)
        second = jnp.maximum(second_flow / self.nominal_second_flow, self.least_flow_ratio)
        wall = 1.0 - self.first_share - self.second_share
        resistance = (
            self.first_share * first ** (-self.first_exponent)
            + self.second_share * second ** (-self.second_exponent)
            + wall
        )
        return self.nominal_conductance / resistance
