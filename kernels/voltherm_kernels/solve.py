"""Public functions: factor, solve and multiply on a fixed pattern, from any mix of `jit`, `vmap`, `grad` and `jvp`."""

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from .dispatch import requested
from .primitives import factor_p, multiply_p, solve_p, substitute_p
from .schedule import Schedule


class Factors(NamedTuple):
    """A factored matrix: the values it came from (entries, b, b, 1), through which derivatives pass, and its blocks."""

    values: Array
    blocks: Array


def factor(schedule: Schedule, values: ArrayLike, implementation: str = "auto") -> Factors:
    """Factor a matrix without pivoting between blocks.

    **Arguments**: `values` (entries,) or (entries, b, b), in the order in which `analyse` got rows and columns;
    duplicates are summed. Real or complex.

    **Returns** `Factors`. A singular matrix gives NaN in every solution.
    """
    blocks = _as_blocks(schedule, jnp.asarray(values))
    _refuse_integers(blocks)
    return Factors(blocks, factor_p.bind(blocks, schedule=schedule, implementation=requested(implementation)))


def solve_factored(
    schedule: Schedule,
    factors: Factors,
    right_hand_side: ArrayLike,
    transpose: bool = False,
    implementation: str = "auto",
) -> Array:
    """Solve A x = r, or Aᵀ x = r, with finished factors.

    **Arguments**: `right_hand_side` (size,) or (size, b). For many right-hand sides map over them, as in
    `jax.vmap(lambda r: solve_factored(schedule, factors, r))`: the factors are then shared.

    **Returns** x, of the shape of `right_hand_side`. Derivatives with respect to the values and the right-hand side
    are exact.
    """
    right_hand_side = jnp.asarray(right_hand_side)
    sides = _as_vectors(schedule, right_hand_side)
    _same_kind(factors.values, right_hand_side)
    solution = substitute_p.bind(
        *factors, sides, schedule=schedule, implementation=requested(implementation), transpose=bool(transpose)
    )
    return solution.reshape(right_hand_side.shape)


def solve(
    schedule: Schedule,
    values: ArrayLike,
    right_hand_side: ArrayLike,
    transpose: bool = False,
    implementation: str = "auto",
) -> Array:
    """Solve A x = r, or Aᵀ x = r, as `factor` and `solve_factored` do, with factors that nobody keeps."""
    right_hand_side = jnp.asarray(right_hand_side)
    blocks = _as_blocks(schedule, jnp.asarray(values))
    _refuse_integers(blocks)
    _same_kind(blocks, right_hand_side)
    solution = solve_p.bind(
        blocks,
        _as_vectors(schedule, right_hand_side),
        schedule=schedule,
        implementation=requested(implementation),
        transpose=bool(transpose),
    )
    return solution.reshape(right_hand_side.shape)


def multiply(
    schedule: Schedule, values: ArrayLike, vector: ArrayLike, transpose: bool = False, implementation: str = "auto"
) -> Array:
    """A x, or Aᵀ x, for `vector` (size,) or (size, b)."""
    vector = jnp.asarray(vector)
    blocks = _as_blocks(schedule, jnp.asarray(values))
    _same_kind(blocks, vector)
    product = multiply_p.bind(
        blocks,
        _as_vectors(schedule, vector),
        schedule=schedule,
        implementation=requested(implementation),
        transpose=bool(transpose),
    )
    return product.reshape(vector.shape)


def _as_blocks(schedule: Schedule, values: Array) -> Array:
    block, entries = schedule.block_size, schedule.entries
    if values.shape != (entries, block, block) and not (block == 1 and values.shape == (entries,)):
        raise ValueError(f"values must have the shape {(entries, block, block)}, not {values.shape}")
    return values.reshape(entries, block, block, 1)


def _as_vectors(schedule: Schedule, vector: Array) -> Array:
    block, size = schedule.block_size, schedule.size
    if vector.shape != (size, block) and not (block == 1 and vector.shape == (size,)):
        raise ValueError(f"a vector must have the shape {(size, block)}, not {vector.shape}")
    return vector.reshape(size, block, 1, 1)


def _refuse_integers(values: Array) -> None:
    if not jnp.issubdtype(values.dtype, jnp.inexact):
        raise ValueError(f"values must be floating-point or complex numbers, not {values.dtype}")


def _same_kind(values: Array, vector: Array) -> None:
    if values.dtype != vector.dtype:
        raise ValueError(f"values and vector must be numbers of one kind, not {values.dtype} and {vector.dtype}")
