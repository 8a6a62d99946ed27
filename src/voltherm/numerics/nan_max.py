"""The largest of many numbers, NaN where one of them is.

XLA's maximum on CPUs forgets NaN in large arrays and batches (jax 0.10.2: from some 1,000 numbers on), which would make
a lane that failed look like one that converged. Everything that decides by a maximum takes this one.
"""

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float


def nan_max(values: Float[Array, "..."], initial: float) -> Float[Array, ""]:
    """The largest of `values`, at least `initial`; NaN where any is NaN."""
    return jnp.where(jnp.any(jnp.isnan(values)), jnp.nan, jnp.max(values, initial=initial))
