"""Start angles from the linearised ("direct-current") power flow.

    sum over branches of b_ij (theta_i - theta_j - phi_ij) = P_i        b = 1 / (x t)

With every magnitude at its set point, active power follows the angles alone, and these are what a flat start lacks in a
transmission network: there Newton's first step from equal angles takes the reactive power of the lines for zero, and is
turned by the line search or ends in another root.

| symbol | meaning | unit |
| --- | --- | --- |
| theta | voltage angle | rad |
| phi | phase shift | rad |
| x, t | reactance, tap ratio | p.u., - |
| P | generation less load and shunt at 1 p.u. | p.u. |

Source: B. Stott, J. Jardim, O. Alsac, DC power flow revisited, IEEE Trans. Power Systems 24 (2009) 1290, eq. (1)-(4).
Valid for x well above r; a branch with less than a hundredth of its impedance in x counts with that. A start only: no
answer depends on it but through the root that is found.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float
from voltherm_kernels import Schedule, analyse, solve

from voltherm.power.network import Network, Topology
from voltherm.power.parameters import PowerParameters

_LEAST_REACTANCE = 0.01  # of the impedance


def angles_matter(network: Network) -> bool:
    """Whether a start needs more than vector groups: power flows on more ways than one, or from several places."""
    return bool(np.any(network.voltage_controlled)) or not network.topology.schedule.is_tree


@functools.lru_cache(maxsize=64)
def _schedule(topology: Topology) -> Schedule:
    diagonal = np.arange(len(topology.buses))
    rows = np.concatenate([diagonal, topology.from_bus, topology.to_bus])
    columns = np.concatenate([diagonal, topology.to_bus, topology.from_bus])
    return analyse(rows, columns, len(topology.buses))


def start_angles(
    network: Network,
    parameters: PowerParameters,
    reached: Bool[Array, " bus"],
    flat: Float[Array, " bus"],
    implementation: str = "auto",
) -> Float[Array, " bus"]:
    """Angles (bus,) [rad], not differentiated; `flat` where no source reaches, and everywhere if none are sensible.

    `flat`: angles of the vector groups and slack buses.
    """
    numbers = jax.lax.stop_gradient(parameters)
    branches = numbers.branches
    from_bus, to_bus = jnp.asarray(network.from_bus), jnp.asarray(network.to_bus)
    impedance = jnp.hypot(branches.resistance, branches.reactance)
    small = jnp.abs(branches.reactance) < _LEAST_REACTANCE * impedance
    reactance = jnp.where(small, _LEAST_REACTANCE * impedance, branches.reactance)
    closed = branches.in_service > 0.0
    susceptance = jnp.where(closed, branches.in_service / (reactance * branches.tap_ratio), 0.0)

    difference = flat[from_bus] - flat[to_bus] - branches.phase_shift
    flow = jnp.where(closed, susceptance * difference, 0.0)
    one = jnp.ones_like(flat)
    demand = numbers.load.active_power(one) + numbers.shunt_conductance
    left = (numbers.active_generation - demand) / network.base_power
    left = left.at[from_bus].add(-flow).at[to_bus].add(flow)

    free = reached & ~jnp.asarray(network.slack)
    rows = jnp.where(free[jnp.stack([from_bus, to_bus])], -susceptance, 0.0)
    diagonal = jnp.zeros_like(flat).at[from_bus].add(susceptance).at[to_bus].add(susceptance)
    values = jnp.concatenate([jnp.where(free, diagonal, 1.0), rows[0], rows[1]])
    turned = solve(_schedule(network.topology), values, jnp.where(free, left, 0.0), implementation=implementation)
    # beyond a right angle a branch carries less for a larger angle: nothing operates there
    across = jnp.where(closed, difference + turned[from_bus] - turned[to_bus], 0.0)
    sensible = jnp.all(jnp.isfinite(turned)) & jnp.all(jnp.abs(across) < 0.5 * jnp.pi)
    return jnp.where(sensible, flat + turned, flat)
