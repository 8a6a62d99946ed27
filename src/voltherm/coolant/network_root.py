r"""The root of a coolant network's equations: by a fused iteration where there is one, with implicit derivatives.

    dy = -J^-1 (dR/da) da        R, J: global_gradient.py

The iteration is one primitive (`voltherm_kernels.newton`). In plain JAX it runs `global_gradient.iterate`; on CPUs the
compiled kernel runs the same method on the laws as sums of terms (`terms.py`). A law that is no such sum is confined
to its branches (`confined.py`) and told in the log; a network with no other laws is iterated in plain JAX everywhere.
"""

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int
from voltherm_kernels import newton
from voltherm_kernels.native_coolant import Branches, solve_network, step_of_network

from voltherm.coolant.confined import STEPS_A_PASS, approach, tell, unknown_laws, with_tangents
from voltherm.coolant.global_gradient import Equations, Unknowns, eliminate, iterate, multiply
from voltherm.coolant.terms import Number, has_terms, terms_of
from voltherm.numerics import Solution, Status, implicit_root
from voltherm.numerics.implicit import masked


@dataclass(frozen=True)
class _Operands:
    """How to make a pytree from its arrays. static: its other leaves, None where an array stands."""

    structure: Any
    static: tuple[Any, ...]

    @classmethod
    def split(cls, given: Any) -> tuple["_Operands", list[Array]]:
        leaves, structure = jax.tree.flatten(given)
        moving = [isinstance(leaf, jax.Array | np.ndarray | np.generic) for leaf in leaves]
        static = tuple(None if moves else leaf for leaf, moves in zip(leaves, moving, strict=True))
        return cls(structure, static), [jnp.asarray(leaf) for leaf, moves in zip(leaves, moving, strict=True) if moves]

    def join(self, arrays: Iterable[Any]) -> Any:
        """The pytree with these arrays in it, or with what stands for them."""
        rest = iter(arrays)
        return jax.tree.unflatten(self.structure, [next(rest) if leaf is None else leaf for leaf in self.static])

    def join_lanes(self, arrays: Iterable[Array]) -> Any:
        """The same of arrays with a lane axis; numbers become (1, lane), to broadcast against those of branches."""
        return self.join(array if array.ndim > 1 else array[None] for array in arrays)

    def compilable(self) -> bool:
        """Whether the equations, which come first in the pytree, have only laws that are sums of terms."""
        equations = self.join(len(self.static) * (None,))[0]
        return all(has_terms(law) for law in equations.laws) and equations.network.from_node.size > 0


@dataclass(frozen=True)
class NetworkIteration:
    """The iteration as `voltherm_kernels.newton` wants it. Operands: the arrays of (equations, start, largest flow)."""

    operands: _Operands
    tolerance: float
    maximum_iterations: int

    def results(self, *operands: jax.ShapeDtypeStruct) -> tuple[jax.ShapeDtypeStruct, ...]:
        """Flows (branch,), pressures (free,), residual, iterations, result code and worst of one lane.

        Without a solution flows and pressures are where the iteration ends, or starts where that end is not finite.
        """
        _, (mass_flow, pressure), _ = self.operands.join(operands)
        number, whole = jax.ShapeDtypeStruct((), mass_flow.dtype), jax.ShapeDtypeStruct((), jnp.int32)
        return mass_flow, pressure, number, whole, whole, whole

    def one_lane(self, *operands: Array) -> tuple[Array, ...]:
        """The iteration in plain JAX."""
        equations, start, largest_flow = self.operands.join(operands)
        unknowns, status = iterate(
            equations,
            start,
            largest_flow,
            tolerance=self.tolerance,
            maximum_iterations=self.maximum_iterations,
        )
        finite = jnp.isfinite(status.residual)
        unknowns = jax.tree.map(lambda found, given: jnp.where(finite, found, given), unknowns, start)
        return *unknowns, status.residual, status.iterations, status.result, status.worst

    @property
    def native(self) -> Callable[..., tuple[Array, ...]] | None:
        """The compiled iteration; None where a law is not a sum of terms."""
        return self.compiled if self.operands.compilable() else None

    @property
    def pallas(self) -> Callable[..., tuple[Array, ...]] | None:
        """The iteration in Pallas, for NVIDIA GPUs; None where a law is not a sum of terms."""
        return self.on_tiles if self.operands.compilable() else None

    def on_tiles(self, *operands: Array) -> tuple[Array, ...]:
        """The iteration in Pallas."""
        from voltherm.coolant import flow_on_tiles  # Pallas is imported where it is wanted

        equations, start, largest_flow = self.operands.join_lanes(operands)
        return flow_on_tiles.solve(equations, start, largest_flow, self.tolerance, self.maximum_iterations)

    def compiled(self, *operands: Array, wanted: str | None = None) -> tuple[Array, ...]:
        """The compiled iteration, by an instruction set (none: the best there is)."""
        equations, start, largest_flow = self.operands.join_lanes(operands)
        branches, constants = lay_out(equations, start[0].dtype)
        return solve_network(
            branches,
            constants,
            drive=equations.drive,
            demand=equations.demand[equations.network.free_index],
            flow=start[0],
            pressure=start[1],
            largest_flow=largest_flow,
            tolerance=self.tolerance,
            maximum_iterations=self.maximum_iterations,
            wanted=wanted,
        )


@dataclass(frozen=True)
class NetworkStep:
    """J^-1 times a right-hand side. Operands: the arrays of (equations, flows, right-hand side)."""

    operands: _Operands

    def results(self, *operands: jax.ShapeDtypeStruct) -> tuple[jax.ShapeDtypeStruct, ...]:
        """Changes of the flows (branch,) and pressures (free,)."""
        _, _, right = self.operands.join(operands)
        return tuple(right)

    @property
    def pallas(self) -> Callable[..., tuple[Array, ...]] | None:
        """The step in Pallas, for NVIDIA GPUs; None where a law is not a sum of terms."""
        return self.on_tiles if self.operands.compilable() else None

    def on_tiles(self, *operands: Array) -> tuple[Array, ...]:
        """The step in Pallas."""
        from voltherm.coolant import flow_on_tiles  # Pallas is imported where it is wanted

        equations, mass_flow, right = self.operands.join_lanes(operands)
        return flow_on_tiles.step(equations, (mass_flow, *right))

    def one_lane(self, *operands: Array) -> tuple[Array, ...]:
        """The step in plain JAX."""
        equations, mass_flow, right = self.operands.join(operands)
        return eliminate(equations.network, equations.drops_and_slopes(mass_flow)[1], right)

    @property
    def native(self) -> Callable[..., tuple[Array, ...]] | None:
        """The compiled step; None where a law is not a sum of terms."""
        return self.compiled if self.operands.compilable() else None

    def compiled(self, *operands: Array, wanted: str | None = None) -> tuple[Array, ...]:
        """The compiled step, by an instruction set (none: the best there is)."""
        equations, mass_flow, right = self.operands.join_lanes(operands)
        branches, constants = lay_out(equations, mass_flow.dtype)
        return step_of_network(
            branches, constants, flow=mass_flow, right_branches=right[0], right_nodes=right[1], wanted=wanted
        )


def lay_out(equations: Equations, dtype: Any) -> tuple[Branches, list[Array]]:
    """Branches of a network with the terms of their laws, and the terms' constants, each (rows or 1, lane or 1).

    The numbers of the equations have a lane axis, of length 1 where all lanes share them.
    """
    network = equations.network
    terms = [
        terms_of(law, equations.density[part], equations.viscosity[part])
        for law, part in zip(equations.laws, network.group_slices, strict=True)
    ]
    from_node, to_node = network.free_ends
    branches = Branches(
        schedule=network.flow_schedule if network.free_index.size else None,
        from_node=from_node,
        to_node=to_node,
        groups=tuple(
            (len(group.names), tuple((term.kind, term.inside) for term in of_group))
            for group, of_group in zip(network.groups, terms, strict=True)
        ),
    )
    return branches, [_rows(constant, dtype) for of_group in terms for term in of_group for constant in term.constants]


def _rows(constant: Number, dtype: Any) -> Array:
    array = jnp.asarray(constant, dtype)
    return array if array.ndim else array[None, None]


def _residual(unknowns: Unknowns, equations: Equations) -> Unknowns:
    return equations.residual(equations.drops(unknowns[0]), unknowns)


def _linear_solve(implementation: str, unknowns: Unknowns, equations: Equations, right: Unknowns) -> Unknowns:
    network, branches = equations.network, unknowns[0].size

    unknown = unknown_laws(equations)
    confined = equations if len(unknown) == len(equations.laws) else with_tangents(equations, unknowns[0])

    def step(right: Unknowns) -> Unknowns:
        given, operands = _Operands.split((confined, unknowns[0], right))
        found = newton(NetworkStep(given), [operand[..., None] for operand in operands], implementation=implementation)
        of_branches, of_nodes = (part[..., 0] for part in found)
        return of_branches, of_nodes

    def transposed(right: Unknowns) -> Unknowns:
        # J^T differs from J in the sign of what couples flows and pressures
        of_branches, of_nodes = step((right[0], -right[1]))
        return of_branches, -of_nodes

    def product(step: Unknowns) -> Unknowns:
        return multiply(network, equations.drops_and_slopes(unknowns[0])[1], step)

    # one vector, because the right-hand side of branches or of nodes alone may be known to vanish
    def on_vector(function: Callable[[Unknowns], Unknowns]) -> Callable[[Array], Array]:
        return lambda vector: jnp.concatenate(function((vector[:branches], vector[branches:])))

    solution = jax.lax.custom_linear_solve(
        on_vector(product),
        jnp.concatenate(right),
        lambda _, vector: on_vector(step)(vector),
        lambda _, vector: on_vector(transposed)(vector),
    )
    return solution[:branches], solution[branches:]


def _iterate(
    equations: Equations,
    start: Unknowns,
    largest_flow: Float[Array, ""],
    tolerance: float,
    maximum_iterations: int,
    implementation: str,
) -> tuple[Unknowns, Status]:
    given, operands = _Operands.split((equations, start, largest_flow))
    problem = NetworkIteration(given, tolerance, maximum_iterations)
    found = newton(problem, [operand[..., None] for operand in operands], implementation=implementation)
    mass_flow, pressure, residual, iterations, result, worst = (part[..., 0] for part in found)
    return (mass_flow, pressure), Status(result=result, residual=residual, iterations=iterations, worst=worst)


def _approach(
    equations: Equations, start: Unknowns, largest_flow: Float[Array, ""], tolerance: float, implementation: str
) -> tuple[Unknowns, Int[Array, ""]]:
    def solve(tangents: Equations, unknowns: Unknowns) -> tuple[Unknowns, Int[Array, ""]]:
        found, status = _iterate(tangents, unknowns, largest_flow, tolerance, STEPS_A_PASS, implementation)
        return found, status.iterations

    return approach(equations, start, solve, tolerance)


def find_root(
    equations: Equations,
    start: Unknowns,
    largest_flow: Float[Array, ""],
    *,
    tolerance: float,
    maximum_iterations: int,
    implementation: str = "auto",
) -> Solution:
    """Flows, kg/s, and pressures of the free nodes, Pa, with implicit derivatives by the equations' numbers.

    largest_flow: kg/s, what residuals of nodes are measured against; those of branches are against the largest drop.
    Result codes: CONVERGED, MAXIMUM_ITERATIONS, NOT_FINITE, SINGULAR; `worst` counts branches first, then free nodes.
    """
    held = jax.lax.stop_gradient((equations, start, largest_flow))
    plain, before = implementation, jnp.zeros((), jnp.int32)
    if unknown := unknown_laws(equations):
        tell(equations)
        if len(unknown) < len(equations.laws) and implementation != "xla":
            near, before = _approach(*held, tolerance, implementation)
            held, plain = (held[0], near, held[2]), "xla"
    (mass_flow, pressure), status = _iterate(*held, tolerance, maximum_iterations, plain)
    status = eqx.tree_at(lambda status: status.iterations, status, status.iterations + before)
    solve = functools.partial(_linear_solve, implementation)
    value = implicit_root(_residual, solve, (mass_flow, pressure), status.converged, equations)
    return Solution(masked(value, status.converged), status)
