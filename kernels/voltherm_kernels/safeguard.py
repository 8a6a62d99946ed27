"""Every solution is checked, and a lane that elimination in a fixed order cannot do is done with care.

    error = max over rows i of |r - A x|_i / ((|A| |x| + |r|)_i + sqrt(eps) max over j of (|A| |x| + |r|)_j)

is the relative change of matrix and right-hand side that would make x exact (Oettli and Prager, 1964, Numer. Math. 6,
405), with a floor for rows that hardly count. Elimination without pivoting leaves some eps unless entries grow or a
pivot vanishes. Where the error exceeds eps^(2/3) the lane is solved anew (`pivoted` of the implementation, else
`recovery.py`), and is NaN where it is singular, or not accurate even then.

Scaling alone would change nothing: without pivoting, elimination is the same for a scaled matrix. Other lanes keep
their bits in all of this, and a batch without a bad lane pays for the check alone. Where the compiler splits a program
over devices by itself, whether to do so would have to be agreed between them: there such a lane is NaN at once.

Shapes: values (entries, b, b, lane), blocks (slot, b, b, lane), right-hand sides (size, b, lane, side).
"""

from types import ModuleType

import jax.numpy as jnp
from jax import Array, lax

from . import recovery
from .schedule import Schedule


def tolerance(dtype: jnp.dtype) -> float:
    """The largest backward error that is taken for round-off."""
    return float(jnp.finfo(dtype).eps) ** (2.0 / 3.0)


def suffices(implementation: ModuleType, schedule: Schedule, values: Array) -> Array:
    """Whether elimination in a fixed order can do the matrix of each lane, (lane,).

    Tried on a right-hand side of ones: a vanished pivot is always seen, growth that this side does not meet is not.
    """
    lanes = values.shape[-1]
    side = jnp.ones((schedule.size, schedule.block_size, lanes, 1), values.dtype)
    options = {"transpose": False, "recover": False}
    return jnp.all(jnp.isfinite(solve(implementation, schedule, values, side, **options)), axis=(0, 1, 3))


def substitute(
    implementation: ModuleType,
    schedule: Schedule,
    values: Array,
    blocks: Array,
    right_hand_side: Array,
    *,
    transpose: bool,
    recover: bool,
) -> Array:
    """Solve with finished factors; every lane of the result is accurate or NaN. `recover`: pivot where needed."""
    solution = implementation.substitute(schedule, values, blocks, right_hand_side, transpose=transpose)
    return _checked(implementation, schedule, values, solution, right_hand_side, transpose, recover)


def solve(
    implementation: ModuleType,
    schedule: Schedule,
    values: Array,
    right_hand_side: Array,
    *,
    transpose: bool,
    recover: bool,
) -> Array:
    """Factor and solve, in one call where the implementation has one for one right-hand side in each lane."""
    in_one = getattr(implementation, "factor_and_solve", None)
    if in_one is None or right_hand_side.shape[-1] != 1:
        blocks = implementation.factor(schedule, values)
        options = {"transpose": transpose, "recover": recover}
        return substitute(implementation, schedule, values, blocks, right_hand_side, **options)
    solution = in_one(schedule, values, right_hand_side, transpose=transpose)
    return _checked(implementation, schedule, values, solution, right_hand_side, transpose, recover)


def _checked(
    implementation: ModuleType,
    schedule: Schedule,
    values: Array,
    solution: Array,
    right_hand_side: Array,
    transpose: bool,
    recover: bool,
) -> Array:
    most = tolerance(right_hand_side.dtype)

    def accurate(solution: Array) -> Array:
        # NaN compares false
        error = implementation.backward_error(schedule, values, solution, right_hand_side, transpose=transpose)
        return error <= most

    settled = accurate(solution)
    if not recover:
        return jnp.where(settled[None, None], solution, jnp.nan)

    def recovered() -> Array:
        # what was never a system of numbers has no solution, and is no case for pivoting
        sound = jnp.all(jnp.isfinite(values), axis=(0, 1, 2))[:, None]
        sound = sound & jnp.all(jnp.isfinite(right_hand_side), axis=(0, 1))
        kept = settled | ~sound
        anew = getattr(implementation, "pivoted", recovery.pivoted)
        pivoted = anew(schedule, values, solution, right_hand_side, kept, transpose=transpose)
        return jnp.where((settled | accurate(pivoted))[None, None], pivoted, jnp.nan)

    return lax.cond(jnp.all(settled), lambda: solution, recovered)
