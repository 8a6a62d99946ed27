"""Checks that many tests of this folder share."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array


def check_gradient(
    function: Callable[[Array], Array], x: Array, step: float = 1.0e-5, tolerance: float = 1.0e-6
) -> None:
    """Reverse and forward mode of a scalar function of an array against a central difference along one direction."""
    direction = jnp.asarray(np.random.default_rng(1).uniform(0.5, 1.0, x.shape), x.dtype) * jnp.where(x == 0.0, 1.0, x)
    gradient = jax.jit(jax.grad(function))(x)
    forward = jax.jit(lambda x: jax.jvp(function, (x,), (direction,))[1])(x)
    difference = (function(x + step * direction) - function(x - step * direction)) / (2.0 * step)
    along = jnp.sum(gradient * direction)
    scale = jnp.maximum(jnp.abs(difference), 1.0e-9)
    assert jnp.abs(along - forward) <= 1.0e-10 * scale
    assert jnp.abs(along - difference) <= tolerance * scale
