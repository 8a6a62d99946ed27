"""The equations of a coolant network one branch at a time, for the fused iteration on GPUs.

    branch k:   R_k = dp_k(m_k) - (p_from - p_to) - drive_k,        node i:   R_i = A_i^T m + demand_i

are those of `global_gradient.py`. Pressure drops and slopes are those of the laws themselves: a law is elementwise, so
one branch of it, on a tile of scenarios, is the law with the numbers of that branch in it.

Symbols, units, source and range of validity: `global_gradient.py` and the laws.
"""

from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array
from voltherm_kernels.pallas import on_platform
from voltherm_kernels.pallas.global_gradient import Branches, Group
from voltherm_kernels.pallas.global_gradient import solve as solve_on_tiles
from voltherm_kernels.pallas.global_gradient import step as step_on_tiles

from voltherm.coolant.global_gradient import Equations
from voltherm.coolant.law import pressure_drop_and_slope
from voltherm.coolant.network import Network

Read = Callable[[Array], Array]


def solve(
    equations: Equations, start: tuple[Array, Array], largest_flow: Array, tolerance: float, maximum_iterations: int
) -> tuple[Array, ...]:
    """Flows (branch, lane), pressures (free, lane), residual, iterations, result and worst (lane,).

    Every number of the equations, start (branch, lane) and (free, lane), and largest_flow (1, lane) have a lane axis,
    of length 1 where all lanes share it. A lane whose numbers end as none is where it started.
    """
    network, groups = equations.network, _groups(equations, start[0].dtype)
    given = (equations.drive, equations.demand[network.free_index], *start, largest_flow)

    def run(given: tuple[Array, ...], groups: list[Group], interpret: bool) -> tuple[Array, ...]:
        return solve_on_tiles(
            _branches(network),
            groups,
            given,
            tolerance=tolerance,
            maximum_iterations=maximum_iterations,
            interpret=interpret,
        )

    mass_flow, pressure, residual, *numbers = _on_platform(run, given, groups)
    finite = jnp.isfinite(residual)
    ends = (jnp.where(finite, found, first) for found, first in zip((mass_flow, pressure), start, strict=True))
    return *ends, residual, *numbers


def step(equations: Equations, given: tuple[Array, Array, Array]) -> tuple[Array, ...]:
    """J^-1 times a right-hand side: changes of the flows (branch, lane) and pressures (free, lane).

    given: flows and right-hand sides (branch, lane) and (free, lane), a lane axis of length 1 where all lanes share it.
    """

    def run(given: tuple[Array, ...], groups: list[Group], interpret: bool) -> tuple[Array, ...]:
        return step_on_tiles(_branches(equations.network), groups, given, interpret=interpret)

    return _on_platform(run, given, _groups(equations, given[0].dtype))


def _on_platform(
    run: Callable[..., tuple[Array, ...]], given: tuple[Array, ...], groups: list[Group]
) -> tuple[Array, ...]:
    found: tuple[Array, ...] = on_platform(
        lambda given, operands, interpret: run(
            given, [group._replace(operands=own) for group, own in zip(groups, operands, strict=True)], interpret
        ),
        tuple(part.astype(given[0].dtype) for part in given),
        [group.operands for group in groups],
    )
    return found


def _branches(network: Network) -> Branches:
    return Branches(network.flow_schedule if network.free_index.size else None, *network.free_ends)


def _groups(equations: Equations, kind: Any) -> list[Group]:
    """One group for each law; operands: the law's numbers, density and viscosity, all of one kind."""
    groups = []
    for law, part in zip(equations.laws, equations.network.group_slices, strict=True):
        given = (law, equations.density[part], equations.viscosity[part])
        numbers, fixed = eqx.partition(given, eqx.is_array)
        leaves, structure = jax.tree.flatten(numbers)
        operands = tuple(leaf.astype(kind) for leaf in leaves)
        groups.append(Group(part.stop - part.start, _law(structure, fixed), operands))
    return groups


def _law(structure: jax.tree_util.PyTreeDef, fixed: Any) -> Callable[..., tuple[Array, Array]]:
    """The law of a group for one of its branches; `fixed` is what of it is no array."""

    def drop_and_slope(read: Sequence[Read], row: Array, flow: Array) -> tuple[Array, Array]:
        numbers = jax.tree.unflatten(structure, [number(row) for number in read])
        law, density, viscosity = eqx.combine(numbers, fixed)
        return pressure_drop_and_slope(law, flow, density, viscosity)

    return drop_and_slope
