"""How a thermal solve ends: a status, and NaN with zero gradient where there is no solution.

| code       | when                                                                                             |
|------------|--------------------------------------------------------------------------------------------------|
| CONVERGED  | every chip has a steady temperature and every tray with heat has flow                            |
| LIMIT      | a chip runs away: its leakage grows faster with temperature than its path takes the heat away    |
| NOT_FINITE | a tray gives off heat into coolant at rest, or an input was not finite                           |
"""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from voltherm.numerics import ResultCode, Status


def failed(value: Float[Array, "..."], without_solution: Bool[Array, "..."]) -> Float[Array, "..."]:
    """`value` with NaN where there is no solution; the gradient there is zero, not NaN."""
    return jnp.where(without_solution, jnp.nan, value)


def closed_form_status(runaway: Bool[Array, "*lanes element"], no_value: Bool[Array, "*lanes element"]) -> Status:
    """Status of a closed form, from the elements (trays, chips) with runaway and those without a finite value.

    `worst` is the first element that fails, 0 where none does. There is no iteration: `iterations` is 0, and `residual`
    is 0 or, in a lane that fails, NaN.
    """
    any_runaway, failing = jnp.any(runaway, axis=-1), runaway | no_value
    lost = jnp.any(failing, axis=-1)
    code = jnp.where(lost, int(ResultCode.NOT_FINITE), int(ResultCode.CONVERGED))
    return Status(
        result=jnp.where(any_runaway, int(ResultCode.LIMIT), code).astype(jnp.int32),
        residual=jnp.where(lost, jnp.nan, jnp.zeros(lost.shape)),
        iterations=jnp.zeros(lost.shape, jnp.int32),
        worst=jnp.argmax(jnp.where(any_runaway[..., None], runaway, failing), axis=-1).astype(jnp.int32),
    )
