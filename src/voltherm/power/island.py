"""Which buses a source reaches, and what they have of its voltage where nothing is loaded.

    reached  = slack, then repeatedly  reached_i or (reached_j and branch ij in service)
    level_i  = level_j - drop_ij       along the shortest path from a source

    drop     = vector group of a transformer for the angle, ln t for the logarithm of the magnitude

The levels make a flat start that already carries the vector groups (multiples of 30 degrees), without which Newton's
iteration starts far away, and in radial networks the off-nominal taps. A phase shift that is no such multiple is that
of a phase-shifting transformer: it stands in a mesh, where it drives a flow and turns nothing, and is left out, as are
taps in a mesh. Vector groups add up to nothing around a mesh, so that any path serves, an open one too: paths are found
once, on the host. What is reached is traced, an outage is a value and each scenario has its own islands.

| symbol | meaning | unit |
| --- | --- | --- |
| reached | a source is connected through branches in service | - |
| level | start value of the angle, of the logarithm of the magnitude | rad, - |
| t | tap ratio | - |

Source: breadth-first search on the network graph, and sums along its paths by pointer jumping (J. C. Wyllie, The
complexity of parallel computations, Cornell University, 1979); vector groups: IEC 60076-1, clause 7. Any topology.
"""

import functools
import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order

from voltherm.power.network import Network, Topology

_GROUP = math.pi / 6.0  # of a clock number
_NEAR_GROUP = math.radians(0.5)


def vector_groups(phase_shift: Float[Array, " branch"]) -> Float[Array, " branch"]:
    """The part of phase shifts (branch,) [rad] that is a vector group: all, or nothing."""
    nearest = _GROUP * jnp.round(phase_shift / _GROUP)
    return jnp.where(jnp.abs(phase_shift - nearest) <= _NEAR_GROUP, nearest, 0.0)


class _Paths(NamedTuple):
    """The way from every bus to its source. Bus n, which is none, is before the first.

    `branch` (bus,): the last branch before the bus; `direction` (bus,): 1 along it, -1 against it, 0 where a bus has
    none before it; `connected` (bus,): to a source, if all is in service; `jumps`: the bus so many steps before.
    """

    branch: np.ndarray
    direction: np.ndarray
    connected: np.ndarray
    jumps: tuple[np.ndarray, ...]


@functools.lru_cache(maxsize=64)
def _paths(topology: Topology) -> _Paths:
    count, first, second = len(topology.buses), topology.from_bus, topology.to_bus
    sources = np.flatnonzero(topology.slack)
    rows, columns = np.concatenate([first, np.full(len(sources), count)]), np.concatenate([second, sources])
    graph = csr_array((np.ones(len(rows), np.int8), (rows, columns)), shape=(count + 1, count + 1))
    _, before = breadth_first_order(graph, count, directed=False)
    before = before[:count]
    connected = before >= 0
    inner = np.flatnonzero(connected & (before < count))
    keys, branch_of = np.unique(_pair(first, second, count), return_index=True)
    branch, direction = np.zeros(count, np.int32), np.zeros(count, np.int32)
    if inner.size:
        branch[inner] = branch_of[np.searchsorted(keys, _pair(before[inner], inner, count))]
        direction[inner] = np.where(second[branch[inner]] == inner, 1, -1)
    at = np.append(np.where(connected, before, count), count)
    jumps = []
    while np.any(at[:count] < count):
        jumps.append(at[:count].astype(np.int32))
        at = at[at]
    return _Paths(branch, direction, connected, tuple(jumps))


def _pair(one: np.ndarray, other: np.ndarray, count: int) -> np.ndarray:
    return np.minimum(one, other).astype(np.int64) * count + np.maximum(one, other)


def levels(
    network: Network, drop: Float[Array, "branch level"], at_source: Float[Array, "bus level"]
) -> Float[Array, "bus level"]:
    """Levels of the buses (bus, level), zero where none is connected to a source; not differentiated.

    `drop`: from the from end to the to end of a branch; `at_source`: levels of the slack buses.
    """
    paths = _paths(network.topology)
    level = jnp.where(jnp.asarray(network.slack)[:, None], jax.lax.stop_gradient(at_source), 0.0)
    if network.branches:
        direction = jnp.asarray(paths.direction, level.dtype)[:, None]
        level = level - direction * jax.lax.stop_gradient(drop)[jnp.asarray(paths.branch)]
    for jump in paths.jumps:
        level = level + jnp.concatenate([level, jnp.zeros_like(level[:1])])[jnp.asarray(jump)]
    return level


def supplied(network: Network, in_service: Float[Array, " branch"]) -> Bool[Array, " bus"]:
    """Buses (bus,) that a source reaches; not differentiated."""
    closed = jax.lax.stop_gradient(in_service) > 0.0
    reached = jnp.asarray(network.slack)
    if not network.branches:
        return reached
    buses, branches = len(network.buses), len(network.branches)
    paths = _paths(network.topology)
    if branches == buses - 1 and network.slack.sum() == 1 and paths.connected.all():
        reached = reached | closed[jnp.asarray(paths.branch)]  # there is one way to every bus
        for jump in paths.jumps:
            reached = reached & jnp.concatenate([reached, jnp.ones_like(reached[:1])])[jnp.asarray(jump)]
        return reached
    source = jnp.concatenate([jnp.asarray(network.from_bus), jnp.asarray(network.to_bus)])
    target = jnp.concatenate([jnp.asarray(network.to_bus), jnp.asarray(network.from_bus)])
    closed = jnp.concatenate([closed, closed])

    def grow(carry: tuple[Array, Array]) -> tuple[Array, Array]:
        reached, _ = carry
        wider = reached.at[target].max(reached[source] & closed)
        return wider, jnp.any(wider != reached)

    return jax.lax.while_loop(lambda carry: carry[1], grow, (reached, jnp.asarray(True)))[0]
