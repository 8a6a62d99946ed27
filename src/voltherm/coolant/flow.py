r"""Steady flow in a coolant network: Todini's global gradient method on node pressures.

    branch k:   dp_k(m_k) = p_from - p_to + rho_k g (z_from - z_to)
    node i:     A_i^T m + demand_i = 0
    step:       (A^T S^-1 A) dp = r_node - A^T S^-1 r_branch,   dm = S^-1 (r_branch + A dp),   S = diag(d dp_k / d m_k)

| symbol | meaning                                                | unit    |
|--------|--------------------------------------------------------|---------|
| m, p   | mass flow of a branch, pressure of a node              | kg/s, Pa |
| A      | incidence, +1 where a branch starts, -1 where it ends  | -       |
| S      | slopes of the branch laws                              | Pa s/kg |
| z      | elevation                                              | m       |

Source: Todini and Pilati (1988), Computer Applications in Water Supply, vol. 1. This is Newton's method on all flows
and pressures with the flows eliminated: one symmetric positive-definite system over the nodes per iteration. Steady,
incompressible, one liquid. Pressures are solved relative to the first reference node, so that single precision keeps
its digits.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float
from voltherm_kernels import solve

from voltherm.coolant.law import AbstractBranchLaw, pressure_drop_and_slope
from voltherm.coolant.network import Network
from voltherm.numerics import Solution, newton

STANDARD_GRAVITY = 9.80665
_LEAST_SLOPE = 1e-6  # Pa s/kg: laws increase strictly; this only keeps a flat one from dividing by zero


class NetworkState(eqx.Module):
    """Mass flow (branch,), kg/s, positive from a branch's start to its end, and pressure (node,), Pa."""

    mass_flow: Float[Array, "*lanes branch"]
    pressure: Float[Array, "*lanes node"]


class _Equations(eqx.Module):
    """Arguments of the root problem; `drive` (branch,), Pa, is what reference pressures and elevations push with."""

    laws: tuple[AbstractBranchLaw, ...]
    density: Float[Array, " branch"]
    viscosity: Float[Array, " branch"]
    drive: Float[Array, " branch"]
    demand: Float[Array, " node"]


def _drops_and_slopes(
    network: Network, mass_flow: Float[Array, " branch"], equations: _Equations
) -> tuple[Float[Array, " branch"], Float[Array, " branch"]]:
    pairs = [
        pressure_drop_and_slope(law, mass_flow[part], equations.density[part], equations.viscosity[part])
        for law, part in zip(equations.laws, network.group_slices, strict=True)
    ]
    return jnp.concatenate([drop for drop, _ in pairs]), jnp.concatenate([slope for _, slope in pairs])


def _scatter_free(network: Network, at_free: Float[Array, " free"]) -> Float[Array, " node"]:
    return jnp.zeros(len(network.nodes), at_free.dtype).at[network.free_index].set(at_free, unique_indices=True)


def _starting_mass_flow(
    network: Network,
    laws: tuple[AbstractBranchLaw, ...],
    density: Float[Array, " branch"],
    viscosity: Float[Array, " branch"],
) -> Float[Array, " branch"]:
    parts = [
        law.starting_mass_flow(density[part], viscosity[part])
        for law, part in zip(laws, network.group_slices, strict=True)
    ]
    return jnp.concatenate(parts)


def flow(
    network: Network,
    laws: tuple[AbstractBranchLaw, ...],
    density: Float[Array, "..."],
    viscosity: Float[Array, "..."],
    *,
    reference_pressure: Float[Array, "..."],
    demand: Float[Array, " node"] | None = None,
    elevation: Float[Array, " node"] | None = None,
    gravity: float = STANDARD_GRAVITY,
    initial: NetworkState | None = None,
    tolerance: float = 1e-9,
    maximum_iterations: int = 50,
) -> Solution:
    """Solve flows and pressures of one lane; `jax.vmap` over laws, densities and the rest for many.

    laws: one per branch group, in order. density, kg/m3, and viscosity, Pa s: () or (branch,). reference_pressure, Pa:
    () or (reference,), in the order of the network's reference nodes. demand (node,), kg/s, taken out of the network.
    elevation (node,), m. initial: a state to start from, for a warm start. tolerance: largest relative residual, of
    pressure against the largest pressure drop and of flow against the largest flow.

    Returns a Solution of NetworkState. Result codes: CONVERGED, MAXIMUM_ITERATIONS, NOT_FINITE, SINGULAR; `worst` is
    the number of the branch (below the number of branches) or, past them, of the free node with the largest residual.
    A failed lane is NaN with zero gradient. Derivatives with respect to laws, density, viscosity, pressures and demand
    are those of the implicit function theorem.
    """
    dtype = jnp.result_type(density)
    branches, nodes = len(network.from_node), len(network.nodes)
    density = jnp.broadcast_to(density, (branches,))
    viscosity = jnp.broadcast_to(viscosity, (branches,))
    reference = jnp.broadcast_to(reference_pressure, network.reference_index.shape).astype(dtype)
    base = reference[0]
    fixed = jnp.zeros(nodes, dtype).at[network.reference_index].set(reference - base)
    drive = network.difference(fixed)
    if elevation is not None:
        drive = drive + gravity * density * network.difference(elevation)
    demand = jnp.zeros(nodes, dtype) if demand is None else demand
    equations = _Equations(laws, density, viscosity, drive, demand)

    usual = _starting_mass_flow(network, laws, density, viscosity)
    start = (usual, jnp.zeros(len(network.free_index), dtype))
    if initial is not None:
        warm = (initial.mass_flow, initial.pressure[network.free_index] - base)
        usable = jnp.all(jnp.isfinite(warm[0])) & jnp.all(jnp.isfinite(warm[1]))  # a failed lane starts afresh
        start = jax.tree.map(lambda new, old: jnp.where(usable, new, old), warm, start)

    root = newton(
        lambda unknowns, equations: _residual(network, unknowns, equations),
        jax.lax.stop_gradient(start),
        equations,
        linear_solve=lambda unknowns, equations, right: _linear_step(network, unknowns, equations, right),
        tolerance=tolerance,
        maximum_iterations=maximum_iterations,
        scale=jax.lax.stop_gradient(_scale(network, usual, equations)),
    )
    mass_flow, pressure = root.value
    return Solution(NetworkState(mass_flow, _scatter_free(network, pressure) + fixed + base), root.status)


def _residual(network: Network, unknowns, equations: _Equations):
    mass_flow, pressure = unknowns
    drops = [
        law.pressure_drop(mass_flow[part], equations.density[part], equations.viscosity[part])
        for law, part in zip(equations.laws, network.group_slices, strict=True)
    ]
    push = equations.drive + network.difference(_scatter_free(network, pressure))
    continuity = network.gather_at_nodes(mass_flow, -mass_flow) + equations.demand
    return jnp.concatenate(drops) - push, continuity[network.free_index]


def _linear_step(network: Network, unknowns, equations: _Equations, right):
    """The Jacobian's inverse on (branch, free) right-hand sides: the flows eliminated, then recovered."""
    at_branches, at_nodes = right
    _, slopes = _drops_and_slopes(network, unknowns[0], equations)
    conductance = 1.0 / jnp.maximum(slopes, _LEAST_SLOPE)
    pushed = conductance * at_branches
    rest = at_nodes - network.gather_at_nodes(pushed, -pushed)[network.free_index]
    pressure = solve(network.flow_schedule, network.conductance_entries(conductance), rest)
    mass_flow = pushed + conductance * network.difference(_scatter_free(network, pressure))
    return mass_flow, pressure


def _scale(network: Network, mass_flow: Float[Array, " branch"], equations: _Equations):
    """Largest pressure drop and largest flow of the usual flows: what residuals are small against."""
    drops, _ = _drops_and_slopes(network, mass_flow, equations)
    largest_drop = jnp.maximum(jnp.max(jnp.abs(drops)), jnp.max(jnp.abs(equations.drive)))
    largest_flow = jnp.maximum(jnp.max(jnp.abs(mass_flow)), jnp.max(jnp.abs(equations.demand)))
    return jnp.broadcast_to(largest_drop, mass_flow.shape), jnp.broadcast_to(largest_flow, network.free_index.shape)
