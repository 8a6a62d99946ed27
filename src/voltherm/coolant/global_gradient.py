r"""Todini's global gradient method: the equations of a coolant network, their linear step and the iteration.

    branch k:   R_k = dp_k(m_k) - (p_from - p_to) - drive_k = 0
    node i:     R_i = A_i^T m + demand_i = 0
    step:       (A^T S^-1 A) dp = R_node - A^T S^-1 R_branch,   dm = S^-1 (R_branch + A dp),   S = diag(d dp_k / d m_k)

| symbol | meaning                                                       | unit    |
|--------|---------------------------------------------------------------|---------|
| m, p   | mass flow of a branch, pressure of a node above the reference | kg/s, Pa |
| A      | incidence, +1 where a branch starts, -1 where it ends         | -       |
| S      | slopes of the branch laws                                     | Pa s/kg |
| drive  | what reference pressures and elevations push with             | Pa      |

Source: Todini and Pilati (1988), Computer Applications in Water Supply, vol. 1. It is Newton's method on the minimum
of a strictly convex function of the flows (the content; Collins et al., 1978), so full steps need no line search: a
step that overshoots into a stiff branch, such as a check valve, meets its slope there and comes back. Against a cycle
between several such branches every second step after the 15th is shortened to 0.6.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int
from voltherm_kernels import solve

from voltherm.coolant.law import AbstractBranchLaw, pressure_drop_and_slope
from voltherm.coolant.network import Network
from voltherm.numerics import ResultCode, Status
from voltherm.numerics.nan_max import nan_max

_LEAST_SLOPE = 1e-6  # Pa s/kg: laws rise strictly; this only keeps a flat one from dividing by zero
_LEAST_SCALE = 1.0  # Pa: what residuals are small against where nothing drives the flow
_FULL_STEPS = 15
_RELAXATION = 0.6
_ROUND_OFF_FLOOR = 1000.0  # machine epsilons: residuals that no longer fall below this are round-off
_STALLED = 0.5
_MOST_RUNS = 16  # of free nodes between reference nodes: more pieces are no longer faster than a gather

Unknowns = tuple[Float[Array, " branch"], Float[Array, " free"]]


class Equations(eqx.Module):
    """Arguments of the root problem: topology, laws, and what stands on the right-hand sides."""

    network: Network
    laws: tuple[AbstractBranchLaw, ...]
    density: Float[Array, " branch"]
    viscosity: Float[Array, " branch"]
    drive: Float[Array, " branch"]
    demand: Float[Array, " node"]

    def drops_and_slopes(
        self, mass_flow: Float[Array, " branch"]
    ) -> tuple[Float[Array, " branch"], Float[Array, " branch"]]:
        """Pressure drops, Pa, and slopes, Pa s/kg, of all branches at their flows, kg/s."""
        pairs = [
            pressure_drop_and_slope(law, mass_flow[part], self.density[part], self.viscosity[part])
            for law, part in zip(self.laws, self.network.group_slices, strict=True)
        ]
        return jnp.concatenate([drop for drop, _ in pairs]), jnp.concatenate([slope for _, slope in pairs])

    def drops(self, mass_flow: Float[Array, " branch"]) -> Float[Array, " branch"]:
        """Pressure drops, Pa, of all branches at their flows, kg/s."""
        parts = [
            law.pressure_drop(mass_flow[part], self.density[part], self.viscosity[part])
            for law, part in zip(self.laws, self.network.group_slices, strict=True)
        ]
        return jnp.concatenate(parts)

    def residual(self, drops: Float[Array, " branch"], unknowns: Unknowns) -> Unknowns:
        """R of branches, Pa, and free nodes, kg/s, where the drops are known."""
        mass_flow, pressure = unknowns
        push = self.drive + self.network.difference(scatter_free(self.network, pressure))
        continuity = self.network.gather_at_nodes(mass_flow, -mass_flow) + self.demand
        return drops - push, continuity[self.network.free_index]


class _State(eqx.Module):
    """Carry of the iteration: unknowns, drops and slopes there, largest scaled residual, and how it goes."""

    unknowns: Unknowns
    drops: Float[Array, " branch"]
    slopes: Float[Array, " branch"]
    norm: Float[Array, ""]
    iterations: Int[Array, ""]
    result: Int[Array, ""]
    running: Bool[Array, ""]


def scatter_free(network: Network, at_free: Float[Array, " free"]) -> Float[Array, " node"]:
    """Values of the free nodes among all nodes, zero at the reference nodes."""
    padded = jnp.concatenate([at_free, jnp.zeros(1, at_free.dtype)])
    runs = np.split(network.free_slot, np.flatnonzero(np.diff(network.free_slot) != 1) + 1)
    if len(runs) > _MOST_RUNS:
        return padded[network.free_slot]
    # pieces keep the lanes of a batch before the nodes, where a gather has them behind: two transpositions less
    return jnp.concatenate([padded[run[0] : run[-1] + 1] for run in runs])


def eliminate(network: Network, slopes: Float[Array, " branch"], right: Unknowns) -> Unknowns:
    """The Jacobian's inverse times a right-hand side: the flows eliminated, then recovered."""
    at_branches, at_nodes = right
    conductance = 1.0 / jnp.maximum(slopes, _LEAST_SLOPE)
    pushed = conductance * at_branches
    if not network.free_index.size:
        return pushed, at_nodes
    rest = at_nodes - network.gather_at_nodes(pushed, -pushed)[network.free_index]
    pressure = solve(network.flow_schedule, network.conductance_entries(conductance), rest)
    return pushed + conductance * network.difference(scatter_free(network, pressure)), pressure


def multiply(network: Network, slopes: Float[Array, " branch"], step: Unknowns) -> Unknowns:
    """The Jacobian times a step: what `eliminate` is the inverse of."""
    of_branches, of_nodes = step
    raised = jnp.maximum(slopes, _LEAST_SLOPE) * of_branches - network.difference(scatter_free(network, of_nodes))
    return raised, network.gather_at_nodes(of_branches, -of_branches)[network.free_index]


def iterate(
    equations: Equations,
    start: Unknowns,
    largest_flow: Float[Array, ""],
    *,
    tolerance: float,
    maximum_iterations: int,
) -> tuple[Unknowns, Status]:
    """Flows, kg/s, and pressures of the free nodes, Pa, of one lane by the iteration, without derivatives.

    largest_flow: kg/s, what residuals of nodes are measured against; those of branches are against the largest drop.
    Result codes: CONVERGED, MAXIMUM_ITERATIONS, NOT_FINITE, SINGULAR; `worst` counts branches first, then free nodes.
    """
    epsilon = float(jnp.finfo(start[0].dtype).eps)
    largest_drive = jnp.maximum(jnp.max(jnp.abs(equations.drive)), _LEAST_SCALE)

    def scaled(drops: Float[Array, " branch"], unknowns: Unknowns) -> Float[Array, " unknown"]:
        at_branches, at_nodes = equations.residual(drops, unknowns)
        largest_drop = jnp.maximum(jnp.max(jnp.abs(drops)), largest_drive)
        return jnp.concatenate([jnp.abs(at_branches) / largest_drop, jnp.abs(at_nodes) / largest_flow])

    def advance(state: _State) -> _State:
        step = eliminate(equations.network, state.slopes, equations.residual(state.drops, state.unknowns))
        late = (state.iterations >= _FULL_STEPS) & (state.iterations % 2 == 1)
        fraction = jnp.where(late, _RELAXATION, 1.0).astype(step[0].dtype)
        unknowns = (state.unknowns[0] - fraction * step[0], state.unknowns[1] - step[1])
        drops, slopes = equations.drops_and_slopes(unknowns[0])
        norm = nan_max(scaled(drops, unknowns), 0.0)
        finite = jnp.isfinite(norm)
        met = norm <= tolerance
        stalled = (norm <= _ROUND_OFF_FLOOR * epsilon) & (norm > _STALLED * state.norm)
        converged = finite & (met | stalled)
        result = jnp.where(converged, ResultCode.CONVERGED, jnp.where(finite, state.result, ResultCode.SINGULAR))
        return _State(
            unknowns=unknowns,
            drops=drops,
            slopes=slopes,
            norm=norm,
            iterations=state.iterations + 1,
            result=result.astype(state.result.dtype),
            running=finite & ~converged,
        )

    drops, slopes = equations.drops_and_slopes(start[0])
    norm = nan_max(scaled(drops, start), 0.0)
    finite, met = jnp.isfinite(norm), norm <= tolerance
    result = jnp.where(finite, ResultCode.MAXIMUM_ITERATIONS, ResultCode.NOT_FINITE)
    state = jax.lax.while_loop(
        lambda state: state.running & (state.iterations < maximum_iterations),
        advance,
        _State(
            unknowns=start,
            drops=drops,
            slopes=slopes,
            norm=norm,
            iterations=jnp.zeros((), jnp.int32),
            result=jnp.where(met, ResultCode.CONVERGED, result).astype(jnp.int32),
            running=finite & ~met,
        ),
    )
    # what is not finite makes the scale so, and every scaled residual
    broken = ~jnp.isfinite(jnp.concatenate(equations.residual(state.drops, state.unknowns)))
    largest_at = jnp.argmax(scaled(state.drops, state.unknowns))
    status = Status(
        result=state.result,
        residual=state.norm,
        iterations=state.iterations,
        worst=jnp.where(jnp.any(broken), jnp.argmax(broken), largest_at).astype(jnp.int32),
    )
    return state.unknowns, status
