"""Result codes, the sentences behind them, and what every solve returns.

Inside a traced program a failure is an integer, so that one lane of a batch can fail and the others carry on. At the
surface `sentence` turns the integer into English that names the element and says what to try.
"""

import enum

import equinox as eqx
import jax.numpy as jnp
from jax import Array
from jaxtyping import Bool, Float, Int, PyTree


class ResultCode(enum.IntEnum):
    """How a solve ended.

    Everything but `CONVERGED` comes with NaN values and zero gradients, for what fails alone where a solve says so, as
    `NOT_SUPPLIED` does for what no source reaches.
    """

    CONVERGED = 0
    MAXIMUM_ITERATIONS = 1
    NOT_FINITE = 2
    SINGULAR = 3
    OUT_OF_RANGE = 4
    LIMIT = 5
    NO_DESCENT = 6
    INOPERABLE = 7
    NOT_SUPPLIED = 8


_SENTENCES = {
    ResultCode.CONVERGED: "The solve converged.",
    ResultCode.MAXIMUM_ITERATIONS: (
        "The solve did not converge within its iterations; the largest residual is at {element}. "
        "Check that the demands on it can be met at all, then allow more iterations."
    ),
    ResultCode.NOT_FINITE: (
        "A value that is not finite appeared at {element}. Check its inputs for zeros, negative sizes and values "
        "outside the range of a correlation."
    ),
    ResultCode.SINGULAR: (
        "The equations have no unique solution; elimination failed at {element}. Check that every part is connected to "
        "a reference and that no two components fix the same quantity."
    ),
    ResultCode.OUT_OF_RANGE: (
        "The solution at {element} lies outside the range of a physical model. Check its inputs, or move the operating "
        "point back into the range."
    ),
    ResultCode.LIMIT: (
        "The limit of {element} is exceeded in every solution. Raise the limit or lower the demand on it."
    ),
    ResultCode.NO_DESCENT: (
        "No step reduces the residual any further; the largest is at {element}. Its demand probably cannot be met: "
        "lower it, or start from a solution of an easier case."
    ),
    ResultCode.INOPERABLE: (
        "The equations are met, but in a state that nothing operates in: between it and the unloaded system lies a "
        "collapse. The lowest voltage is at {element}. Start from a state nearer to operation, or lower the demand."
    ),
    ResultCode.NOT_SUPPLIED: (
        "No source reaches {element} and what is connected to it alone; the rest is solved. Close a branch to it, or "
        "take it out."
    ),
}


def sentence(code: int | ResultCode, element: str = "") -> str:
    """English for a result code. `element` is the user's name of the worst element; empty if there is none."""
    return _SENTENCES[ResultCode(int(code))].format(element=element or "an element that has no name")


class Status(eqx.Module):
    """How a solve ended, one entry per lane.

    - `result`: a `ResultCode`.
    - `residual`: largest scaled residual, dimensionless.
    - `iterations`: iterations taken.
    - `worst`: flat index of the largest scaled residual.
    """

    result: Int[Array, "..."]
    residual: Float[Array, "..."]
    iterations: Int[Array, "..."]
    worst: Int[Array, "..."]

    @property
    def converged(self) -> Bool[Array, "..."]:
        """True where the result is `CONVERGED`."""
        return self.result == ResultCode.CONVERGED.value


def worst_index(magnitude: Float[Array, " unknown"]) -> Int[Array, ""]:
    """Index of the largest magnitude; one that is not finite counts as the largest."""
    if not magnitude.size:
        return jnp.zeros((), jnp.int32)
    return jnp.argmax(jnp.where(jnp.isfinite(magnitude), magnitude, jnp.inf)).astype(jnp.int32)


class Solution(eqx.Module):
    """A solved state and how it was reached. `value` is NaN where `status` says the solve failed,
    unless the solve says what it keeps."""

    value: PyTree
    status: Status
