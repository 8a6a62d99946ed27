import jax
import jax.numpy as jnp
import numpy as np

from tests.coolant.cases import DENSITY, NETWORK, VISCOSITY, loop_laws
from voltherm.coolant.global_gradient import Equations, scatter_free
from voltherm.coolant.network_root import find_root
from voltherm.numerics import ResultCode

BRANCHES, FREE = len(NETWORK.branches), len(NETWORK.free_index)


def _equations() -> Equations:
    density, viscosity = jnp.full(BRANCHES, DENSITY), jnp.full(BRANCHES, VISCOSITY)
    return Equations(NETWORK, loop_laws(), density, viscosity, jnp.zeros(BRANCHES), jnp.zeros(len(NETWORK.nodes)))


def _solve(start, maximum_iterations=50):
    return find_root(_equations(), start, jnp.asarray(10.0), tolerance=1e-10, maximum_iterations=maximum_iterations)


def test_the_solution_does_not_depend_on_the_start():
    near, far = (jax.jit(_solve)((jnp.full(BRANCHES, flow), jnp.full(FREE, 1e4))) for flow in (3.0, -40.0))
    assert near.status.result == far.status.result == ResultCode.CONVERGED
    np.testing.assert_allclose(near.value[0], far.value[0], atol=1e-7)


def test_too_few_iterations_are_said():
    solution = _solve((jnp.full(BRANCHES, 3.0), jnp.zeros(FREE)), maximum_iterations=1)
    assert solution.status.result == ResultCode.MAXIMUM_ITERATIONS
    assert solution.status.iterations == 1
    assert jnp.all(jnp.isnan(solution.value[0]))


def test_a_start_that_is_not_finite_is_said():
    solution = _solve((jnp.full(BRANCHES, jnp.nan), jnp.zeros(FREE)))
    assert solution.status.result == ResultCode.NOT_FINITE


def test_reference_nodes_stay_at_zero():
    scattered = scatter_free(NETWORK, jnp.arange(1.0, FREE + 1.0))
    np.testing.assert_array_equal(scattered[NETWORK.reference_index], 0.0)
    np.testing.assert_array_equal(scattered[NETWORK.free_index], jnp.arange(1.0, FREE + 1.0))
