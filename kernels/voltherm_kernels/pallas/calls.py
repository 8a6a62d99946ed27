"""The kernels as calls: grids, tiles of lanes and operands.

A program of 32 threads owns 32 lanes. For factors, sweeps and products that is one grid place each; `factor_and_solve`
starts no more programs than there is memory for their factors, and each works through several tiles with the same room.
"""

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.experimental import pallas as pl
from jax.experimental.pallas import triton

from ..schedule import Schedule
from .elimination import Pattern, Side, backward, eliminate, finish, of_values, substitute
from .tables import Incidence, Tables, incidence, tables
from .tiles import Tile, Vector, apply, filled, loop, magnitudes, transposed, walk

WIDTH = 32
"""Lanes of a program: one per thread of one warp, so that every access of a lane is made by the same thread."""

# No pipelining of loops: what a turn of a loop loads may be what the turn before it stored.
_ONE_WARP = triton.CompilerParams(num_warps=1, num_stages=1)


def factor(schedule: Schedule, values: Array, *, interpret: bool, width: int | None = None) -> Array:
    """Blocks of (I + L) D (I + U), with D inverted. A singular lane is NaN."""
    lanes, dtype = values.shape[-1], values.dtype
    pattern = pattern_of(schedule)
    shape = (schedule.slots, *values.shape[1:])
    if not lanes:
        return jnp.zeros(shape, dtype)
    width = width_of(lanes, interpret, width)

    def kernel(values: Any, *references: Any) -> None:
        table, blocks = Tables(*references[:-1]), references[-1]
        start, mask = place(pl.program_id(0), width, lanes)
        blocks = Tile(blocks, start, width, mask, interpret)
        matrix = of_values(table, pattern, Tile(values, start, width, mask, interpret), width, dtype)
        regular = eliminate(table, pattern, matrix, blocks, jnp.ones((width,), bool), None)
        finish(table, pattern, blocks, regular, dtype)

    operands = (rows(values, lanes), *tables(schedule))
    blocks = call(kernel, "factor", (pl.cdiv(lanes, width),), [_rows_of(shape, lanes, dtype)], operands, interpret)
    return blocks[0].reshape(shape)


def substitute_factors(
    schedule: Schedule,
    blocks: Array,
    right_hand_side: Array,
    *,
    transpose: bool,
    interpret: bool,
    width: int | None = None,
) -> Array:
    """Solve with finished factors; a thread takes one right-hand side of one lane."""
    lanes, sides = right_hand_side.shape[2:]
    if not lanes * sides:
        return right_hand_side
    pattern = pattern_of(schedule)
    width = width_of(lanes * sides, interpret, width)
    flat = rows(right_hand_side, lanes * sides)

    def kernel(blocks: Any, right: Any, *references: Any) -> None:
        table, unknown = Tables(*references[:-1]), references[-1]
        start, mask = place(pl.program_id(0), width, lanes * sides)
        blocks = Tile(blocks, *_shared(start, width, lanes, sides, mask), interpret)
        right, unknown = (Tile(array, start, width, mask, interpret) for array in (right, unknown))
        substitute(table, pattern, blocks, right, unknown, transpose)

    result = jax.ShapeDtypeStruct(flat.shape, flat.dtype)
    operands = (rows(blocks, lanes), flat, *tables(schedule))
    grid = (pl.cdiv(lanes * sides, width),)
    return call(kernel, "substitute", grid, [result], operands, interpret)[0].reshape(right_hand_side.shape)


def factor_and_solve(
    schedule: Schedule,
    values: Array,
    right_hand_side: Array,
    *,
    transpose: bool,
    interpret: bool,
    width: int | None = None,
    programs: int | None = None,
) -> Array:
    """Factor and solve in one call with one right-hand side per lane; the factors live in the programs' room only."""
    size, block, lanes, sides = right_hand_side.shape
    if sides != 1:
        raise ValueError(f"factor_and_solve takes one right-hand side per lane, not {sides}")
    if not lanes:
        return right_hand_side
    dtype, pattern = values.dtype, pattern_of(schedule)
    width = width_of(lanes, interpret, width)
    tiles = pl.cdiv(lanes, width)
    room = (size + 2 * schedule.fill) * block**2
    programs = min(tiles, programs or programs_at_once(room, dtype))

    def kernel(values: Any, right: Any, *references: Any) -> None:
        table, (unknown, room) = Tables(*references[:-2]), references[-2:]
        program = pl.program_id(0)
        blocks = Tile(room, program * width, width, None, interpret)

        def tile(turn: Array) -> None:
            start, mask = place(program + turn * programs, width, lanes)
            own = Tile(right, start, width, mask, interpret)
            solution = Tile(unknown, start, width, mask, interpret)
            matrix = of_values(table, pattern, Tile(values, start, width, mask, interpret), width, dtype)
            side = Side(lambda node: own.vector(node, block), solution, transpose)
            regular = eliminate(table, pattern, matrix, blocks, jnp.ones((width,), bool), side)
            backward(table, pattern, blocks, solution, regular, transpose)

        loop(0, (tiles - program + programs - 1) // programs, tile)

    results = [
        jax.ShapeDtypeStruct((size * block, lanes), dtype),
        jax.ShapeDtypeStruct((room, programs * width), dtype),
    ]
    operands = (rows(values, lanes), rows(right_hand_side, lanes), *tables(schedule))
    solution = call(kernel, "factor_and_solve", (programs,), results, operands, interpret)[0]
    return solution.reshape(right_hand_side.shape)


def multiply(schedule: Schedule, values: Array, vector: Array, *, transpose: bool, interpret: bool) -> Array:
    """A x, or Aᵀ x."""
    return _products(schedule, values, vector, transpose, False, interpret)[0]


def multiply_and_size(
    schedule: Schedule, values: Array, vector: Array, *, transpose: bool, interpret: bool
) -> tuple[Array, Array]:
    """A x and |A| |x|, or the same transposed."""
    product, size = _products(schedule, values, vector, transpose, True, interpret)
    return product, size


def _products(
    schedule: Schedule, values: Array, vector: Array, transpose: bool, sized: bool, interpret: bool
) -> list[Array]:
    """One pass over the values; a program takes one row and one tile."""
    size, block, lanes, sides = vector.shape
    if not lanes * sides:
        return [vector, vector]
    width = width_of(lanes * sides, interpret, None)
    flat = rows(vector, lanes * sides)
    dtype, count = vector.dtype, 2 if sized else 1

    def kernel(values: Any, vector: Any, *references: Any) -> None:
        table, results = Incidence(*references[:-count]), references[-count:]
        row = pl.program_id(0)
        start, mask = place(pl.program_id(1), width, lanes * sides)
        values = Tile(values, *_shared(start, width, lanes, sides, mask), interpret)
        vector = Tile(vector, start, width, mask, interpret)

        def entry(numbers: list[Array], totals: list[Vector]) -> list[Vector]:
            number, other = numbers
            matrix, factor = values.matrix(number, block), vector.vector(other, block)
            pairs = [(transposed(matrix) if transpose else matrix, factor)]
            if sized:
                pairs.append(([magnitudes(line) for line in pairs[0][0]], magnitudes(factor)))
            return [
                [one + two for one, two in zip(total, apply(*pair), strict=True)]
                for total, pair in zip(totals, pairs, strict=True)
            ]

        zero = [filled(0.0, block, width, dtype) for _ in range(count)]
        totals = walk(table.start[row], table.start[row + 1], [table.entry, table.other], entry, zero)
        for result, total in zip(results, totals, strict=True):
            Tile(result, start, width, mask, interpret).set_vector(row, total)

    result = jax.ShapeDtypeStruct(flat.shape, dtype)
    grid = (size, pl.cdiv(lanes * sides, width))
    operands = (rows(values, lanes), flat, *incidence(schedule, transpose))
    found = call(kernel, "multiply", grid, [result] * count, operands, interpret)
    return [each.reshape(vector.shape) for each in found]


def outer(schedule: Schedule, left: Array, right: Array, *, interpret: bool) -> Array:
    """The entries of left rightᵀ on the pattern, summed over right-hand sides; a program takes one entry and tile."""
    block, lanes, sides = left.shape[1:]
    dtype = left.dtype
    shape = (schedule.entries, block, block, lanes)
    if not lanes * sides * schedule.entries:
        return jnp.zeros(shape, dtype)
    width = width_of(lanes, interpret, None)

    def kernel(left: Any, right: Any, entry_row: Any, entry_column: Any, result: Any) -> None:
        entry = pl.program_id(0)
        start, mask = place(pl.program_id(1), width, lanes)
        row, column = entry_row[entry], entry_column[entry]

        def side(number: Array, total: list[list[Array]]) -> list[list[Array]]:
            where = start if sides == 1 else _lane(start, width, lanes) * sides + number
            one = Tile(left, where, width, mask, interpret).vector(row, block)
            two = Tile(right, where, width, mask, interpret).vector(column, block)
            return [
                [entry + a * b for entry, b in zip(line, two, strict=True)] for line, a in zip(total, one, strict=True)
            ]

        zero = [filled(0.0, block, width, dtype) for _ in range(block)]
        Tile(result, start, width, mask, interpret).set_matrix(entry, loop(0, sides, side, zero))

    grid = (schedule.entries, pl.cdiv(lanes, width))
    operands = (rows(left, lanes * sides), rows(right, lanes * sides), schedule.rows, schedule.columns)
    return call(kernel, "outer", grid, [_rows_of(shape, lanes, dtype)], operands, interpret)[0].reshape(shape)


def programs_at_once(numbers: int, dtype: Any) -> int:
    """Programs whose scratch fits into `MEMORY_SHARE` of the GPU's memory together, with `numbers` of it per lane."""
    per_program = numbers * np.dtype(dtype).itemsize * WIDTH
    return int(min(_MOST_PROGRAMS, max(1, MEMORY_SHARE * _memory() // per_program)))


MEMORY_SHARE = 0.5
"""Share of a GPU's memory that the scratch of all programs may take; the rest is left to operands and results."""

# More programs than any GPU of today runs at once (132 multiprocessors with 32 each on the largest) gain nothing.
_MOST_PROGRAMS = 8192
_MEMORY_UNKNOWN = 8e9  # B, where a program is compiled without the GPU it is for


@functools.cache
def _memory() -> float:
    """Bytes that jax may use on the smallest GPU of this process."""
    try:
        statistics = [device.memory_stats() or {} for device in jax.local_devices(backend="gpu")]
    except RuntimeError:
        return _MEMORY_UNKNOWN
    return float(min(each.get("bytes_limit", _MEMORY_UNKNOWN) for each in statistics))


def pattern_of(schedule: Schedule) -> Pattern:
    """The sizes that a kernel is traced with."""
    return Pattern(schedule.size, schedule.fill, schedule.block_size, schedule.entries)


def width_of(count: int, interpret: bool, width: int | None) -> int:
    """Lanes of a tile. Interpreted, a divisor of their number, since a mask copies whole arrays there."""
    if width is not None:
        return width
    return max(divisor for divisor in range(1, WIDTH + 1) if count % divisor == 0) if interpret else WIDTH


def place(tile: Any, width: int, count: int) -> tuple[Array, Array | None]:
    """Where a tile starts, and which of its threads have something to do."""
    start = tile * width
    return start, None if count % width == 0 else start + _numbers(width) < count


def _numbers(width: int) -> Array:
    return jnp.arange(width, dtype=jnp.int32)


def _lane(start: Array, width: int, count: int) -> Array:
    """The lane of every thread; threads past the end take the last."""
    return jnp.minimum(start + _numbers(width), count - 1)


def _shared(start: Array, width: int, lanes: int, sides: int, mask: Array | None) -> tuple[Array, int, Array | None]:
    """Where the threads of a tile of (lane, side) pairs find their lane."""
    if sides == 1:
        return start, width, mask
    return _lane(start, width, lanes * sides) // sides, width, None


def rows(array: Array, lanes: int) -> Array:
    """An array as (row, lane)."""
    return array.reshape(-1, lanes)


def _rows_of(shape: tuple[int, ...], lanes: int, dtype: Any) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct((math.prod(shape) // lanes, lanes), dtype)


def call(
    kernel: Callable[..., None],
    name: str,
    grid: tuple[int, ...],
    results: Sequence[jax.ShapeDtypeStruct],
    operands: Sequence[Any],
    interpret: bool,
) -> Sequence[Array]:
    """Run a kernel on whole arrays: one warp for each place of the grid."""
    pallas_call = pl.pallas_call(
        kernel,
        out_shape=list(results),
        grid=grid,
        interpret=interpret,
        compiler_params=None if interpret else _ONE_WARP,
        name=f"voltherm_{name}",
    )
    return pallas_call(*map(jnp.asarray, operands))
