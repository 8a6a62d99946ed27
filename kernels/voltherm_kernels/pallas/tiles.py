"""Arithmetic of small blocks on a tile of lanes: each entry of a block is an array of its own, (lane,).

Triton takes arrays of a power of two only, so a block of 3 x 3 or 6 x 6 is a list of rows of tiles, and loops over the
rows of a block are unrolled.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array, lax
from jax.experimental import pallas as pl
from jax.experimental.pallas import triton

_WRITTEN_OUT = 3  # rows of a block up to which its arithmetic is written out; beyond, loops keep the code short

Vector = list[Array]
Matrix = list[list[Array]]


class Tile:
    """The lanes of one program in an array (row, lane): `tile[row]` is array[row, lanes].

    A vector of b entries takes b rows, a block b x b rows. `lanes` is where the tile starts, or the lane of every
    thread where several threads share one; `mask` is True for threads whose lane exists, None where all do.
    """

    def __init__(self, array: Any, lanes: Array, width: int, mask: Array | None = None, together: bool = False):
        self.array = array
        self.lanes = lanes if lanes.ndim else pl.ds(lanes, width)
        self.mask = mask
        # Interpreted, the rows of a block are one access, which compiles faster. On a GPU they are several: the number
        # of rows need not be a power of two.
        self.together = together and mask is None and not lanes.ndim

    def __getitem__(self, row: Array) -> Array:
        if self.mask is None:
            return self.array[row, self.lanes]
        return triton.load(self.array.at[row, self.lanes], mask=self.mask)

    def __setitem__(self, row: Array, value: Array) -> None:
        if self.mask is None:
            self.array[row, self.lanes] = value
        else:
            triton.store(self.array.at[row, self.lanes], value, mask=self.mask)

    def set_first(self, value: Array) -> None:
        """Write row 0: a number of each lane. In a loop of one turn, because a row is a traced number."""

        def write(row: Array) -> None:
            self[row] = value

        loop(0, 1, write)

    def among(self, flags: Array) -> Array:
        """The flags of lanes that exist; what others hold is no number of anybody."""
        return flags if self.mask is None else flags & self.mask

    def rows(self, first: Array, count: int) -> Vector:
        """Several rows, one after the other in memory."""
        if self.together:
            block = self.array[pl.ds(first, count), self.lanes]
            return [block[row] for row in range(count)]
        return [self[first + row] for row in range(count)]

    def set_rows(self, first: Array, values: Vector) -> None:
        """Write several rows."""
        if self.together:
            self.array[pl.ds(first, len(values)), self.lanes] = jnp.stack(values)
        else:
            for row, value in enumerate(values):
                self[first + row] = value

    def vector(self, number: Array, size: int) -> Vector:
        """The vector of `size` entries at a number."""
        return self.rows(number * size, size)

    def matrix(self, number: Array, size: int) -> Matrix:
        """The block of `size` rows and columns at a number."""
        entries = self.rows(number * size**2, size**2)
        return [entries[row * size : (row + 1) * size] for row in range(size)]

    def set_vector(self, number: Array, vector: Vector) -> None:
        """Write a vector to a number."""
        self.set_rows(number * len(vector), vector)

    def set_matrix(self, number: Array, matrix: Matrix) -> None:
        """Write a block to a number."""
        self.set_rows(number * len(matrix) ** 2, [entry for row in matrix for entry in row])


class Shared:
    """Rows (row, 1) that all lanes share, read once and spread over the tile."""

    def __init__(self, array: Any, width: int):
        self.array, self.width = array, width

    def __getitem__(self, row: Array) -> Array:
        return jnp.broadcast_to(self.array[row, 0], (self.width,))

    def vector(self, number: Array, size: int) -> Vector:
        """The vector of `size` entries at a number."""
        return [self[number * size + row] for row in range(size)]


class Largest(NamedTuple):
    """The largest magnitude of each lane among numbers seen so far, and the row of it, the first of equal ones.

    What is not finite counts as the largest, as in `voltherm.numerics`: NaN would lose every comparison.
    """

    magnitude: Array
    row: Array

    @classmethod
    def of_none(cls, width: int, dtype: Any, rows: int) -> "Largest":
        """Nothing seen yet of so many rows."""
        return cls(jnp.zeros((width,), dtype), jnp.full((width,), rows, jnp.int32))

    def and_of(self, number: Array, row: Array) -> "Largest":
        """With one number more; the order in which numbers come does not matter."""
        magnitude = jnp.where(jnp.isfinite(number), jnp.abs(number), jnp.inf)
        here = jnp.full(magnitude.shape, row, jnp.int32)
        larger = (magnitude > self.magnitude) | ((magnitude == self.magnitude) & (here < self.row))
        return Largest(jnp.where(larger, magnitude, self.magnitude), jnp.where(larger, here, self.row))


def loop(start: Any, end: Any, body: Any, carry: Any = ()) -> Any:
    """`fori_loop` over 32-bit numbers; a body that only writes may return nothing."""

    def step(number: Array, carry: Any) -> Any:
        result = body(number) if isinstance(carry, tuple) and not carry else body(number, carry)
        return carry if result is None else result

    return lax.fori_loop(jnp.asarray(start, jnp.int32), jnp.asarray(end, jnp.int32), step, carry)


def walk(start: Array, end: Array, lists: Sequence[Any], body: Any, carry: Any) -> Any:
    """A loop over a stretch of lists of numbers: body(numbers, carry).

    The numbers of a turn are loaded in the turn before, so that a turn waits for its blocks alone; a list is one longer
    than its last stretch.
    """

    def step(at: Array, state: tuple[list[Array], Any]) -> tuple[list[Array], Any]:
        numbers, carry = state
        following = [numbers[at + 1] for numbers in lists]
        return following, body(numbers, carry)

    return loop(start, end, step, ([numbers[start] for numbers in lists], carry))[1]


def transposed(matrix: Matrix) -> Matrix:
    """Rows and columns exchanged."""
    return [list(column) for column in zip(*matrix, strict=True)]


def apply(matrix: Matrix, vector: Vector) -> Vector:
    """matrix vector."""
    result = []
    for row in matrix:
        total = row[0] * vector[0]
        for entry, factor in zip(row[1:], vector[1:], strict=True):
            total = total + entry * factor
        result.append(total)
    return result


def less_product(total: Matrix, blocks: Tile, left: Array, right: Array) -> Matrix:
    """total - blocks[left] blocks[right]."""
    size = len(total)
    if size <= _WRITTEN_OUT:
        one, other = blocks.matrix(left, size), blocks.matrix(right, size)
        for inner in range(size):
            total = _plus_outer(total, [-row[inner] for row in one], other[inner])
        return total

    def part(inner: Array, total: Matrix) -> Matrix:
        # one column and one row at a time: two large blocks beside the sum would not fit into registers
        column = [-blocks[left * size**2 + row * size + inner] for row in range(size)]
        return _plus_outer(total, column, blocks.rows(right * size**2 + inner * size, size))

    return loop(0, size, part, total)


def product_with_stored(left: Matrix, blocks: Tile, right: Array) -> Matrix:
    """left blocks[right]."""
    size = len(left)
    zero = jnp.zeros_like(left[0][0])
    total = [[zero] * size for _ in range(size)]
    if size <= _WRITTEN_OUT:
        other = blocks.matrix(right, size)
        for inner in range(size):
            total = _plus_outer(total, [row[inner] for row in left], other[inner])
        return total

    def part(inner: Array, carry: tuple[Matrix, Matrix]) -> tuple[Matrix, Matrix]:
        total, turned = carry
        row = blocks.rows(right * size**2 + inner * size, size)
        return _plus_outer(total, [line[0] for line in turned], row), [[*line[1:], line[0]] for line in turned]

    return loop(0, size, part, (total, left))[0]


def _plus_outer(total: Matrix, column: Vector, row: Vector) -> Matrix:
    return [
        [entry + one * other for entry, other in zip(line, row, strict=True)]
        for line, one in zip(total, column, strict=True)
    ]


def less(vector: Vector, other: Vector) -> Vector:
    """vector - other."""
    return [one - two for one, two in zip(vector, other, strict=True)]


def magnitudes(vector: Vector) -> Vector:
    """Absolute values."""
    return [jnp.abs(entry) for entry in vector]


def plus(matrix: Matrix, other: Matrix) -> Matrix:
    """matrix + other."""
    return [[one + two for one, two in zip(*rows, strict=True)] for rows in zip(matrix, other, strict=True)]


def filled(value: float, size: int, width: int, dtype: Any) -> Vector:
    """A vector of one number."""
    return [jnp.full((width,), value, dtype) for _ in range(size)]


def diagonal(value: float, size: int, width: int, dtype: Any) -> Matrix:
    """A block with a number on its diagonal."""
    one, zero = jnp.full((width,), value, dtype), jnp.zeros((width,), dtype)
    return [[one if row == column else zero for column in range(size)] for row in range(size)]


def inverse(matrix: Matrix) -> Matrix:
    """In closed form to three rows, else Gauss-Jordan with row exchanges. A singular lane is not finite."""
    size = len(matrix)
    if size == 1:
        return [[1.0 / matrix[0][0]]]
    if size == 2:
        (a, b), (c, d) = matrix
        determinant = a * d - b * c
        return [[d / determinant, -b / determinant], [-c / determinant, a / determinant]]
    if size == _WRITTEN_OUT:
        return _inverse_of_three(matrix)
    return _gauss_jordan(matrix)


def _inverse_of_three(matrix: Matrix) -> Matrix:
    def cofactor(row: int, column: int) -> Array:
        rows, columns = [(row + 1) % 3, (row + 2) % 3], [(column + 1) % 3, (column + 2) % 3]
        (a, b), (c, d) = [[matrix[one][other] for other in columns] for one in rows]
        return a * d - b * c

    cofactors = [[cofactor(row, column) for column in range(3)] for row in range(3)]
    determinant = sum((matrix[0][column] * cofactors[0][column] for column in (1, 2)), matrix[0][0] * cofactors[0][0])
    return [[entry / determinant for entry in row] for row in transposed(cofactors)]


def _gauss_jordan(matrix: Matrix) -> Matrix:
    """Every turn of the loop takes the first column, exchanges rows, and moves the column and its pivot's row last."""
    size = len(matrix)
    unit = diagonal(1.0, size, matrix[0][0].shape[0], matrix[0][0].dtype)

    def turn(number: Array, joined: Matrix) -> Matrix:
        for other in range(1, size):
            not_yet = other < size - number
            larger = (jnp.abs(joined[other][0]) > jnp.abs(joined[0][0])) & not_yet
            pairs = list(zip(joined[0], joined[other], strict=True))
            joined = list(joined)
            joined[0] = [jnp.where(larger, two, one) for one, two in pairs]
            joined[other] = [jnp.where(larger, one, two) for one, two in pairs]
        pivot = [entry / joined[0][0] for entry in joined[0]]
        rows = [[entry - row[0] * one for entry, one in zip(row, pivot, strict=True)] for row in joined[1:]]
        return [[*row[1:], row[0]] for row in [*rows, pivot]]

    joined = loop(0, size, turn, [[*row, *units] for row, units in zip(matrix, unit, strict=True)])
    return [row[:size] for row in joined]


def any_of(flags: Array) -> Array:
    """1 where any lane of the tile has the flag, else 0."""
    return jnp.max(jnp.where(flags, 1, 0).astype(jnp.int32))


def all_finite(matrix: Matrix) -> Array:
    """Per lane, whether every entry of a block is a number."""
    result = jnp.isfinite(matrix[0][0])
    for entry in [entry for row in matrix for entry in row][1:]:
        result = result & jnp.isfinite(entry)
    return result
