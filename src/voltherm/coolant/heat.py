r"""Steady heat transport on a solved network: mixing at nodes, exact exponentials along branches.

    branch   T_out = T_amb + (T_in - T_amb) e^-N + Q phi(N) / C,   N = UA / C,   phi(N) = (1 - e^-N) / N
    streams  C = c + 2 e,   c = |m| c_p,   e = e_0 / (1 + (c / e_0)^2)
    node     sum over arriving streams of rate (T_out - T) + injected heat = 0
    a branch with a set outlet temperature:  T_out = T_set

| symbol | meaning                                                               | unit   |
|--------|-----------------------------------------------------------------------|--------|
| T      | temperature of a node, of a branch's inlet and outlet                 | K      |
| Q      | heat into the coolant, spread evenly along the branch                 | W      |
| UA     | conductance of the wall to the ambient                                | W/K    |
| c_p    | heat capacity of the liquid, one for the network                      | J/(kg K) |
| e      | exchange: what a branch at rest passes to and fro between its ends    | W/K    |
| e_0    | 1e-9 of the network's largest capacity rate, and at least 1e-9        | W/K    |

Source: steady energy balance of plug flow, Incropera et al. (7th ed.), section 8.3. One linear system over the nodes,
whichever way the flows go. Axial conduction is left out but for the exchange, which conserves energy: it gives a dead
leg the temperature of its neighbour, and one with heat and a lossy wall the T_amb + Q / UA at which the wall carries
the heat away. It fades where a branch flows.

What the exchange alone would have to carry away has no steady temperature. A second solve tells: the share psi of a
node's temperature that set branches, walls and injections fix without the exchange. The lane is SINGULAR where a heated
branch meets a psi of nothing, or a connected part of the network has nothing that fixes it.
"""

from collections.abc import Sequence
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float
from voltherm_kernels import solve

from voltherm.coolant.decay import mean_decay
from voltherm.coolant.matching import refuse_shape
from voltherm.coolant.network import Network
from voltherm.numerics import ResultCode, Solution, Status
from voltherm.numerics.implicit import masked

_EXCHANGE = 1e-9
_LEAST_CAPACITY_RATE = 1e-9  # W/K
_LEAST_INJECTION = 1e-6  # of what passes a node
_LEAST_SHARE = 1e-3  # of a heated node's temperature that something real has to fix
_LARGEST_IMBALANCE = 1e-6  # of the largest heat flow
_ROUND_OFF = 1000.0  # machine epsilons of the largest enthalpy flow: an imbalance below is none


class HeatState(eqx.Module):
    """Temperatures of nodes (node,) and of branches where the flow enters and leaves (branch,), K, and the heat each
    branch's coolant takes up, wall loss included (branch,), W."""

    node_temperature: Float[Array, "*lanes node"]
    inlet_temperature: Float[Array, "*lanes branch"]
    outlet_temperature: Float[Array, "*lanes branch"]
    heat_flow: Float[Array, "*lanes branch"]


class _Streams(NamedTuple):
    """The exchange of a branch at rest, W/K. Of every branch: capacity rates of the flow and of the exchange, W/K,
    transfer units, share of the inlet's temperature that arrives, share that walls and set points fix, and what they
    and the heat add, K above the base. At nodes: rate of injected liquid, W/K, and its temperature, K above the base.
    """

    least: Float[Array, ""]
    forward: Bool[Array, " branch"]
    rate: Float[Array, " branch"]
    exchange: Float[Array, " branch"]
    units: Float[Array, " branch"]
    kept: Float[Array, " branch"]
    fixed: Float[Array, " branch"]
    added: Float[Array, " branch"]
    injected: Float[Array, " node"]
    injection: Float[Array, " node"]


def heat_transport(
    network: Network,
    mass_flow: Float[Array, " branch"],
    heat_capacity: Float[Array, ""] | float,
    *,
    ambient_temperature: Float[Array, "..."] | float,
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
    `worst` the node with the largest imbalance, or one whose temperature nothing fixes. Result codes: CONVERGED;
    SINGULAR where nothing fixes a temperature (no set branch, wall or injection), where heat goes into a branch from
    which none of them takes it, or where the balance does not close; NOT_FINITE where a number is none. A failed lane
    is NaN with zero gradient. ValueError tells what has the wrong shape.
    """
    dtype = mass_flow.dtype
    branches, nodes = len(network.from_node), len(network.nodes)
    if len(set_branches) and set_temperature is None:
        raise ValueError(f"{len(set_branches)} set branches need as many temperatures: give set_temperature")
    for name, value, allowed, counts in (
        ("mass_flow", mass_flow, ((branches,),), "one flow for each branch"),
        ("heat_capacity", heat_capacity, ((),), "one number for the network"),
        ("ambient_temperature", ambient_temperature, ((), (branches,)), "one number, or one for each branch"),
        ("heat_flow", heat_flow, ((branches,),), "one number for each branch"),
        ("wall_conductance", wall_conductance, ((branches,),), "one number for each branch"),
        ("set_temperature", set_temperature, ((len(set_branches),),), "one temperature for each set branch"),
        ("injection_temperature", injection_temperature, ((nodes,),), "one temperature for each node"),
    ):
        if value is not None:
            refuse_shape(name, value, allowed, counts)
    zero = jnp.zeros(branches, dtype)
    ambient = jnp.broadcast_to(ambient_temperature, (branches,))
    given = (
        mass_flow,
        jnp.asarray(heat_capacity),
        ambient,
        zero if heat_flow is None else heat_flow,
        zero if wall_conductance is None else wall_conductance,
        zero[:0] if set_temperature is None else jnp.asarray(set_temperature),
        jnp.broadcast_to(ambient[0] if injection_temperature is None else injection_temperature, (nodes,)),
    )
    finite = jnp.all(jnp.stack([jnp.all(jnp.isfinite(part)) for part in given]))
    # a number that is none would reach the gradient of lanes beside it
    given = jax.tree.map(lambda part: jnp.where(finite, part, jnp.ones_like(part)), given)
    heat, base = given[3], given[2][0]
    streams = _streams(network, set_branches, *given)
    unfixed = _unfixed(network, jax.lax.stop_gradient(streams), heat != 0.0)
    solvable = finite & ~jnp.any(unfixed)

    above = _temperatures(network, streams, solvable)
    start, end = above[network.from_node], above[network.to_node]
    inlet = jnp.where(streams.forward, start, end)
    outlet = streams.kept * inlet + streams.added
    forwards, backwards = (streams.kept * given + streams.added for given in (start, end))
    taken_up = streams.rate * (outlet - inlet) + streams.exchange * (forwards - start + backwards - end)

    arriving = streams.rate * (outlet - jnp.where(streams.forward, end, start))
    imbalance = (
        _at_downstream(network, streams.forward, arriving)
        + network.gather_at_nodes(streams.exchange * (backwards - start), streams.exchange * (forwards - end))
        + streams.injected * (streams.injection - above)
    )
    worst = jnp.max(jnp.abs(imbalance))
    largest = jnp.max(jnp.maximum(jnp.abs(taken_up), jnp.abs(heat)))
    largest = jnp.maximum(largest, streams.least)
    round_off = _ROUND_OFF * float(jnp.finfo(dtype).eps) * jnp.max(streams.rate * jnp.abs(inlet))
    closes = worst <= jnp.maximum(_LARGEST_IMBALANCE * largest, round_off)  # false where a temperature is no number
    converged = solvable & closes
    result = jnp.where(converged, ResultCode.CONVERGED, jnp.where(finite, ResultCode.SINGULAR, ResultCode.NOT_FINITE))
    status = Status(
        result=result.astype(jnp.int32),
        residual=worst / largest,
        iterations=jnp.zeros((), jnp.int32),
        worst=jnp.where(solvable, jnp.argmax(jnp.abs(imbalance)), jnp.argmax(unfixed)).astype(jnp.int32),
    )
    return Solution(masked(HeatState(above + base, inlet + base, outlet + base, taken_up), converged), status)


def _streams(
    network: Network,
    set_branches: Sequence[str],
    mass_flow: Float[Array, " branch"],
    heat_capacity: Float[Array, ""],
    ambient: Float[Array, " branch"],
    heat: Float[Array, " branch"],
    wall: Float[Array, " branch"],
    set_temperature: Float[Array, " set"],
    injection: Float[Array, " node"],
) -> _Streams:
    base = ambient[0]
    rate = jnp.abs(mass_flow) * heat_capacity
    least = jnp.maximum(_EXCHANGE * jnp.max(rate), _LEAST_CAPACITY_RATE)
    exchange = least / (1.0 + (rate / least) ** 2)
    whole = rate + 2.0 * exchange
    units = wall / whole
    kept, fixed = jnp.exp(-units), -jnp.expm1(-units)
    added = mean_decay(units) * (heat + wall * (ambient - base)) / whole
    if len(set_branches):
        held = np.asarray([network.branch_index(name) for name in set_branches], dtype=np.int32)
        units = units.at[held].set(jnp.inf)
        kept, fixed = kept.at[held].set(0.0), fixed.at[held].set(1.0)
        added = added.at[held].set(set_temperature - base)
    injected = jnp.maximum(network.gather_at_nodes(mass_flow, -mass_flow), 0.0) * heat_capacity
    # what a solve leaves of the flows' balance is no injection
    passing = network.gather_at_nodes(rate, rate)
    injected = jnp.where(injected > jnp.maximum(least, _LEAST_INJECTION * passing), injected, 0.0)
    return _Streams(least, mass_flow >= 0.0, rate, exchange, units, kept, fixed, added, injected, injection - base)


def _at_downstream(
    network: Network, forward: Bool[Array, " branch"], value: Float[Array, " branch"]
) -> Float[Array, " node"]:
    zero = jnp.zeros_like(value)
    return network.gather_at_nodes(jnp.where(forward, zero, value), jnp.where(forward, value, zero))


def _flowing(
    network: Network, streams: _Streams
) -> tuple[Float[Array, " node"], Float[Array, " branch"], Float[Array, " branch"]]:
    """Diagonal and both couplings of the nodes by what flows and is injected."""
    forward, coupling = streams.forward, -streams.kept * streams.rate
    diagonal = _at_downstream(network, forward, streams.rate) + streams.injected
    return diagonal, jnp.where(forward, 0.0, coupling), jnp.where(forward, coupling, 0.0)


def _at_ends(network: Network, streams: _Streams, value: Float[Array, " branch"]) -> Float[Array, " node"]:
    """What all streams bring to the nodes where each brings `value`, K."""
    flow = _at_downstream(network, streams.forward, streams.rate * value)
    return flow + network.gather_at_nodes(streams.exchange * value, streams.exchange * value)


def _temperatures(network: Network, streams: _Streams, solvable: Bool[Array, ""]) -> Float[Array, " node"]:
    """Of the nodes, K above the base; zero in a lane that has no solution, whose gradient is then zero as well."""
    diagonal, from_to, to_from = _flowing(network, streams)
    diagonal = diagonal + network.gather_at_nodes(streams.exchange, streams.exchange)
    exchanged = -streams.kept * streams.exchange
    right = _at_ends(network, streams, streams.added) + streams.injected * streams.injection
    diagonal = jnp.where(solvable, diagonal, 1.0)
    couplings = jnp.concatenate([from_to + exchanged, to_from + exchanged])
    couplings, right = (jnp.where(solvable, part, 0.0) for part in (couplings, right))
    return solve(network.heat_schedule, jnp.concatenate([diagonal, couplings]), right)


def _unfixed(network: Network, streams: _Streams, heated: Bool[Array, " branch"]) -> Bool[Array, " node"]:
    """Nodes that a heated branch meets and nothing but the exchange fixes; all of a part that nothing fixes at all."""
    diagonal, from_to, to_from = _flowing(network, streams)
    least = jnp.full_like(streams.rate, streams.least)
    diagonal = diagonal + network.gather_at_nodes(least, least)  # what no stream fixes has a share of zero
    fixed = _at_ends(network, streams, streams.fixed) + streams.injected
    share = solve(network.heat_schedule, jnp.concatenate([diagonal, from_to, to_from]), fixed)
    exchanged = 2.0 * streams.exchange * mean_decay(streams.units) / (streams.rate + 2.0 * streams.exchange)
    meets_heat, stays_hot = (
        network.gather_at_nodes(marks.astype(fixed.dtype), marks.astype(fixed.dtype)) > 0.0
        for marks in (heated, heated & (exchanged > _LEAST_SHARE))
    )
    lost = stays_hot | (meets_heat & ~((share > _LEAST_SHARE) & (share < 1.0 / _LEAST_SHARE)))
    parts = network.connected_parts
    in_part = jnp.zeros(int(parts.max(initial=0)) + 1, fixed.dtype).at[parts].max(fixed)
    return lost | (in_part[parts] == 0.0)
