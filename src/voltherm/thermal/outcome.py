"""What becomes of a thermal state that has no solution: a result code, and NaN with zero gradient where it is felt.

| code       | when                                                                                             |
|------------|--------------------------------------------------------------------------------------------------|
| CONVERGED  | every chip has a steady temperature and every tray with heat has flow                            |
| LIMIT      | a chip runs away: its leakage grows faster with temperature than its path takes the heat away    |
| NOT_FINITE | a tray gives off heat into coolant at rest, or an input was not finite                           |
"""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from voltherm.numerics import ResultCode


def failed(value: Float[Array, "..."], without_solution: Bool[Array, "..."]) -> Float[Array, "..."]:
    """`value` with NaN where there is no solution; the gradient there is zero, not NaN."""
    return jnp.where(without_solution, jnp.nan, value)


def outcome(runaway: Bool[Array, ""], finite: Bool[Array, ""]) -> Int[Array, ""]:
    """The result code of a state: whether any chip runs away, and whether all else is finite."""
    code = jnp.where(finite, int(ResultCode.CONVERGED), int(ResultCode.NOT_FINITE))
    return jnp.where(runaway, int(ResultCode.LIMIT), code).astype(jnp.int32)
