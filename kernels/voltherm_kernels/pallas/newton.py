"""A whole Newton iteration of a network as one kernel: assembly, factorisation, sweeps and line search of a lane.

    R_i(y) = r_i(y_i) + sum over the couplings h = (i, j) of i of r_h(s_i, s_j)        s = state(y)
    J_ii = dR_i/dy_i,    J_ij = sum over h of dr_h/dy_j
    y <- y - t J^-1 R,    t = 1, 1/2, 1/4, ... until |R| falls

The physics comes as Python functions of tiles of lanes, the very functions that the plain residual of a domain calls on
its arrays. J_ij is never stored: the elimination asks for a block when it comes to it. An unknown may be held at a set
point, which makes its row that of the identity.

Convergence, line search and result codes are those of `voltherm.numerics.newton`, lane by lane (`iteration.py`).
"""

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.experimental import pallas as pl

from ..graph import starts
from ..schedule import Schedule
from .calls import call, pattern_of, place, programs_at_once, rows, width_of
from .iteration import Lane, Physics, iterate
from .tables import Incidence, Tables, tables, with_one_more
from .tiles import Shared, Tile, Vector, loop


class Operands(NamedTuple):
    """Arrays (number, entry, lane), the lane axis of length 1 where all lanes share one.

    `start`, `fixed` (positive where an unknown is held) and `set_point` are (node, b, lane); `nodes` go to
    `Physics.node`, `couplings`, in the order of the schedule's entries after the diagonal, to `Physics.coupling`.
    """

    start: Array
    fixed: Array
    set_point: Array
    nodes: Sequence[Array]
    couplings: Sequence[Array]


class Results(NamedTuple):
    """`unknowns` (node, b, lane); the others (lane,). `worst` counts the entries of a vector through."""

    unknowns: Array
    residual: Array
    iterations: Array
    result: Array
    worst: Array


def newton(
    schedule: Schedule,
    physics: Physics,
    operands: Operands,
    *,
    tolerance: float,
    maximum_iterations: int,
    interpret: bool,
    width: int | None = None,
    programs: int | None = None,
) -> Results:
    """Solve R(y) = 0 for every lane. The schedule's entries must be the diagonal, then the couplings."""
    size, block = schedule.size, schedule.block_size
    flat = [operands.start, operands.fixed, operands.set_point, *operands.nodes, *operands.couplings]
    (lanes,) = np.broadcast_shapes(*(array.shape[-1:] for array in flat))
    dtype = operands.start.dtype
    if not lanes:
        number = jnp.zeros(0, jnp.int32)
        return Results(jnp.zeros((size, block, 0), dtype), jnp.zeros(0, dtype), number, number, number)
    width = width_of(lanes, interpret, width)
    tiles = pl.cdiv(lanes, width)
    rooms = [(size + 2 * schedule.fill) * block**2, size * physics.states, *(size * block,) * 3]
    programs = min(tiles, programs or programs_at_once(sum(rooms), dtype))
    lengths = [array.shape[1] for array in flat]
    shared = [array.shape[-1] == 1 for array in flat]
    first_coupling = 3 + len(operands.nodes)
    listed = (*tables(schedule), *_couplings(schedule))

    def kernel(*references: Any) -> None:
        arrays, references = references[: len(flat)], references[len(flat) :]
        table, coupled = Tables(*references[: len(Tables._fields)]), references[len(Tables._fields) :]
        incident, (own, other), outputs = Incidence(*coupled[:3]), coupled[3:5], coupled[5:]
        program = pl.program_id(0)

        def tile(turn: Array) -> None:
            start, mask = place(program + turn * programs, width, lanes)
            given = [
                Shared(array, width) if one else Tile(array, start, width, mask, interpret)
                for array, one in zip(arrays, shared, strict=True)
            ]
            readers = [functools.partial(_read, part, length) for part, length in zip(given, lengths, strict=True)]
            unknowns, *numbers = (Tile(array, start, width, mask, interpret) for array in outputs[:5])
            room = [Tile(array, program * width, width, None, interpret) for array in outputs[5:]]
            lane = Lane(
                pattern=pattern_of(schedule),
                physics=physics,
                tables=table,
                incident=incident,
                ends=(own, other),
                start=readers[0],
                fixed=readers[1],
                set_point=readers[2],
                nodes=readers[3:first_coupling],
                couplings=readers[first_coupling:],
                unknowns=unknowns,
                blocks=room[0],
                states=room[1],
                trial=room[2],
                residual=room[3],
                step=room[4],
            )
            progress = iterate(lane, width, dtype, tolerance, maximum_iterations)
            found = (progress.sizes.largest, progress.iterations, progress.result, progress.sizes.worst)
            for number, value in zip(numbers, found, strict=True):
                number.set_first(value)

        loop(0, (tiles - program + programs - 1) // programs, tile)

    def per_lane(kind: Any) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct((1, lanes), kind)

    results = [
        jax.ShapeDtypeStruct((size * block, lanes), dtype),
        per_lane(dtype),
        *(per_lane(jnp.int32) for _ in range(3)),
        *(jax.ShapeDtypeStruct((length, programs * width), dtype) for length in rooms),
    ]
    given = [rows(array, array.shape[-1]) for array in flat]
    found = call(kernel, "newton", (programs,), results, (*given, *listed), interpret)
    return Results(found[0].reshape(size, block, lanes), *(each[0] for each in found[1:5]))


def _read(source: Any, length: int, number: Array) -> Vector:
    vector: Vector = source.vector(number, length)
    return vector


@functools.lru_cache(maxsize=256)
def _couplings(schedule: Schedule) -> tuple[np.ndarray, ...]:
    """The couplings of every node (start, number, other node), and the two nodes of every coupling."""
    size = schedule.size
    own, other = schedule.rows[size:], schedule.columns[size:]
    diagonal_first = np.array_equal(schedule.rows[:size], np.arange(size)) and np.array_equal(
        schedule.columns[:size], np.arange(size)
    )
    if not diagonal_first or np.any(own == other):
        raise ValueError("the entries of the schedule must be the diagonal, then couplings of two nodes each")
    by_node = np.argsort(own, kind="stable")
    return tuple(map(with_one_more, (starts(own, size), by_node, other[by_node], own, other)))
