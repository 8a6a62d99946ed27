"""A small orthotropic stack with a contact resistance for the tests of this folder."""

import jax.numpy as jnp
import numpy as np

from voltherm.thermal.stack import ConvectiveFace, LayeredStack


def stack(bottom: bool = True, dtype: type = float, outer_node_on_face: bool = False) -> LayeredStack:
    def numbers(values: object) -> jnp.ndarray:
        return jnp.asarray(values, dtype)

    return LayeredStack(
        columns=5,
        rows=4,
        width=numbers(0.01),
        depth=numbers(0.006),
        thickness=numbers([0.5e-3, 0.1e-3, 1.0e-3]),
        conductivity_x=numbers([120.0, 4.0, 390.0]),
        conductivity_y=numbers([100.0, 4.0, 390.0]),
        conductivity_z=numbers([80.0, 4.0, 390.0]),
        volumetric_heat_capacity=numbers([1.63e6, 4.0e6, 3.44e6]),
        contact_resistance=numbers([0.0, 5.0e-6]),
        bottom=ConvectiveFace(numbers(500.0), numbers(310.0)) if bottom else None,
        top=ConvectiveFace(numbers(2.0e4), numbers(300.0)),
        outer_node_on_face=outer_node_on_face,
    )


def power(dtype: type = float) -> jnp.ndarray:
    """Power [W] of every cell, uneven, in the first and the last layer."""
    cells = np.zeros((3, 4, 5))
    cells[0] = np.random.default_rng(3).uniform(0.5, 2.0, (4, 5))
    cells[2, 1, 2] = 3.0
    return jnp.asarray(cells, dtype)
