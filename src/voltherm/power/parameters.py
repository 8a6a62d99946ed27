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

from voltherm.power.branch import Branches
from voltherm.power.load import Load
from voltherm.power.network import Network


class PowerParameters(eqx.Module):
    """Traced numbers of a network with n buses and b branches; all floating, all of one dtype."""

    branches: Branches
    load: Load
    active_generation: Float[Array, " bus"]
    reactive_generation: Float[Array, " bus"]
    voltage_set_point: Float[Array, " bus"]
    angle_set_point: Float[Array, " bus"]
    shunt_conductance: Float[Array, " bus"]
    shunt_susceptance: Float[Array, " bus"]

    @classmethod
    def passive(
        cls,
        network: Network,
        branches: Branches,
        load: Load,
        *,
        voltage_set_point: float | Float[Array, ""] | Float[Array, " bus"] = 1.0,
    ) -> "PowerParameters":
        """Parameters of a network without generation or shunts behind its slack buses."""
        zeros = jnp.zeros(len(network.buses), branches.resistance.dtype)
        return cls(branches, load, zeros, zeros, zeros + voltage_set_point, zeros, zeros, zeros)
