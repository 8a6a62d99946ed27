"""Five operations as JAX primitives, closed under every transformation.

    solve       (values, right-hand side) -> A^-1 r                     linear in r
    factor      values -> blocks
    substitute  (values, blocks, right-hand side) -> A^-1 r            linear in r
    multiply    (values, x) -> A x                                      bilinear
    outer       (y, x) -> y x' on the pattern                           bilinear

Why primitives: a batching rule of our own keeps the lanes in the last axis however deep the `vmap`s nest, and one
differentiation rule serves forward, reverse and higher order. `blocks` is a cache of what follows from `values`, so it
has no tangent; `values` is an operand of `substitute` to be differentiated, and for the check of the solution:

    x = A^-1 r      dx = A^-1 (dr - dA x)

`solve` is for a solution alone: an implementation may do it in one pass that keeps no factors. Its derivative needs
them, so that it becomes `factor` and `substitute` where it is differentiated.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, core
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

from . import safeguard
from .dispatch import implementation_named, resolve


def _run(operation: str, *operands: Array, schedule: Any, implementation: str, alone: bool, **options: Any) -> Array:
    module = implementation_named(implementation)
    if operation in ("solve", "substitute"):
        checked: Callable[..., Array] = getattr(safeguard, operation)
        return checked(module, schedule, *operands, **options, recover=alone)
    return getattr(module, operation)(schedule, *operands, **options)


def _lowering(operation: str, platform: str) -> Callable[..., Any]:
    """The lowering rule for a platform: the function of the implementation that serves there."""
    lower = mlir.lower_fun(functools.partial(_run, operation), multiple_results=False)

    def rule(context: Any, *operands: Any, implementation: str, **parameters: Any) -> Any:
        result = context.avals_out[0]
        if not result.size:
            return mlir.lower_fun(lambda *_: jnp.zeros(result.shape, result.dtype), multiple_results=False)(
                context, *operands
            )
        split = partitioned(context.module_context.axis_context)
        name = resolve(implementation, platform, context.avals_in[0].dtype, split)
        return lower(context, *operands, implementation=name, alone=not split, **parameters)

    return rule


def partitioned(axis_context: Any) -> bool:
    """Whether the compiler splits the program over devices by itself; inside a `shard_map` it does not."""
    mesh = getattr(axis_context, "mesh", None)
    if mesh is not None:
        return mesh.size > 1 and set(axis_context.manual_axes) != set(mesh.axis_names)
    return getattr(axis_context, "num_devices", 1) > 1


@functools.lru_cache(maxsize=256)
def compiled(primitive: Primitive, **parameters: Any) -> Callable[..., Any]:
    """A primitive with its parameters as a compiled function, for calls outside of any program."""
    return jax.jit(functools.partial(primitive.bind, **parameters))


def _primitive(name: str, shape_of: Callable[..., tuple[int, ...]]) -> Primitive:
    """A primitive whose lowering is the function of the same name of the implementation for the platform."""
    primitive = Primitive(f"voltherm_{name}")

    def abstract(*operands: Any, **parameters: Any) -> Any:
        return core.ShapedArray(shape_of(*(operand.shape for operand in operands), **parameters), operands[0].dtype)

    primitive.def_abstract_eval(abstract)
    primitive.def_impl(lambda *operands, **parameters: compiled(primitive, **parameters)(*operands))
    mlir.register_lowering(primitive, _lowering(name, "cpu"), platform="cpu")
    mlir.register_lowering(primitive, _lowering(name, "cuda"), platform="cuda")
    mlir.register_lowering(primitive, _lowering(name, "another platform"))
    return primitive


solve_p = _primitive("solve", lambda values, right_hand_side, **_: right_hand_side)
factor_p = _primitive("factor", lambda values, *, schedule, **_: (schedule.slots, *values[1:]))
substitute_p = _primitive("substitute", lambda values, blocks, right_hand_side, **_: right_hand_side)
multiply_p = _primitive("multiply", lambda values, vector, **_: vector)
outer_p = _primitive("outer", lambda left, right, *, schedule, **_: (schedule.entries, schedule.block_size, *left[1:3]))


# Differentiation.
# -------------------------------------------------------------------------------------------------------


def _no_change(value: Array) -> Any:
    return ad.Zero(jax.typeof(value).to_tangent_aval())


def _factor_jvp(primals: Sequence[Array], tangents: Sequence[Any], **parameters: Any) -> tuple[Array, Any]:
    blocks = factor_p.bind(*primals, **parameters)
    return blocks, _no_change(blocks)


def _substitute_jvp(
    primals: Sequence[Array], tangents: Sequence[Any], *, schedule: Any, implementation: str, transpose: bool
) -> tuple[Array, Any]:
    values, blocks, right_hand_side = primals
    values_tangent, _, side_tangent = tangents
    options = {"schedule": schedule, "implementation": implementation, "transpose": transpose}
    solution = substitute_p.bind(values, blocks, right_hand_side, **options)
    if isinstance(values_tangent, ad.Zero) and isinstance(side_tangent, ad.Zero):
        return solution, _no_change(solution)
    change = None if isinstance(side_tangent, ad.Zero) else side_tangent
    if not isinstance(values_tangent, ad.Zero):
        moved = -multiply_p.bind(values_tangent, solution, **options)
        change = moved if change is None else change + moved
    return solution, substitute_p.bind(values, blocks, change, **options)


def _solve_jvp(
    primals: Sequence[Array], tangents: Sequence[Any], *, schedule: Any, implementation: str, transpose: bool
) -> tuple[Array, Any]:
    values, right_hand_side = primals
    options = {"schedule": schedule, "implementation": implementation}
    blocks = factor_p.bind(values, **options)
    given = (values, blocks, right_hand_side), (tangents[0], _no_change(blocks), tangents[1])
    return _substitute_jvp(*given, **options, transpose=transpose)


def _solve_transpose(
    cotangent: Any, values: Array, right_hand_side: Any, *, transpose: bool, **parameters: Any
) -> list[Any]:
    if isinstance(cotangent, ad.Zero):
        return [None, ad.Zero(right_hand_side.aval)]
    return [None, solve_p.bind(values, cotangent, transpose=not transpose, **parameters)]


def _substitute_transpose(
    cotangent: Any, values: Array, blocks: Array, right_hand_side: Any, *, transpose: bool, **parameters: Any
) -> list[Any]:
    if isinstance(cotangent, ad.Zero):
        return [None, None, ad.Zero(right_hand_side.aval)]
    return [None, None, substitute_p.bind(values, blocks, cotangent, transpose=not transpose, **parameters)]


def _multiply_transpose_values(
    cotangent: Array, values: Any, vector: Array, *, transpose: bool, **parameters: Any
) -> Array:
    left, right = (vector, cotangent) if transpose else (cotangent, vector)
    return outer_p.bind(left, right, **parameters)


def _multiply_transpose_vector(
    cotangent: Array, values: Array, vector: Any, *, transpose: bool, **parameters: Any
) -> Array:
    return multiply_p.bind(values, cotangent, transpose=not transpose, **parameters)


def _outer_transpose_left(cotangent: Array, left: Any, right: Array, **parameters: Any) -> Array:
    return multiply_p.bind(cotangent, right, transpose=False, **parameters)


def _outer_transpose_right(cotangent: Array, left: Array, right: Any, **parameters: Any) -> Array:
    return multiply_p.bind(cotangent, left, transpose=True, **parameters)


ad.primitive_jvps[factor_p] = _factor_jvp
ad.primitive_jvps[solve_p] = _solve_jvp
ad.primitive_transposes[solve_p] = _solve_transpose
ad.primitive_jvps[substitute_p] = _substitute_jvp
ad.primitive_transposes[substitute_p] = _substitute_transpose


def _bilinear(primitive: Primitive, to_first: Callable[..., Array], to_second: Callable[..., Array]) -> None:
    def jvp(primals: Sequence[Array], tangents: Sequence[Any], **parameters: Any) -> tuple[Array, Any]:
        first, second = primals
        value = primitive.bind(first, second, **parameters)
        parts = []
        if not isinstance(tangents[0], ad.Zero):
            parts.append(primitive.bind(tangents[0], second, **parameters))
        if not isinstance(tangents[1], ad.Zero):
            parts.append(primitive.bind(first, tangents[1], **parameters))
        return value, sum(parts[1:], parts[0]) if parts else _no_change(value)

    def transpose(cotangent: Any, first: Any, second: Any, **parameters: Any) -> list[Any]:
        wanted_first = ad.is_undefined_primal(first)
        if isinstance(cotangent, ad.Zero):
            return [ad.Zero(first.aval), None] if wanted_first else [None, ad.Zero(second.aval)]
        if wanted_first:
            return [to_first(cotangent, first, second, **parameters), None]
        return [None, to_second(cotangent, first, second, **parameters)]

    ad.primitive_jvps[primitive] = jvp
    ad.primitive_transposes[primitive] = transpose


_bilinear(multiply_p, _multiply_transpose_values, _multiply_transpose_vector)
_bilinear(outer_p, _outer_transpose_left, _outer_transpose_right)


# Batching.
# ----------------------------------------------------------------------------------------------------------------
# An operand is (..., lane) or (..., lane, side). A batched operand's new axis joins the lanes, except that a batch of
# right-hand sides alone joins the sides: then the factors are shared and stay in cache.


def _join(operand: Array, axis: Any, lane_axis: int, batch: int) -> Array:
    """Merge the batch axis into `lane_axis` (minor to it); an operand that is not batched is repeated."""
    if axis is None:
        target = (*operand.shape[: lane_axis + 1], batch, *operand.shape[lane_axis + 1 :])
        operand = jnp.broadcast_to(jnp.expand_dims(operand, lane_axis + 1), target)
    else:
        operand = jnp.moveaxis(operand, axis, lane_axis + 1)
    shape = operand.shape
    return operand.reshape(*shape[:lane_axis], shape[lane_axis] * batch, *shape[lane_axis + 2 :])


def _part(result: Array, lane_axis: int, lanes: int, batch: int) -> tuple[Array, int]:
    shape = result.shape
    return result.reshape(*shape[:lane_axis], lanes, batch, *shape[lane_axis + 1 :]), lane_axis + 1


def _lanes_before(operand: Array, axis: Any, lane_axis: int) -> int:
    """Length of an operand's lane axis without the batch."""
    shape = list(operand.shape)
    if axis is not None:
        del shape[axis]
    return shape[lane_axis]


def _batch(primitive: Primitive, lane_axes: tuple[int, ...], result_axis: int, side_operand: int = -1) -> None:
    def rule(operands: Sequence[Array], axes: Sequence[Any], **parameters: Any) -> tuple[Array, int]:
        batch = next(operand.shape[axis] for operand, axis in zip(operands, axes, strict=True) if axis is not None)
        batched = [number for number, axis in enumerate(axes) if axis is not None]
        if batched == [side_operand]:
            joined = list(operands)
            joined[side_operand] = _join(operands[side_operand], axes[side_operand], 3, batch)
            sides = _lanes_before(operands[side_operand], axes[side_operand], 3)
            return _part(primitive.bind(*joined, **parameters), 3, sides, batch)
        joined = [
            _join(operand, axis, lane_axis, batch)
            for operand, axis, lane_axis in zip(operands, axes, lane_axes, strict=True)
        ]
        lanes = _lanes_before(operands[0], axes[0], lane_axes[0])
        return _part(primitive.bind(*joined, **parameters), result_axis, lanes, batch)

    batching.primitive_batchers[primitive] = rule


_batch(solve_p, (3, 2), 2, 1)
_batch(factor_p, (3,), 3)
_batch(substitute_p, (3, 3, 2), 2, 2)
_batch(multiply_p, (3, 2), 2, 1)
_batch(outer_p, (2, 2), 3)
