"""What cannot be solved in single precision says so, with the line that mends it."""

import jax.numpy as jnp
from jaxtyping import Array


def require_double(number: Array, what: str) -> None:
    """Looks at the precision of a number of the problem; works on traced ones.

    **Raises**: `ValueError` where it is single; `what` begins the sentence.
    """
    if number.dtype != jnp.float64:
        raise ValueError(
            f"{what} needs double precision: say jax.config.update('jax_enable_x64', True) before anything is loaded "
            "or solved"
        )
