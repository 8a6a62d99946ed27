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

import dataclasses
from collections import Counter
from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from voltherm.power.declared import (
    FINITE,
    POSITIVE,
    RATING,
    SHARE,
    called,
    number_mistakes,
    refuse,
    shape_mistakes,
    values_of,
)
from voltherm.power.network import Network

_SOUND = {
    "resistance": FINITE,
    "reactance": FINITE,
    "conductance": FINITE,
    "susceptance": FINITE,
    "tap_ratio": POSITIVE,
    "phase_shift": FINITE,
    "in_service": SHARE,
    "rating": RATING,
}


class Branches(eqx.Module):
    """Numbers of n branches, per unit on the network's base; `rating` is the apparent power at nominal voltage [VA].

    `names`: of the network's branches; without them their order is that of the network. `base_power`: the base of the
    numbers [VA], where it is known. Raises ValueError that names the branches whose numbers no branch has; one out of
    service may have any.
    """

    resistance: Float[Array, " branch"]
    reactance: Float[Array, " branch"]
    conductance: Float[Array, " branch"]
    susceptance: Float[Array, " branch"]
    tap_ratio: Float[Array, " branch"]
    phase_shift: Float[Array, " branch"]
    in_service: Float[Array, " branch"]
    rating: Float[Array, " branch"]
    names: tuple[str, ...] = eqx.field(static=True, default=())
    base_power: float | None = eqx.field(static=True, default=None)

    def __check_init__(self) -> None:
        arrays = {field: getattr(self, field) for field in _SOUND}
        refuse(shape_mistakes("branch", self.names, arrays))
        in_service, impedance = values_of(self.in_service), (values_of(self.resistance), values_of(self.reactance))
        if in_service is None:
            return
        used = in_service != 0.0
        # what is out of service may have any numbers: sound ones stand in, so that branches keep their places
        given = {
            field: None if values_of(array) is None else np.where(used, np.asarray(array), 1.0)
            for field, array in arrays.items()
        }
        mistakes = number_mistakes("branch", self.names, given, _SOUND)
        if impedance[0] is not None and impedance[1] is not None:
            for index in np.flatnonzero((impedance[0] == 0.0) & (impedance[1] == 0.0) & used):
                element = called("branch", self.names, index)
                mistakes.append(f"{element}: it has no impedance; make its two buses one, or take it out of service")
        refuse(mistakes)


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
    """Joins groups (lines, transformers) into one; those without names in the order of the network's branch names.

    Raises ValueError for groups on different bases, or where some have names and some have none.
    """
    bases = {group.base_power for group in groups if group.base_power is not None}
    if len(bases) > 1:
        raise ValueError(f"branches per unit on different bases: {', '.join(f'{base:g} VA' for base in sorted(bases))}")
    named = {bool(group.names) for group in groups if group.resistance.shape[-1]}
    if len(named) > 1:
        raise ValueError("some groups of branches have names and some have none: their places are not known")
    bare = [dataclasses.replace(group, names=(), base_power=None) for group in groups]
    joined = jax.tree.map(lambda *arrays: jnp.concatenate(arrays), *bare)
    names = tuple(name for group in groups for name in group.names)
    return dataclasses.replace(joined, names=names, base_power=bases.pop() if bases else None)


def in_place(network: Network, branches: Branches) -> Branches:
    """The branches in the order of the network, by their names if they have any; the result carries no names.

    Raises ValueError where names or number of the branches are not those of the network, or their base is not its own.
    """
    mistakes = []
    if branches.base_power not in (None, network.base_power):
        mistakes.append(
            f"the branches are per unit on {branches.base_power:g} VA, the network on {network.base_power:g} VA"
        )
    count = branches.resistance.shape[-1]
    if branches.names:
        known = set(network.branches)
        mistakes += [f"the network has no branch {name!r}" for name in branches.names if name not in known]
        mistakes += [
            f"branch {name!r} is given twice" for name, number in Counter(branches.names).items() if number > 1
        ]
        given = set(branches.names)
        mistakes += [f"branch {name!r} has no numbers" for name in network.branches if name not in given]
    elif count != len(network.branches):
        mistakes.append(f"numbers of {count} branches are given, and the network has {len(network.branches)}")
    refuse(mistakes)
    bare = dataclasses.replace(branches, names=(), base_power=None)
    if not branches.names or branches.names == network.branches:
        return bare
    place = {name: index for index, name in enumerate(branches.names)}
    order = np.array([place[name] for name in network.branches], np.int32)
    return jax.tree.map(lambda array: array[order], bare)
