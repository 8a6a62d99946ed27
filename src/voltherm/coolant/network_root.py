r"""The root of a coolant network's equations: by a fused iteration where there is one, with implicit derivatives.

    dy = -J^-1 (dR/da) da        R, J: global_gradient.py

The iteration is one primitive (`voltherm_kernels.newton`). In plain JAX it runs `global_gradient.iterate`; on CPUs the
compiled kernel runs the same method on the laws as sums of terms (`terms.py`). A network with a law that is no such
sum is iterated in plain JAX everywhere.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from voltherm_kernels import newton
from voltherm_kernels.native_coolant import Branches, solve_network

from voltherm.coolant.global_gradient import Equations, Unknowns, eliminate, iterate
from voltherm.coolant.terms import Number, Term, has_terms, terms_of
from voltherm.numerics import Solution, Status, implicit_root

Leaves = tuple[Any, ...]


@dataclass(frozen=True)
class NetworkProblem:
    """The iteration as `voltherm_kernels.newton` wants it. Operands: the arrays of (equations, start, largest flow).

    structure: of these three together. static: their leaves that are not arrays, None where an array stands.
    """

    structure: Any
    static: Leaves
    tolerance: float
    maximum_iterations: int

    @classmethod
    def split(cls, given: Any, tolerance: float, maximum_iterations: int) -> tuple["NetworkProblem", list[Array]]:
        """The problem of some (equations, start, largest flow), and its operands."""
        leaves, structure = jax.tree.flatten(given)
        moving = [isinstance(leaf, jax.Array | np.ndarray | np.generic) for leaf in leaves]
        static = tuple(None if moves else leaf for leaf, moves in zip(leaves, moving, strict=True))
        operands = [jnp.asarray(leaf) for leaf, moves in zip(leaves, moving, strict=True) if moves]
        return cls(structure, static, tolerance, maximum_iterations), operands

    def join(self, operands: Iterable[Any]) -> Any:
        """What `split` was given, with these operands in it: arrays, or what stands for them."""
        rest = iter(operands)
        leaves = [next(rest) if leaf is None else leaf for leaf in self.static]
        return jax.tree.unflatten(self.structure, leaves)

    def results(self, *operands: jax.ShapeDtypeStruct) -> tuple[jax.ShapeDtypeStruct, ...]:
        """Flows (branch,), pressures (free,), residual, iterations, result code and worst of one lane."""
        _, (mass_flow, pressure), _ = self.join(operands)
        number, whole = jax.ShapeDtypeStruct((), mass_flow.dtype), jax.ShapeDtypeStruct((), jnp.int32)
        return mass_flow, pressure, number, whole, whole, whole

    def one_lane(self, *operands: Array) -> tuple[Array, ...]:
        """The iteration in plain JAX."""
        equations, start, largest_flow = self.join(operands)
        unknowns, status = iterate(
            equations,
            start,
            largest_flow,
            tolerance=self.tolerance,
            maximum_iterations=self.maximum_iterations,
        )
        return *unknowns, status.residual, status.iterations, status.result, status.worst

    @property
    def native(self) -> Callable[..., tuple[Array, ...]] | None:
        """The compiled iteration; None where a law is not a sum of terms."""
        equations, _, _ = self.join(len(self.static) * (None,))
        known = all(has_terms(law) for law in equations.laws) and equations.network.from_node.size > 0
        return self._native if known else None

    def _native(self, *operands: Array, wanted: str | None = None) -> tuple[Array, ...]:
        equations, start, largest_flow = self.join(
            [operand if operand.ndim > 1 else operand[None] for operand in operands]
        )
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


def lay_out(equations: Equations, dtype: Any) -> tuple[Branches, list[Array]]:
    """Branches of a network with the terms of their laws, and the terms' constants, each (rows or 1, lane or 1).

    The numbers of the equations have a lane axis, of length 1 where all lanes share them.
    """
    network = equations.network
    terms = [
        terms_of(law, equations.density[part], equations.viscosity[part])
        for law, part in zip(equations.laws, network.group_slices, strict=True)
    ]
    branches = Branches(
        schedule=network.flow_schedule if network.free_index.size else None,
        from_node=tuple(network.free_slot[network.from_node].tolist()),
        to_node=tuple(network.free_slot[network.to_node].tolist()),
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


def _linear_solve(unknowns: Unknowns, equations: Equations, right: Unknowns) -> Unknowns:
    return eliminate(equations.network, equations.drops_and_slopes(unknowns[0])[1], right)


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
    problem, operands = NetworkProblem.split(held, tolerance, maximum_iterations)
    found = newton(problem, [operand[..., None] for operand in operands], implementation=implementation)
    mass_flow, pressure, residual, iterations, result, worst = (part[..., 0] for part in found)
    status = Status(result=result, residual=residual, iterations=iterations, worst=worst)
    value = implicit_root(
        _residual, _linear_solve, (mass_flow, pressure), held[1], status.converged, equations
    )
    return Solution(value, status)
