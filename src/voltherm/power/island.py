"""Which buses a source reaches, and the angle that phase shifters give them.

    reached = slack, then repeatedly  reached_i or (reached_j and branch ij in service)
    angle_i = angle_j - phase_shift   along the first path that reaches i

The angles make a flat start that already carries the vector groups of the transformers (30 degrees each), without
which Newton's iteration starts far away. Everything is traced, so an outage is a value and each scenario has its own
islands; the loop runs as many passes as the network is deep.

| symbol | meaning | unit |
| --- | --- | --- |
| reached | a source is connected through branches in service | - |
| angle | start value of the voltage angle | rad |

Source: breadth-first search on the network graph. Valid for any topology.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from voltherm.power.network import Network


def supplied(
    network: Network,
    in_service: Float[Array, " branch"],
    phase_shift: Float[Array, " branch"],
    slack_angle: Float[Array, " bus"],
) -> tuple[Bool[Array, " bus"], Float[Array, " bus"]]:
    """Reached buses (bus,) and start angles (bus,) [rad]; not differentiated."""
    closed = jax.lax.stop_gradient(in_service) > 0.0
    shift = jax.lax.stop_gradient(phase_shift)
    source = jnp.concatenate([jnp.asarray(network.from_bus), jnp.asarray(network.to_bus)])
    target = jnp.concatenate([jnp.asarray(network.to_bus), jnp.asarray(network.from_bus)])
    drop = jnp.concatenate([shift, -shift])
    closed = jnp.concatenate([closed, closed])
    reached = jnp.asarray(network.slack)
    angle = jnp.where(reached, jax.lax.stop_gradient(slack_angle), 0.0)

    def growing(carry):
        return carry[2]

    def grow(carry):
        reached, angle, _ = carry
        candidate = jnp.where(reached[source] & closed, angle[source] - drop, -jnp.inf)
        best = jnp.full_like(angle, -jnp.inf).at[target].max(candidate)
        new = ~reached & (best > -jnp.inf)
        return reached | new, jnp.where(new, best, angle), jnp.any(new)

    reached, angle, _ = jax.lax.while_loop(growing, grow, (reached, angle, jnp.asarray(True)))
    return reached, angle
