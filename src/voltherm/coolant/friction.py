r"""Darcy friction factor of pipes, written as G = f Re so that it stays finite at zero flow.

    laminar     f = 64 / Re                                                        Re <= 2000
    turbulent   1/sqrt(f) = -2 log10(e/3.7 + 2.51 / (Re sqrt(f)))                  Re >= 4000
    between     G = (1 - s) 64 + s (f Re)_turbulent, s = t^2 (3 - 2 t), t = (Re - 2000) / 2000

| symbol | meaning                                            | unit |
|--------|----------------------------------------------------|------|
| f      | Darcy friction factor                              | -    |
| Re     | Reynolds number                                    | -    |
| e      | roughness over inner diameter                      | -    |

Sources: Poiseuille (1840); Colebrook (1939), J. Inst. Civ. Eng. 11, eq. 15, with 2.51 and 3.7; Haaland (1983), J.
Fluids Eng. 105, eq. 9, as the starting value; for `epanet_friction`, Swamee and Jain (1976) and Dunlop's cubic between
Re 2000 and 4000 as in EPANET 2.2 (Rossman et al., 2020, section 12.1). Valid for Re up to 1e8 and e from 0 to 0.05.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

LAMINAR_LIMIT = 2000.0
TURBULENT_LIMIT = 4000.0
_LOG_FACTOR = 0.8685889638065036553  # 2 / ln(10)
_STEPS = 3  # Newton steps: 1.4 % of the start, squared three times, ends below round-off


def _turbulent_argument(
    inverse_root: Float[Array, "..."], reynolds: Float[Array, "..."], relative_roughness: Float[Array, "..."]
) -> Float[Array, "..."]:
    return relative_roughness / 3.7 + 2.51 * inverse_root / reynolds


@jax.custom_jvp
def _colebrook_inverse_root(
    reynolds: Float[Array, "..."], relative_roughness: Float[Array, "..."]
) -> Float[Array, "..."]:
    start = -1.8 * jnp.log10((relative_roughness / 3.7) ** 1.11 + 6.9 / reynolds)
    inverse_root = start
    for _ in range(_STEPS):
        argument = _turbulent_argument(inverse_root, reynolds, relative_roughness)
        residual = inverse_root + _LOG_FACTOR * jnp.log(argument)
        inverse_root = inverse_root - residual / (1.0 + _LOG_FACTOR * 2.51 / (reynolds * argument))
    return inverse_root


@_colebrook_inverse_root.defjvp
def _colebrook_inverse_root_jvp(primals, tangents):
    # the implicit function theorem: cheaper than differentiating the steps, and exact
    reynolds, relative_roughness = primals
    reynolds_tangent, roughness_tangent = tangents
    inverse_root = _colebrook_inverse_root(reynolds, relative_roughness)
    argument = _turbulent_argument(inverse_root, reynolds, relative_roughness)
    slope = 1.0 + _LOG_FACTOR * 2.51 / (reynolds * argument)
    argument_tangent = roughness_tangent / 3.7 - 2.51 * inverse_root / reynolds**2 * reynolds_tangent
    return inverse_root, -_LOG_FACTOR * argument_tangent / (argument * slope)


def colebrook(reynolds: Float[Array, "..."], relative_roughness: Float[Array, "..."]) -> Float[Array, "..."]:
    """Turbulent Darcy friction factor of Colebrook (1939), to round-off, elementwise.

    reynolds and relative_roughness have one shape; reynolds > 0. No laminar branch: see `friction_times_reynolds`.
    """
    return _colebrook_inverse_root(reynolds, relative_roughness) ** -2


def friction_times_reynolds(
    reynolds: Float[Array, "..."], relative_roughness: Float[Array, "..."]
) -> Float[Array, "..."]:
    """f Re of laminar, transitional and turbulent flow, elementwise; once continuously differentiable, 64 at zero flow.

    reynolds >= 0 and relative_roughness >= 0 have one shape.
    """
    turbulent = jnp.maximum(reynolds, LAMINAR_LIMIT)  # the logarithm is never asked about zero flow
    fraction = jnp.clip((reynolds - LAMINAR_LIMIT) / (TURBULENT_LIMIT - LAMINAR_LIMIT), 0.0, 1.0)
    weight = fraction * fraction * (3.0 - 2.0 * fraction)
    return 64.0 + weight * (colebrook(turbulent, relative_roughness) * turbulent - 64.0)


def epanet_turbulent_limit(
    relative_roughness: Float[Array, "..."],
) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
    """EPANET's friction factor at Re 4000, and the slope there that its cubic meets: FA and FB of its manual."""
    at_limit = 5.74 * TURBULENT_LIMIT**-0.9
    limit_argument = relative_roughness / 3.7 + at_limit
    inverse_root = -_LOG_FACTOR * jnp.log(limit_argument)
    limit_friction = inverse_root**-2
    limit_slope = (2.0 - 1.8 * _LOG_FACTOR * at_limit / (limit_argument * inverse_root)) * limit_friction
    return limit_friction, limit_slope


def epanet_friction_times_reynolds(
    reynolds: Float[Array, "..."], relative_roughness: Float[Array, "..."]
) -> Float[Array, "..."]:
    """f Re exactly as EPANET 2.2 computes it: Swamee-Jain, Dunlop's cubic between Re 2000 and 4000.

    reynolds >= 0 and relative_roughness >= 0 have one shape.
    """
    turbulent = jnp.maximum(reynolds, TURBULENT_LIMIT)
    argument = relative_roughness / 3.7 + 5.74 * turbulent**-0.9
    swamee_jain = (_LOG_FACTOR * jnp.log(argument)) ** -2
    limit_friction, limit_slope = epanet_turbulent_limit(relative_roughness)
    ratio = reynolds / LAMINAR_LIMIT
    cubic = (
        (7.0 * limit_friction - limit_slope)
        + ratio * (0.128 - 17.0 * limit_friction + 2.5 * limit_slope)
        + ratio**2 * (-0.128 + 13.0 * limit_friction - 2.0 * limit_slope)
        + ratio**3 * (0.032 - 3.0 * limit_friction + 0.5 * limit_slope)
    )
    friction = jnp.where(reynolds >= TURBULENT_LIMIT, swamee_jain, cubic)
    return jnp.where(reynolds <= LAMINAR_LIMIT, 64.0, friction * reynolds)
