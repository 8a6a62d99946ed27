"""A whole Newton iteration as one JAX primitive: fused where an implementation has it, a plain loop elsewhere.

    results = newton(problem, operands)

The problem owns the physics and says how each implementation solves it. The primitive owns what is the same for all:
which implementation serves a platform, and lanes.

- An operand is (..., lane), or (..., 1) where all lanes share it. `vmap` adds lanes to what it maps over and leaves
  shared operands as they are, so that admittances or pipe lengths common to a batch are stored and read once.
- Results are (..., lane).

The primitive has no derivative of its own. A root has one: wrap it with the implicit function theorem.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from jax import Array, core
from jax.extend.core import Primitive
from jax.interpreters import batching, mlir

from .dispatch import requested, resolve
from .primitives import compiled, partitioned


@runtime_checkable
class Problem(Protocol):
    """What a fused iteration is asked of; hashable, for it is a static parameter.

    A method of the name of another implementation (`native`, `pallas`) takes the operands of `newton` and returns its
    results. One that is not there, or is None, leaves the problem to `one_lane`.
    """

    def results(self, *operands: jax.ShapeDtypeStruct) -> tuple[jax.ShapeDtypeStruct, ...]:
        """Shapes and kinds of the results of one lane, from those of the operands; both without the lane axis."""
        ...

    def one_lane(self, *operands: Array) -> tuple[Array, ...]:
        """The results of one lane in plain JAX: what `xla` runs, and what the others are held to."""
        ...


def newton(problem: Problem, operands: Sequence[Array], *, implementation: str = "auto") -> tuple[Array, ...]:
    """Results (..., lane) of a problem for operands (..., lane) or (..., 1).

    `implementation`: `auto`, or a name of the table in `dispatch.py`. Raises `ValueError` for one that cannot run, or
    that the problem has no method for, and for operands that differ in the number of lanes.
    """
    if requested(implementation) not in ("auto", "xla") and getattr(problem, implementation, None) is None:
        raise ValueError(f"{type(problem).__name__} has no implementation {implementation!r}; there is always 'xla'")
    return tuple(newton_p.bind(*operands, problem=problem, implementation=implementation))


def lanes_of(operands: Sequence[Any]) -> int:
    """The number of lanes of operands (..., lane), or (..., 1) for all. Raises `ValueError` where they differ."""
    numbers = {operand.shape[-1] for operand in operands} - {1}
    if len(numbers) > 1:
        raise ValueError(f"operands differ in the number of lanes: {sorted(numbers)}")
    return numbers.pop() if numbers else 1


def _abstract(*operands: Any, problem: Problem, **_: Any) -> list[Any]:
    lanes = lanes_of(operands)
    results = problem.results(*(jax.ShapeDtypeStruct(operand.shape[:-1], operand.dtype) for operand in operands))
    return [core.ShapedArray((*result.shape, lanes), result.dtype) for result in results]


def over_lanes(one_lane: Callable[..., tuple[Array, ...]], *operands: Array) -> tuple[Array, ...]:
    """Results (..., lane) of a function of one lane, mapped over the lanes that there are."""
    lanes = lanes_of(operands)
    if lanes == 1:
        results = one_lane(*(operand[..., 0] for operand in operands))
        return tuple(result[..., None] for result in results)
    shared = [operand.shape[-1] == 1 for operand in operands]
    given = [operand[..., 0] if alone else operand for operand, alone in zip(operands, shared, strict=True)]
    axes = [None if alone else -1 for alone in shared]
    return jax.vmap(one_lane, in_axes=axes, out_axes=-1)(*given)


def _solve(*operands: Array, problem: Problem, implementation: str) -> tuple[Array, ...]:
    if not lanes_of(operands):
        return tuple(jnp.zeros(result.shape, result.dtype) for result in _abstract(*operands, problem=problem))
    fused: Callable[..., tuple[Array, ...]] | None = getattr(problem, implementation, None)
    return over_lanes(problem.one_lane, *operands) if fused is None else fused(*operands)


def _lowering(platform: str) -> Callable[..., Any]:
    lower = mlir.lower_fun(_solve, multiple_results=True)

    def rule(context: Any, *operands: Any, problem: Problem, implementation: str) -> Any:
        split = partitioned(context.module_context.axis_context)
        name = resolve(implementation, platform, context.avals_out[0].dtype, split)
        return lower(context, *operands, problem=problem, implementation=name)

    return rule


def _batch(
    operands: Sequence[Array], axes: Sequence[Any], *, problem: Problem, implementation: str
) -> tuple[list[Array], list[int]]:
    """Merge the new axis into the lanes (major to them) of every operand that has it; shared operands stay.

    Both lead while they are merged: then neither step moves anything in memory where batches lie one after the other.
    """
    batch = next(operand.shape[axis] for operand, axis in zip(operands, axes, strict=True) if axis is not None)
    # every operand (batch, ..., lane), the batch of length 1 where it does not depend on it
    moved = [
        operand[None] if axis is None else jnp.moveaxis(operand, axis, 0)
        for operand, axis in zip(operands, axes, strict=True)
    ]
    lanes = lanes_of(moved)

    def joined(operand: Array) -> Array:
        if operand.shape[0] == operand.shape[-1] == 1:
            return operand[0]
        leading = jnp.moveaxis(operand, -1, 1)
        full = jnp.broadcast_to(leading, (batch, lanes, *leading.shape[2:]))
        return jnp.moveaxis(full.reshape(batch * lanes, *leading.shape[2:]), 0, -1)

    def parted(result: Array) -> Array:
        leading = jnp.moveaxis(result, -1, 0)
        if lanes == 1:
            return leading[..., None]
        return jnp.moveaxis(leading.reshape(batch, lanes, *leading.shape[1:]), 1, -1)

    results = newton_p.bind(*map(joined, moved), problem=problem, implementation=implementation)
    return [parted(result) for result in results], [0] * len(results)


newton_p = Primitive("voltherm_newton")
newton_p.multiple_results = True
newton_p.def_abstract_eval(_abstract)
newton_p.def_impl(lambda *operands, **parameters: compiled(newton_p, **parameters)(*operands))
batching.primitive_batchers[newton_p] = _batch
mlir.register_lowering(newton_p, _lowering("cpu"), platform="cpu")
mlir.register_lowering(newton_p, _lowering("cuda"), platform="cuda")
mlir.register_lowering(newton_p, _lowering("another platform"))
