"""The numbers of a power flow: everything that may change between scenarios without a new compilation.

    S_generation - S_load(V) = S_shunt(V) + sum of branch powers        at every bus

| symbol | meaning | unit |
| --- | --- | --- |
| S_load | total load of a bus, voltage dependent (see `load`) | W, var |
| S_generation | given generation; ignored where the bus type makes it an unknown | W, var |
| S_shunt | (G - j B) V^2, a capacitor has B > 0 | W, var at nominal voltage |
| voltage_set_point, angle_set_point | used at slack and voltage-controlled buses | p.u., rad |

Source: MATPOWER User's Manual, chapter 3.
"""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from voltherm.power.branch import Branches, in_place
from voltherm.power.declared import FINITE, POSITIVE, number_mistakes, refuse, shape_mistakes
from voltherm.power.load import Load
from voltherm.power.network import Network

_SOUND = {
    "active_generation": FINITE,
    "reactive_generation": FINITE,
    "voltage_set_point": POSITIVE,
    "angle_set_point": FINITE,
    "shunt_conductance": FINITE,
    "shunt_susceptance": FINITE,
}


class PowerParameters(eqx.Module):
    """Traced numbers of a network with n buses and b branches; all floating, all of one dtype.

    Generation and shunts [W, var], shunts at nominal voltage; set points of voltage [p.u.] and angle [rad].
    Branches and buses in the order of the network (`passive` puts branches with names there). Raises ValueError for
    numbers that no bus has.
    """

    branches: Branches
    load: Load
    active_generation: Float[Array, " bus"]
    reactive_generation: Float[Array, " bus"]
    voltage_set_point: Float[Array, " bus"]
    angle_set_point: Float[Array, " bus"]
    shunt_conductance: Float[Array, " bus"]
    shunt_susceptance: Float[Array, " bus"]

    def __check_init__(self) -> None:
        arrays = {field: getattr(self, field) for field in _SOUND}
        load = {f"load {field}": part for field, part in vars(self.load).items()}
        refuse(shape_mistakes("bus", (), {**arrays, **load}) or number_mistakes("bus", (), arrays, _SOUND))

    @classmethod
    def passive(
        cls,
        network: Network,
        branches: Branches,
        load: Load,
        *,
        voltage_set_point: float | Float[Array, ""] | Float[Array, " bus"] = 1.0,
    ) -> "PowerParameters":
        """Parameters of a network without generation or shunts behind its slack buses.

        Branches with names may stand in any order. Raises ValueError where branches or loads are not those of the
        network, or not on its base.
        """
        count = len(network.buses)
        if jnp.shape(load.active_constant_power) != (count,):
            shape = jnp.shape(load.active_constant_power)
            raise ValueError(f"loads of the shape {shape} are given, and the network has {count} buses: use `Load.on`")
        zeros = jnp.zeros(count, branches.resistance.dtype)
        set_point = zeros + voltage_set_point
        return cls(in_place(network, branches), load, zeros, zeros, set_point, zeros, zeros, zeros)

    def check(self, network: Network) -> None:
        """Raises ValueError where these are not numbers of the network: other counts, or another base."""
        branches, buses = jnp.shape(self.branches.resistance), jnp.shape(self.voltage_set_point)
        mistakes = []
        if branches != (len(network.branches),):
            mistakes.append(f"numbers of {branches} branches are given, and the network has {len(network.branches)}")
        if buses != (len(network.buses),):
            mistakes.append(f"numbers of {buses} buses are given, and the network has {len(network.buses)}")
        if self.branches.base_power not in (None, network.base_power):
            mistakes.append(f"the branches are per unit on {self.branches.base_power:g} VA, not {network.base_power:g}")
        if self.branches.names not in ((), network.branches):
            mistakes.append("the branches stand in another order than in the network: use `PowerParameters.passive`")
        refuse(mistakes)
