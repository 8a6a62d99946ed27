"""One function over many lanes: as a batch where the device is wide, one after another where it is not.

A batch waits in every loop for its slowest lane, which a GPU hides behind its width. On a CPU a lane of a whole site
already fills the vector units, and one after another takes about half the time of a batch.
"""

from collections.abc import Callable

import jax
from jaxtyping import PyTree


def over_lanes(function: Callable[..., PyTree], *lanes: PyTree, together: bool | None = None) -> PyTree:
    """`function` over the leading axis of every argument, the results stacked along a leading axis.

    `together`: as one batch; by default where the default device is no CPU. Both ways differentiate and nest.
    """
    batched = jax.default_backend() != "cpu" if together is None else together
    if batched:
        return jax.vmap(function)(*lanes)
    return jax.lax.map(lambda one: function(*one), lanes)
