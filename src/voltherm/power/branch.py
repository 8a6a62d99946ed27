"""Branch two-port: line or transformer as a pi model behind an ideal transformer at the from end.

    y_s  = 1 / (r + j x)              y_c = g + j b
    Y_ff = (y_s + y_c / 2) / t^2      Y_ft = -y_s / (t exp(-j phi))
    Y_tf = -y_s / (t exp(j phi))      Y_tt =  y_s + y_c / 2

all times `in_service` (1 or 0), so an outage is a value change inside the same pattern.

| symbol | meaning | unit |
| --- | --- | --- |
| r, x | series resistance, reactance | p.u. on the network's base |
| g, b | total shunt conductance, susceptance, half at each end | p.u. |
| t | tap ratio at the from end, 1 = nominal | - |
| phi | phase shift, positive = the to end lags | rad |

Source: R. D. Zimmerman, C. E. Murillo-Sanchez, MATPOWER User's Manual, eq. (3.2)-(3.3); the shunt conductance is added.
Valid for balanced operation at one frequency; a series impedance of exactly zero is not a branch (fuse the buses).
"""

from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


class Branches(eqx.Module):
    """Numbers of n branches, per unit on the network's base; `rating` is the apparent power at nominal voltage [VA]."""

    resistance: Float[Array, " branch"]
    reactance: Float[Array, " branch"]
    conductance: Float[Array, " branch"]
    susceptance: Float[Array, " branch"]
    tap_ratio: Float[Array, " branch"]
    phase_shift: Float[Array, " branch"]
    in_service: Float[Array, " branch"]
    rating: Float[Array, " branch"]


class Admittances(eqx.Module):
    """The four two-port admittances of n branches, real and imaginary parts [p.u.]."""

    from_from: tuple[Float[Array, " branch"], Float[Array, " branch"]]
    from_to: tuple[Float[Array, " branch"], Float[Array, " branch"]]
    to_from: tuple[Float[Array, " branch"], Float[Array, " branch"]]
    to_to: tuple[Float[Array, " branch"], Float[Array, " branch"]]


def two_port(branches: Branches) -> Admittances:
    """The two-port admittances (branch,) [p.u.] of the module's equation."""
    square = branches.resistance**2 + branches.reactance**2
    series = (
        branches.in_service * branches.resistance / square,
        -branches.in_service * branches.reactance / square,
    )
    half = (0.5 * branches.in_service * branches.conductance, 0.5 * branches.in_service * branches.susceptance)
    to_to = (series[0] + half[0], series[1] + half[1])
    cosine, sine = (
        jnp.cos(branches.phase_shift) / branches.tap_ratio,
        jnp.sin(branches.phase_shift) / branches.tap_ratio,
    )
    return Admittances(
        from_from=(to_to[0] / branches.tap_ratio**2, to_to[1] / branches.tap_ratio**2),
        from_to=(-series[0] * cosine + series[1] * sine, -series[1] * cosine - series[0] * sine),
        to_from=(-series[0] * cosine - series[1] * sine, -series[1] * cosine + series[0] * sine),
        to_to=to_to,
    )


def concatenate(groups: Sequence[Branches]) -> Branches:
    """Joins groups (lines, transformers) into one, in the order of the network's branch names."""
    return jax.tree.map(lambda *arrays: jnp.concatenate(arrays), *groups)
