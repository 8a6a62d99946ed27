"""The portable implementation: plain JAX over the schedule.

Every array is laid out with the lanes (the elements of a batch) last, so that each gathered or scattered block is a
contiguous stretch of lanes. Loops run over the steps of the schedule with `fori_loop`: the traced program has the same
size for ten nodes as for ten thousand. This is the oracle that other implementations are held to.

Shapes: values (entries, b, b, lane), blocks (slot, b, b, lane), right-hand sides (size, b, lane, side).
"""

import functools
import operator

import jax.numpy as jnp
from jax import Array, lax

from .schedule import Schedule


def factor(schedule: Schedule, values: Array) -> Array:
    """Blocks of (I + L) D (I + U), with D inverted. A lane with a singular pivot has NaN in every inverted pivot."""
    return eliminate(schedule, assemble(schedule, values))


def assemble(schedule: Schedule, values: Array) -> Array:
    """The blocks before anything is eliminated: entries at their slots, zero fill, those of padding."""
    block, lanes = schedule.block_size, values.shape[-1]
    blocks = jnp.zeros((schedule.slots, block, block, lanes), values.dtype)
    identity = jnp.broadcast_to(jnp.eye(block, dtype=values.dtype)[:, :, None], (block, block, lanes))
    blocks = blocks.at[schedule.identity_slot].set(identity)
    return _scatter_add(blocks, jnp.asarray(schedule.entry_slot), values)


def eliminate(schedule: Schedule, blocks: Array) -> Array:
    """Factors in the place of assembled blocks."""
    size, fill = schedule.size, schedule.fill
    pivots, products = jnp.asarray(schedule.pivot_steps), jnp.asarray(schedule.product_steps)
    bounds = jnp.asarray(schedule.level_steps)

    def invert(step: Array, blocks: Array) -> Array:
        pivot = pivots[step, 0]
        return blocks.at[pivot].set(_inverse(_gather(blocks, pivot)), mode="promise_in_bounds")

    def subtract(step: Array, blocks: Array) -> Array:
        lower, pivot, upper, target = (products[step, kind] for kind in range(4))
        scaled = _product(_gather(blocks, lower), _gather(blocks, pivot))
        return _scatter_add(blocks, target, -_product(scaled, _gather(blocks, upper)))

    def level(number: Array, blocks: Array) -> Array:
        blocks = lax.fori_loop(bounds[number, 0], bounds[number, 1], invert, blocks)
        return lax.fori_loop(bounds[number, 2], bounds[number, 3], subtract, blocks) if fill else blocks

    blocks = lax.fori_loop(0, schedule.levels, level, blocks)
    inverses = blocks[:size]
    regular = jnp.all(jnp.isfinite(inverses), axis=(0, 1, 2), keepdims=True)
    inverses = jnp.where(regular, inverses, jnp.nan)
    of_fill = _gather(inverses, jnp.asarray(schedule.fill_pivot))
    lower = _product(blocks[size : size + fill], of_fill)
    upper = _product(of_fill, blocks[size + fill : size + 2 * fill])
    return jnp.concatenate([inverses, lower, upper, blocks[size + 2 * fill :]])


def substitute(schedule: Schedule, values: Array, blocks: Array, right_hand_side: Array, *, transpose: bool) -> Array:
    """Solve with finished factors: forward sweep, block diagonal, backward sweep."""
    del values  # only what its derivative follows from
    size, fill = schedule.size, schedule.fill
    lower, upper = blocks[size:, :, :, :, None], blocks[size + fill :, :, :, :, None]
    inverses = blocks[:size, :, :, :, None]
    if transpose:
        # Aᵀ = (I + Uᵀ) Dᵀ (I + Lᵀ): the mirrored blocks change places.
        lower, upper = jnp.swapaxes(upper, 1, 2), jnp.swapaxes(lower, 1, 2)
        inverses = jnp.swapaxes(inverses, 1, 2)

    table = jnp.asarray(schedule.sweep_steps)
    steps = table.shape[0]
    unknown = _gather(right_hand_side, jnp.asarray(schedule.order))
    unknown = jnp.concatenate([unknown, jnp.zeros_like(unknown[:1])])

    def forward(number: Array, unknown: Array) -> Array:
        off_diagonal, pivot, neighbour = (table[number, kind] for kind in range(3))
        return _scatter_add(unknown, neighbour, -_apply(_gather(lower, off_diagonal), _gather(unknown, pivot)))

    def backward(number: Array, unknown: Array) -> Array:
        off_diagonal, pivot, neighbour = (table[steps - 1 - number, kind] for kind in range(3))
        return _scatter_add(unknown, pivot, -_apply(_gather(upper, off_diagonal), _gather(unknown, neighbour)))

    if steps:
        unknown = lax.fori_loop(0, steps, forward, unknown)
    unknown = unknown.at[:size].set(_apply(inverses, unknown[:size]))
    if steps:
        unknown = lax.fori_loop(0, steps, backward, unknown)
    return _gather(unknown, jnp.asarray(schedule.position))


def multiply(schedule: Schedule, values: Array, vector: Array, *, transpose: bool) -> Array:
    """A x, or Aᵀ x."""
    rows, columns = jnp.asarray(schedule.rows), jnp.asarray(schedule.columns)
    values = values[:, :, :, :, None]
    if transpose:
        rows, columns, values = columns, rows, jnp.swapaxes(values, 1, 2)
    return _scatter_add(jnp.zeros_like(vector), rows, _apply(values, _gather(vector, columns)))


def outer(schedule: Schedule, left: Array, right: Array) -> Array:
    """The entries of left rightᵀ on the pattern, summed over right-hand sides."""
    rows, columns = jnp.asarray(schedule.rows), jnp.asarray(schedule.columns)
    return jnp.sum(_gather(left, rows)[:, :, None] * _gather(right, columns)[:, None, :], axis=-1)


def backward_error(
    schedule: Schedule, values: Array, solution: Array, right_hand_side: Array, *, transpose: bool
) -> Array:
    """How far a solution is from solving A x = r: (lane, side), relative (`safeguard.py`)."""
    product = multiply(schedule, values, solution, transpose=transpose)
    size = multiply(schedule, jnp.abs(values), jnp.abs(solution), transpose=transpose)
    return relative_error(right_hand_side, product, size)


def relative_error(right_hand_side: Array, product: Array, size: Array) -> Array:
    """The backward error (lane, side), from A x and |A| |x|."""
    rest, size = jnp.abs(right_hand_side - product), size + jnp.abs(right_hand_side)
    limits = jnp.finfo(size.dtype)
    floor = jnp.sqrt(limits.eps) * jnp.max(size, axis=(0, 1)) + 4.0 * limits.tiny
    error = rest / (size + floor[None, None])
    # XLA's maximum on CPUs forgets NaN in large batches (jax 0.10.2)
    return jnp.where(jnp.any(jnp.isnan(error), axis=(0, 1)), jnp.nan, jnp.max(error, axis=(0, 1)))


def _gather(array: Array, index: Array) -> Array:
    return array.at[index].get(mode="promise_in_bounds")


def _scatter_add(array: Array, index: Array, update: Array) -> Array:
    return array.at[index].add(update, mode="promise_in_bounds")


def _product(left: Array, right: Array) -> Array:
    """Product of small blocks, (item, b, b, lane) each.

    A batched matrix product would move the lanes, and a sum over an axis of b costs twice the time of b terms.
    """
    terms = [left[:, :, number, None] * right[:, None, number] for number in range(left.shape[2])]
    return functools.reduce(operator.add, terms)


def _apply(blocks: Array, vectors: Array) -> Array:
    """Small blocks (item, b, b, lane, 1) times vectors (item, b, lane, side)."""
    terms = [blocks[:, :, number] * vectors[:, None, number] for number in range(blocks.shape[2])]
    return functools.reduce(operator.add, terms)


def _inverse(blocks: Array) -> Array:
    """Inverses of (item, b, b, lane): in closed form to b = 3, else Gauss-Jordan with row exchanges in the block."""
    size = blocks.shape[1]
    if size == 1:
        return 1.0 / blocks
    if size == 2:
        a, b, c, d = blocks[:, 0, 0], blocks[:, 0, 1], blocks[:, 1, 0], blocks[:, 1, 1]
        adjugate = jnp.stack([jnp.stack([d, -b], axis=1), jnp.stack([-c, a], axis=1)], axis=1)
        return adjugate / (a * d - b * c)[:, None, None]
    if size == 3:
        one, two = jnp.roll(blocks, -1, axis=1), jnp.roll(blocks, -2, axis=1)
        cofactors = jnp.roll(one, -1, axis=2) * jnp.roll(two, -2, axis=2)
        cofactors = cofactors - jnp.roll(one, -2, axis=2) * jnp.roll(two, -1, axis=2)
        determinant = jnp.sum(blocks[:, 0] * cofactors[:, 0], axis=1)
        return jnp.swapaxes(cofactors, 1, 2) / determinant[:, None, None]
    identity = jnp.broadcast_to(jnp.eye(size, dtype=blocks.dtype)[None, :, :, None], blocks.shape)
    row_number = jnp.arange(size)[None, :, None]

    def eliminate(column: Array, joined: Array) -> Array:
        entries = joined[:, :, column]
        magnitude = jnp.where(row_number >= column, jnp.abs(entries), -1.0)
        chosen = jnp.argmax(magnitude, axis=1, keepdims=True)
        is_chosen, is_current = (row_number == chosen)[:, :, None], (row_number == column)[:, :, None]
        pivot_row = jnp.sum(jnp.where(is_chosen, joined, 0.0), axis=1, keepdims=True)
        current_row = joined[:, column][:, None]
        joined = jnp.where(is_chosen, current_row, joined)
        pivot_row = pivot_row / pivot_row[:, :, column][:, :, None]
        joined = joined - joined[:, :, column][:, :, None] * pivot_row
        return jnp.where(is_current, pivot_row, joined)

    joined = lax.fori_loop(0, size, eliminate, jnp.concatenate([blocks, identity], axis=2))
    return joined[:, :, size:]
