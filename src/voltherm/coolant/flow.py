r"""Steady flow in a coolant network.

    branch k:   dp_k(m_k) = p_from - p_to + rho_k g (z_from - z_to)
    node i:     sum of flows out - sum of flows in + demand_i = 0

| symbol | meaning                                                | unit    |
|--------|--------------------------------------------------------|---------|
| m, p   | mass flow of a branch, pressure of a node              | kg/s, Pa |
| rho, g | density in the branch, gravity                         | kg/m3, m/s2 |
| z      | elevation of a node                                    | m       |

Source: Todini and Pilati (1988), Computer Applications in Water Supply, vol. 1 (`global_gradient.py`). Steady,
incompressible, one liquid. Pressures are solved relative to the first reference node, so that single precision keeps
its digits.
"""

from collections.abc import Mapping, Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from voltherm.coolant.global_gradient import Equations, scatter_free
from voltherm.coolant.law import AbstractBranchLaw
from voltherm.coolant.matching import match_laws, refuse_shape
from voltherm.coolant.network import Network
from voltherm.coolant.network_root import find_root
from voltherm.numerics import Solution

STANDARD_GRAVITY = 9.80665


class NetworkState(eqx.Module):
    """Mass flow (branch,), kg/s, positive from a branch's start to its end, and pressure (node,), Pa."""

    mass_flow: Float[Array, "*lanes branch"]
    pressure: Float[Array, "*lanes node"]


def flow(
    network: Network,
    laws: Sequence[AbstractBranchLaw] | Mapping[str, AbstractBranchLaw],
    density: Float[Array, "..."] | float,
    viscosity: Float[Array, "..."] | float,
    *,
    reference_pressure: Float[Array, "..."] | float,
    demand: Float[Array, " node"] | None = None,
    elevation: Float[Array, " node"] | None = None,
    gravity: float = STANDARD_GRAVITY,
    initial: NetworkState | None = None,
    tolerance: float = 1e-9,
    maximum_iterations: int = 50,
    implementation: str = "auto",
) -> Solution:
    """Solve flows and pressures of one lane; `jax.vmap` over laws, densities and the rest for many.

    laws: one per branch group, by the group's name or in order. density, kg/m3, and viscosity, Pa s: () or (branch,).
    reference_pressure, Pa: () or (reference,), in the order of the network's reference nodes. demand (node,), kg/s,
    taken out of the network. elevation (node,), m. initial: a state to start from; a failed one is replaced by the
    laws' usual flows. tolerance: largest relative residual, of pressure against the largest pressure drop, and at least
    1 Pa, and of flow against the largest of the laws' usual flows. implementation: of the iteration, `auto` or a name
    that voltherm_kernels knows.
    ValueError tells what has the wrong name or shape, and which branch a number that no part can have.

    Numbers of two precisions are taken in the wider one. Returns a Solution of NetworkState. Result codes: CONVERGED,
    MAXIMUM_ITERATIONS, NOT_FINITE, SINGULAR; `worst` is the number of the branch (below the number of branches) or,
    past them, of the free node with the largest residual. A failed lane is NaN with zero gradient. Derivatives with
    respect to laws, density, viscosity, pressures and demand are those of the implicit function theorem.
    """
    ordered = match_laws(network, laws)
    branches, nodes = len(network.from_node), len(network.nodes)
    for name, value in (("density", density), ("viscosity", viscosity)):
        refuse_shape(name, value, ((), (branches,)), "one number, or one for each branch")
    references = (len(network.reference_nodes),)
    refuse_shape(
        "reference_pressure", reference_pressure, ((), references), "one number, or one for each reference node"
    )
    for name, given in (("demand", demand), ("elevation", elevation)):
        if given is not None:
            refuse_shape(name, given, ((nodes,),), "one number for each node")
    dtype = jnp.result_type(*jax.tree.leaves((ordered, density, viscosity, reference_pressure, demand, elevation)))
    ordered = jax.tree.map(lambda leaf: leaf.astype(dtype) if eqx.is_inexact_array(leaf) else leaf, ordered)
    density = jnp.broadcast_to(density, (branches,)).astype(dtype)
    viscosity = jnp.broadcast_to(viscosity, (branches,)).astype(dtype)
    reference = jnp.broadcast_to(reference_pressure, network.reference_index.shape).astype(dtype)
    base = reference[0]
    fixed = jnp.zeros(nodes, dtype).at[network.reference_index].set(reference - base)
    drive = network.difference(fixed)
    if elevation is not None:
        drive = drive + gravity * density * network.difference(elevation)
    demand = jnp.zeros(nodes, dtype) if demand is None else demand.astype(dtype)
    equations = Equations(network, ordered, density, viscosity, drive, demand)

    usual = _usual_mass_flow(equations).astype(dtype)
    # a demand that is no number is its own node's fault, and no reason to measure others by NaN
    largest = jnp.maximum(jnp.max(jnp.abs(usual)), jnp.max(jnp.where(jnp.isfinite(demand), jnp.abs(demand), 0.0)))
    start = (usual, jnp.zeros(len(network.free_index), dtype))
    if initial is not None:
        warm = (initial.mass_flow.astype(dtype), initial.pressure[network.free_index].astype(dtype) - base)
        usable = jnp.all(jnp.isfinite(warm[0])) & jnp.all(jnp.isfinite(warm[1]))
        start = jax.tree.map(lambda new, old: jnp.where(usable, new, old), warm, start)
    root = find_root(
        equations,
        start,
        largest,
        tolerance=tolerance,
        maximum_iterations=maximum_iterations,
        implementation=implementation,
    )
    mass_flow, pressure = root.value
    return Solution(NetworkState(mass_flow, scatter_free(network, pressure) + fixed + base), root.status)


def _usual_mass_flow(equations: Equations) -> Float[Array, " branch"]:
    parts = [
        jnp.broadcast_to(
            law.starting_mass_flow(equations.density[part], equations.viscosity[part]), (part.stop - part.start,)
        )
        for law, part in zip(equations.laws, equations.network.group_slices, strict=True)
    ]
    return jnp.concatenate(parts)
