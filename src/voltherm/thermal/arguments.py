"""Host checks of what a rack is made of and given: shapes with a sentence each, and numbers by element name.

Numbers inside a traced program have no value to check and pass; shapes are known there too.
"""

import jax
import numpy as np
from jaxtyping import Array, Float

from voltherm.numerics.bounds import is_known


def refuse_not_positive(what: str, **numbers: float | Float[Array, "..."]) -> None:
    """**Raises** `ValueError` naming the number that is not above zero, where it is not traced."""
    for name, value in numbers.items():
        if is_known(value) and np.any(np.asarray(value) <= 0.0):
            smallest = float(np.min(np.asarray(value)))
            raise ValueError(f"{what}: {name} is {smallest:.6g} and has to be above 0")


def refuse_shapes(name: str, numbers: object, allowed: dict[tuple[int, ...], str]) -> None:
    """**Raises** `ValueError` where an array of `numbers` has none of the shapes allowed (beside one number for all).

    **Arguments**: `name`: of the element; `allowed`: shapes and what each means.
    """
    for path, leaf in jax.tree_util.tree_leaves_with_path(numbers):
        shape = np.shape(leaf)
        if shape and shape not in allowed:
            meanings = " or ".join(f"{meaning} {list(each)}" for each, meaning in allowed.items())
            where = jax.tree_util.keystr(path).lstrip(".")
            raise ValueError(f"'{name}': {where} has the shape {list(shape)}; give one number, or {meanings}")


def refuse_flow_shape(mass_flow: Float[Array, "..."], trays: int) -> None:
    """**Raises** `ValueError` where mass flows are not one for each tray of a rack."""
    if np.shape(mass_flow) != (trays,):
        raise ValueError(
            f"tray_mass_flow has the shape {list(np.shape(mass_flow))}; a rack of {trays} trays needs [{trays}]"
        )
