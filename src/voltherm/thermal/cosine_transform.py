r"""Cosine transform in the plane of a layer with adiabatic sides, as dense matrix products.

    T(i) = sum_m c_m(i) That(m),  c_m(i) = sqrt((2 - [m = 0]) / N) cos(pi m (i + 1/2) / N)
    kappa_m = (2 / d)^2 sin^2(pi m / (2 N))

| symbol  | meaning                                                                             | unit |
|---------|-------------------------------------------------------------------------------------|------|
| c_m     | orthonormal eigenvector m of the second difference of N cells with adiabatic ends   | -    |
| kappa_m | its eigenvalue: k kappa_m T is the lateral heat loss of a cell per volume           | 1/m2 |
| d       | cell width                                                                          | m    |

Source: DCT-II, G. Strang, SIAM Review 41(1), 1999, table 1. Matrix products instead of a fast transform: for N up to
some hundred they are faster, and they differentiate and batch trivially. In single precision they are kept at full
precision on every device. Range: equal cells.
"""

import jax.numpy as jnp
import numpy as np
from jax.typing import DTypeLike
from jaxtyping import Array, Float


def transform_matrix(cells: int, dtype: DTypeLike) -> Float[Array, "mode cell"]:
    """Orthonormal matrix (mode, cell) of the transform; its transpose is the inverse."""
    mode, cell = np.arange(cells)[:, None], np.arange(cells)[None, :]
    matrix = np.sqrt(2.0 / cells) * np.cos(np.pi * mode * (cell + 0.5) / cells)
    matrix[0] = np.sqrt(1.0 / cells)
    return jnp.asarray(matrix, dtype)


def eigenvalues(cells: int, cell_width: Float[Array, ""]) -> Float[Array, " mode"]:
    """kappa_m [1/m2] of `cells` cells of `cell_width` [m]."""
    shape = (2.0 * np.sin(np.pi * np.arange(cells) / (2.0 * cells))) ** 2
    return jnp.asarray(shape, cell_width.dtype) / cell_width**2


def to_modes(field: Float[Array, "layer row column"]) -> Float[Array, "layer row column"]:
    """Mode amplitudes of a field."""
    _, rows, columns = field.shape
    over_columns = jnp.matmul(field, transform_matrix(columns, field.dtype).T, precision="highest")
    return jnp.einsum("mr,zrn->zmn", transform_matrix(rows, field.dtype), over_columns, precision="highest")


def from_modes(modes: Float[Array, "layer row column"]) -> Float[Array, "layer row column"]:
    """The field of mode amplitudes."""
    _, rows, columns = modes.shape
    over_columns = jnp.matmul(modes, transform_matrix(columns, modes.dtype), precision="highest")
    return jnp.einsum("mr,zmn->zrn", transform_matrix(rows, modes.dtype), over_columns, precision="highest")
