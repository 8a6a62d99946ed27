"""Lanes that elimination in a fixed order cannot do, for implementations without a way of their own.

Up to `DENSE_LIMIT` rows by dense LU with rows scaled and partial pivoting. Beyond, by GMRES with the factors of a
matrix nearby, whose pivots are shifted, as preconditioner:

    (A + E)^-1 A x = (A + E)^-1 r,    E_i = sqrt(epsilon) (1 + c_i) max_j |A_ij|,    0 <= c_i < 1

Where A is regular, (A + E)^-1 A is close to one but for as many directions as pivots vanish, and GMRES takes about one
step for each of those. No rows are exchanged, so it is as sparse as the elimination, and it runs wherever a program
runs. c_i differs from row to row, lest a pivot vanish anew.

Source: Li and Demmel (1998), Making sparse Gaussian elimination scalable by static pivoting, Supercomputing 98,
sections 2 and 3; Saad and Schultz (1986), SIAM J. Sci. Stat. Comput. 7, 856 (GMRES, of jax). Valid for condition
numbers well below 1 / sqrt(epsilon); `safeguard.py` checks what comes out.

Shapes: values (entries, b, b, lane), right-hand sides (size, b, lane, side).
"""

import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.scipy.sparse.linalg import gmres

from . import xla
from .schedule import Schedule

DENSE_LIMIT = 4096
"""Rows of a matrix that may be stored in full: 128 MB in double precision."""

_RESTART = 20  # steps of GMRES between restarts
_RESTARTS = 5
_GOLDEN = 0.6180339887498949  # multiples of it, less their whole parts, are spread evenly


def pivoted(
    schedule: Schedule, values: Array, solution: Array, right_hand_side: Array, settled: Array, *, transpose: bool
) -> Array:
    """`solution`, with what is not `settled` (lane, side) solved anew; singular is NaN.

    Lanes go one after the other, for the memory of one.
    """
    anew = _preconditioned if schedule.size * schedule.block_size > DENSE_LIMIT else _dense

    def lane(operands: tuple[Array, ...]) -> Array:
        values, solution, right_hand_side, settled = operands
        return lax.cond(
            jnp.all(settled),
            lambda: solution,
            lambda: jnp.where(
                settled[None, None], solution, anew(schedule, values, right_hand_side, transpose=transpose)
            ),
        )

    lanes_first = (jnp.moveaxis(values, 3, 0), jnp.moveaxis(solution, 2, 0), jnp.moveaxis(right_hand_side, 2, 0))
    return jnp.moveaxis(lax.map(lane, (*lanes_first, settled)), 0, 2)


def sign_of_determinant(schedule: Schedule, values: Array) -> Array:
    """1 or -1, 0 where the matrix is singular, from values (entries, b, b) of one lane; dense LU with rows scaled."""
    matrix = _in_full(schedule, values)
    scale = jnp.max(jnp.abs(matrix), axis=1, keepdims=True)
    return jnp.linalg.slogdet(matrix / jnp.where(scale > 0.0, scale, 1.0))[0]


def _in_full(schedule: Schedule, values: Array) -> Array:
    """The matrix (rows, rows) of one lane, from values (entries, b, b)."""
    block, size = schedule.block_size, schedule.size
    matrix = jnp.zeros((size, block, size, block), values.dtype)
    places = (jnp.asarray(schedule.rows), slice(None), jnp.asarray(schedule.columns), slice(None))
    return matrix.at[places].add(values).reshape(size * block, size * block)


def _dense(schedule: Schedule, values: Array, right_hand_side: Array, *, transpose: bool) -> Array:
    """x (size, b, side) of one lane, from values (entries, b, b) and right-hand sides (size, b, side)."""
    rows = schedule.size * schedule.block_size
    matrix = _in_full(schedule, values)
    matrix = matrix.T if transpose else matrix
    scale = jnp.max(jnp.abs(matrix), axis=1, keepdims=True).astype(matrix.dtype)
    sides = right_hand_side.reshape(rows, -1)
    return jnp.linalg.solve(matrix / scale, sides / scale).reshape(right_hand_side.shape)


def _preconditioned(schedule: Schedule, values: Array, right_hand_side: Array, *, transpose: bool) -> Array:
    """The same from factors nearby."""
    block, size, limits = schedule.block_size, schedule.size, jnp.finfo(values.dtype)
    row_size = jnp.max(jnp.abs(values), axis=2)
    largest = jnp.zeros((size, block), row_size.dtype).at[jnp.asarray(schedule.rows)].max(row_size)
    spread = np.modf(_GOLDEN * np.arange(size * block))[0].reshape(size, block)
    shift = (limits.eps**0.5 * (1.0 + spread)).astype(largest.dtype) * largest
    shift = shift[jnp.asarray(schedule.order), :, None].astype(values.dtype)
    diagonal = shift * jnp.eye(block, dtype=values.dtype)[None]

    given = values[..., None]
    blocks = xla.eliminate(schedule, xla.assemble(schedule, given).at[:size].add(diagonal[..., None]))

    def one(side: Array) -> Array:
        x, _ = gmres(
            lambda x: xla.multiply(schedule, given, x, transpose=transpose),
            side,
            tol=float(limits.eps),
            restart=_RESTART,
            maxiter=_RESTARTS,
            M=lambda rest: xla.substitute(schedule, given, blocks, rest, transpose=transpose),
        )
        return x

    # (size, b, side) to (size, b, lane, side) of one lane and one side at a time
    columns = jnp.moveaxis(right_hand_side, -1, 0)[..., None, None]
    return jnp.moveaxis(lax.map(one, columns)[..., 0, 0], 0, -1)
