r"""Steady heat transport on a solved network: mixing at nodes, exact exponentials along branches.

    branch   T_out = T_amb + (T_in - T_amb) e^-N + Q phi(N) / c,   N = UA / c,   c = |m| c_p,   phi(N) = (1 - e^-N) / N
    node     sum over inflow of c (T_out - T) + injected heat = 0
    a branch with a set outlet temperature:  T_out = T_set

| symbol | meaning                                                               | unit   |
|--------|-----------------------------------------------------------------------|--------|
| T      | temperature of a node, of a branch's inlet and outlet                 | K      |
| Q      | heat into the coolant, spread evenly along the branch                 | W      |
| UA     | conductance of the wall to the ambient                                | W/K    |
| c_p    | heat capacity of the liquid, one for the network                      | J/(kg K) |

Source: steady energy balance of plug flow, Incropera et al. (7th ed.), section 8.3. One linear system over the nodes,
whichever way the flows go. Axial conduction is left out but for a coupling of 1e-9 of the largest capacity rate along
every branch, both ways and conserving energy: it gives a dead leg the temperature of its neighbour.
"""

from collections.abc import Sequence

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from voltherm_kernels import solve

from voltherm.coolant.decay import mean_decay
from voltherm.coolant.network import Network
from voltherm.numerics import ResultCode, Solution, Status

_COUPLING = 1e-9
_LEAST_CAPACITY_RATE = 1e-9  # W/K


class HeatState(eqx.Module):
    """Temperatures of nodes (node,) and of branches where the flow enters and leaves (branch,), K, and the heat each
    branch's coolant takes up, wall loss included (branch,), W."""

    node_temperature: Float[Array, "*lanes node"]
    inlet_temperature: Float[Array, "*lanes branch"]
    outlet_temperature: Float[Array, "*lanes branch"]
    heat_flow: Float[Array, "*lanes branch"]


def heat_transport(
    network: Network,
    mass_flow: Float[Array, " branch"],
    heat_capacity: Float[Array, ""],
    *,
    ambient_temperature: Float[Array, "..."],
    heat_flow: Float[Array, " branch"] | None = None,
    wall_conductance: Float[Array, " branch"] | None = None,
    set_branches: Sequence[str] = (),
    set_temperature: Float[Array, " set"] | None = None,
    injection_temperature: Float[Array, " node"] | None = None,
) -> Solution:
    """Temperatures of one lane at given flows; `jax.vmap` for many.

    mass_flow (branch,), kg/s, as `flow` returns it. ambient_temperature, K: () or (branch,). heat_flow (branch,), W,
    into the coolant; wall_conductance (branch,), UA, W/K; both zero by default. set_branches: names of branches that
    hold their outlet at set_temperature (set,), K, such as an exchanger under control. injection_temperature (node,),
    K: of liquid that enters the network at a node, where the flows do not balance.

    Returns a Solution of HeatState. `status.residual` is the energy balance of the network over its largest heat flow,
    `worst` the node with the largest imbalance. Result codes: CONVERGED; SINGULAR where nothing fixes the temperature
    (no set branch, wall or injection). A failed lane is NaN.
    """
    dtype = mass_flow.dtype
    branches = len(network.from_node)
    ambient = jnp.broadcast_to(ambient_temperature, (branches,))
    base = ambient[0]
    heat = jnp.zeros(branches, dtype) if heat_flow is None else heat_flow
    wall = jnp.zeros(branches, dtype) if wall_conductance is None else wall_conductance
    rate = jnp.abs(mass_flow) * heat_capacity
    coupling = jnp.maximum(_COUPLING * jnp.max(rate), _LEAST_CAPACITY_RATE)
    units = wall / jnp.maximum(rate, _LEAST_CAPACITY_RATE)
    kept = jnp.exp(-units) * rate
    gained = mean_decay(units) * (heat + wall * (ambient - base))
    if len(set_branches):
        held = np.asarray([network.branch_index(name) for name in set_branches], dtype=np.int32)
        rate = rate.at[held].max(coupling)  # a set branch at rest still tells its node its temperature
        kept = kept.at[held].set(0.0)
        gained = gained.at[held].set(rate[held] * (jnp.asarray(set_temperature) - base))

    forward = mass_flow >= 0.0
    injected = jnp.maximum(network.gather_at_nodes(mass_flow, -mass_flow), 0.0) * heat_capacity
    injected = jnp.where(injected > coupling, injected, 0.0)  # round-off of the flows is no injection
    injection = base if injection_temperature is None else injection_temperature
    zero = jnp.zeros_like(rate)

    def at_downstream(value: Float[Array, " branch"]) -> Float[Array, " node"]:
        return network.gather_at_nodes(jnp.where(forward, zero, value), jnp.where(forward, value, zero))

    even = jnp.full_like(rate, coupling)
    diagonal = at_downstream(rate) + injected + network.gather_at_nodes(even, even)
    from_to = -coupling - jnp.where(forward, 0.0, kept)
    to_from = -coupling - jnp.where(forward, kept, 0.0)
    right = at_downstream(gained) + injected * (injection - base)
    above = solve(network.heat_schedule, jnp.concatenate([diagonal, from_to, to_from]), right)

    start, end = above[network.from_node], above[network.to_node]
    inlet = jnp.where(forward, start, end)
    arriving = kept * inlet + gained
    outlet = jnp.where(rate > _LEAST_CAPACITY_RATE, arriving / jnp.maximum(rate, _LEAST_CAPACITY_RATE), inlet)
    taken_up = rate * (outlet - inlet)
    exchanged = coupling * network.difference(above)
    imbalance = at_downstream(rate * outlet) + injected * (injection - base)
    imbalance = imbalance - (at_downstream(rate) + injected) * above + network.gather_at_nodes(-exchanged, exchanged)
    finite = jnp.all(jnp.isfinite(above))
    largest = jnp.maximum(jnp.max(jnp.abs(taken_up)), coupling)
    status = Status(
        result=jnp.where(finite, ResultCode.CONVERGED, ResultCode.SINGULAR).astype(jnp.int32),
        residual=jnp.max(jnp.abs(imbalance)) / largest,
        iterations=jnp.zeros((), jnp.int32),
        worst=jnp.argmax(jnp.abs(imbalance)).astype(jnp.int32),
    )
    return Solution(HeatState(above + base, inlet + base, outlet + base, taken_up), status)
