"""Factorisation and substitution of one tile of lanes, pivot by pivot (`tables.py` has the equations).

Each thread owns a lane and meets in memory only what it wrote itself, so nothing has to be synchronised. The tables
are the same for all threads: their loads are broadcasts. While factors are in work the upper blocks are V = D U, which
need no second visit; `scale_upper` makes the U that the schedule's storage asks for.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array

from .tiles import (
    Matrix,
    Tile,
    Vector,
    all_finite,
    any_of,
    apply,
    diagonal,
    filled,
    inverse,
    less,
    less_product,
    loop,
    plus,
    product_with_stored,
    transposed,
    walk,
)


class Start(NamedTuple):
    """The matrix itself, before anything is eliminated: its block at the slot of a pivot, and at another slot.

    Of a `symmetric` matrix only the upper triangle is asked for and worked on: L_ik = V_kiᵀ D_k^-1.
    """

    diagonal: Callable[[Any], Matrix]
    off_diagonal: Callable[[Any], Matrix]
    symmetric: bool = False


class Pattern(NamedTuple):
    """What a kernel knows of a schedule before it runs."""

    size: int
    fill: int
    block: int
    entries: int

    def lower(self, number: Any) -> Any:
        """Slot of L_a."""
        return self.size + number

    def upper(self, number: Any) -> Any:
        """Slot of U_a, or V_a."""
        return self.size + self.fill + number


class Side(NamedTuple):
    """A right-hand side that is swept forwards while its matrix is factored.

    `right(node)` is its part at a node; `unknown` takes what the forward sweep leaves there.
    """

    right: Callable[[Any], Vector]
    unknown: Tile
    transpose: bool


def of_values(tables: Any, pattern: Pattern, values: Tile, width: int, dtype: Any) -> Start:
    """Blocks of a matrix given by its values: most slots have one, fill has none, duplicates are summed."""

    def start(slot: Any) -> Matrix:
        zero = [filled(0.0, pattern.block, width, dtype) for _ in range(pattern.block)]
        return walk(
            tables.entry_start[slot],
            tables.entry_start[slot + 1],
            [tables.entry],
            lambda numbers, total: plus(total, values.matrix(numbers[0], pattern.block)),
            zero,
        )

    return Start(start, start)


def eliminate(tables: Any, pattern: Pattern, start: Start, blocks: Tile, regular: Array, side: Side | None) -> Array:
    """Factor into D^-1, L and V, and sweep a right-hand side forwards; returns `regular` less the singular lanes."""
    size, fill, block = pattern.size, pattern.fill, pattern.block

    def pivot(position: Array, regular: Array) -> Array:
        def row(numbers: list[Array], carry: tuple[Matrix, Vector]) -> tuple[Matrix, Vector]:
            (number, earlier), (total, right) = numbers, carry
            lower, upper = pattern.lower(number), pattern.upper(number)
            if side is not None:
                seen = transposed(blocks.matrix(upper, block)) if side.transpose else blocks.matrix(lower, block)
                right = less(right, apply(seen, side.unknown.vector(earlier, block)))
            return less_product(total, blocks, lower, upper), right

        node = tables.node[position]
        right = [] if side is None else side.right(node)
        first, last = tables.row_start[position], tables.row_start[position + 1]
        total, right = walk(first, last, [tables.row, tables.row_node], row, (start.diagonal(position), right))
        inverted = inverse(total)
        blocks.set_matrix(position, inverted)
        if side is not None:
            side.unknown.set_vector(node, apply(transposed(inverted), right) if side.transpose else right)

        def front(number: Array) -> None:
            def pair(numbers: list[Array], carry: tuple[Matrix, Matrix | None]) -> tuple[Matrix, Matrix | None]:
                (left, right), (upper, lower) = numbers, carry
                upper = less_product(upper, blocks, pattern.lower(right), pattern.upper(left))
                if lower is not None:
                    lower = less_product(lower, blocks, pattern.lower(left), pattern.upper(right))
                return upper, lower

            lower = None if start.symmetric else start.off_diagonal(pattern.lower(number))
            first, last = tables.pair_start[number], tables.pair_start[number + 1]
            both = (start.off_diagonal(pattern.upper(number)), lower)
            upper, lower = walk(first, last, [tables.left, tables.right], pair, both)
            lower = transposed(upper) if lower is None else lower
            blocks.set_matrix(pattern.lower(number), product_with_stored(lower, blocks, position))
            blocks.set_matrix(pattern.upper(number), upper)

        if fill:
            loop(tables.front_start[position], tables.front_start[position + 1], front)
        return regular & all_finite(inverted)

    return loop(0, size, pivot, regular)


def finish(tables: Any, pattern: Pattern, blocks: Tile, regular: Array, dtype: Any) -> None:
    """Make U of V, write the blocks of padding, and NaN over singular lanes."""
    size, fill, block = pattern.size, pattern.fill, pattern.block
    width = regular.shape[0]

    def pivot(position: Array) -> None:
        inverted = blocks.matrix(position, block)

        def front(number: Array) -> None:
            slot = pattern.upper(number)
            blocks.set_matrix(slot, product_with_stored(inverted, blocks, slot))

        loop(tables.front_start[position], tables.front_start[position + 1], front)

    if fill:
        loop(0, size, pivot)
    used = size + 2 * fill
    loop(used, used + 1, lambda slot: blocks.set_matrix(slot, diagonal(1.0, block, width, dtype)))
    loop(used + 1, used + 2, lambda slot: blocks.set_matrix(slot, diagonal(0.0, block, width, dtype)))

    def spoil(slot: Array) -> None:
        matrix = blocks.matrix(slot, block)
        blocks.set_matrix(slot, [[jnp.where(regular, entry, jnp.nan) for entry in row] for row in matrix])

    loop(0, any_of(blocks.among(~regular)) * used, spoil)


def backward(tables: Any, pattern: Pattern, blocks: Tile, unknown: Tile, regular: Array, transpose: bool) -> None:
    """The sweep after `eliminate`: with D^-1 and V, or transposed with L alone. A singular lane becomes NaN."""
    size, fill, block = pattern.size, pattern.fill, pattern.block

    def pivot(turn: Array) -> None:
        position = size - 1 - turn
        node = tables.node[position]

        def front(number: Array, total: Vector) -> Vector:
            slot = pattern.lower(number) if transpose else pattern.upper(number)
            matrix = blocks.matrix(slot, block)
            seen = unknown.vector(tables.neighbour_node[number], block)
            return less(total, apply(transposed(matrix) if transpose else matrix, seen))

        total = unknown.vector(node, block)
        if fill:
            total = loop(tables.front_start[position], tables.front_start[position + 1], front, total)
        if not transpose:
            total = apply(blocks.matrix(position, block), total)
        unknown.set_vector(node, [jnp.where(regular, entry, jnp.nan) for entry in total])

    loop(0, size, pivot)


def substitute(tables: Any, pattern: Pattern, blocks: Tile, right: Tile, unknown: Tile, transpose: bool) -> None:
    """Both sweeps with finished factors D^-1, L and U. Transposed, L and U change places."""
    size, fill, block = pattern.size, pattern.fill, pattern.block

    def matrix(slot: Any) -> Matrix:
        return transposed(blocks.matrix(slot, block)) if transpose else blocks.matrix(slot, block)

    first, second = (pattern.upper, pattern.lower) if transpose else (pattern.lower, pattern.upper)

    def forward(position: Array) -> None:
        def row(numbers: list[Array], total: Vector) -> Vector:
            number, earlier = numbers
            return less(total, apply(matrix(first(number)), unknown.vector(earlier, block)))

        node = tables.node[position]
        total = right.vector(node, block)
        if fill:
            lists = [tables.row, tables.row_node]
            total = walk(tables.row_start[position], tables.row_start[position + 1], lists, row, total)
        unknown.set_vector(node, total)

    def backward(turn: Array) -> None:
        position = size - 1 - turn
        node = tables.node[position]

        def front(number: Array, total: Vector) -> Vector:
            seen = unknown.vector(tables.neighbour_node[number], block)
            return less(total, apply(matrix(second(number)), seen))

        total = apply(matrix(position), unknown.vector(node, block))
        if fill:
            total = loop(tables.front_start[position], tables.front_start[position + 1], front, total)
        unknown.set_vector(node, total)

    loop(0, size, forward)
    loop(0, size, backward)
