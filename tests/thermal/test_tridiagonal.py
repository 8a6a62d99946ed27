import jax
import jax.numpy as jnp
import numpy as np

from tests.thermal.checks import check_gradient
from voltherm.thermal.tridiagonal import solve_tridiagonal


def system() -> tuple[jax.Array, jax.Array, jax.Array]:
    generator = np.random.default_rng(0)
    coupling = jnp.asarray(generator.uniform(0.5, 1.0, 4))
    return jnp.asarray(generator.uniform(3.0, 4.0, (5, 2, 3))), coupling, jnp.asarray(generator.normal(size=(5, 2, 3)))


def test_against_dense():
    diagonal, coupling, right = system()
    x = solve_tridiagonal(diagonal, coupling, right)
    for row in range(2):
        for column in range(3):
            dense = np.diag(diagonal[:, row, column]) - np.diag(coupling, 1) - np.diag(coupling, -1)
            assert np.max(np.abs(dense @ np.asarray(x[:, row, column]) - right[:, row, column])) < 1e-14


def test_one_layer():
    diagonal, _, right = system()
    assert jnp.all(solve_tridiagonal(diagonal[:1], jnp.zeros((0,)), right[:1]) == right[:1] / diagonal[:1])


def test_gradients():
    diagonal, coupling, right = system()

    def norm(numbers):
        return jnp.sum(solve_tridiagonal(numbers[0] * diagonal, numbers[1] * coupling, numbers[2] * right) ** 2)

    check_gradient(norm, jnp.ones((3,)))


def test_batch_and_second_derivative():
    diagonal, coupling, right = system()

    def norm(scale):
        return jnp.sum(solve_tridiagonal(scale * diagonal, coupling, right) ** 2)

    scales = jnp.asarray([1.0, 1.5])
    curvature = jax.jit(jax.vmap(jax.grad(jax.grad(norm))))(scales)
    step = 1e-5
    difference = (jax.vmap(jax.grad(norm))(scales + step) - jax.vmap(jax.grad(norm))(scales - step)) / (2 * step)
    assert jnp.max(jnp.abs(curvature / difference - 1.0)) < 1e-7
