import jax.numpy as jnp
import numpy as np

from voltherm.thermal.cosine_transform import eigenvalues, from_modes, to_modes, transform_matrix


def test_matrix_is_orthonormal():
    matrix = transform_matrix(7, jnp.float64)
    assert jnp.max(jnp.abs(matrix @ matrix.T - jnp.eye(7))) < 1e-14


def test_inverse():
    field = jnp.asarray(np.random.default_rng(0).normal(size=(2, 3, 5)))
    assert jnp.max(jnp.abs(from_modes(to_modes(field)) - field)) < 1e-14


def test_diagonalises_the_second_difference():
    cells, width = 6, 0.1
    difference = np.zeros((cells, cells))
    for cell in range(cells - 1):
        difference[cell : cell + 2, cell : cell + 2] += np.array([[1.0, -1.0], [-1.0, 1.0]]) / width**2
    matrix = np.asarray(transform_matrix(cells, jnp.float64))
    diagonal = matrix @ difference @ matrix.T
    assert np.max(np.abs(diagonal - np.diag(eigenvalues(cells, jnp.asarray(width))))) < 1e-11


def test_one_cell():
    field = jnp.full((3, 1, 1), 2.0)
    assert jnp.all(to_modes(field) == field)
    assert eigenvalues(1, jnp.asarray(1.0)) == 0.0
