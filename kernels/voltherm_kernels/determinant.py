"""The sign of a determinant, from the pivots of an elimination.

    det A = product over pivots k of det D_k        A = (I + L) D (I + U), rows and columns in the same order

Elimination takes rows and columns in one order, which leaves the sign alone. Where a pivot vanishes, or is no number,
dense LU with pivoting decides, and its exchanges of rows count; beyond `recovery.DENSE_LIMIT` rows the sign is 0 there,
unknown. `native` has the sign of a power flow's Jacobian from its iteration, for nothing.

Shapes: values (entries, b, b, lane).
"""

import jax.numpy as jnp
from jax import Array, lax

from . import recovery
from .primitives import factor_p
from .schedule import Schedule


def signs(schedule: Schedule, values: Array, implementation: str = "auto") -> Array:
    """1 or -1 for the matrix of each lane, 0 where that is unknown or the matrix singular, (lane,)."""
    if not values.shape[-1]:
        return jnp.zeros((0,), values.dtype)
    blocks = factor_p.bind(values, schedule=schedule, implementation=implementation)
    inverses = jnp.moveaxis(blocks[: schedule.size], -1, 0)
    if schedule.block_size == 2:
        determinants = inverses[..., 0, 0] * inverses[..., 1, 1] - inverses[..., 0, 1] * inverses[..., 1, 0]
    else:
        determinants = jnp.linalg.det(inverses)
    found = jnp.nan_to_num(jnp.prod(jnp.sign(determinants), axis=-1))
    if schedule.size * schedule.block_size > recovery.DENSE_LIMIT:
        return found
    unknown = (found == 0.0) & jnp.all(jnp.isfinite(values), axis=(0, 1, 2))

    def pivoted() -> Array:
        def lane(operands: tuple[Array, Array]) -> Array:
            wanted, values = operands
            zero = jnp.zeros((), values.dtype)
            return lax.cond(wanted, lambda: recovery.sign_of_determinant(schedule, values), lambda: zero)

        return jnp.where(unknown, lax.map(lane, (unknown, jnp.moveaxis(values, -1, 0))), found)

    return lax.cond(jnp.any(unknown), pivoted, lambda: found)
