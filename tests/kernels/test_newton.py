"""The primitive of fused iterations: lanes, shared operands, choice of implementation."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from voltherm_kernels import newton
from voltherm_kernels.dispatch import unavailable


@dataclass(frozen=True)
class SquareRoots:
    """x^2 = a, elementwise, and how large the residual b x^2 - b a was for a weight b."""

    def results(self, square, weight):
        return square, jax.ShapeDtypeStruct((), weight.dtype)

    def one_lane(self, square, weight):
        root = jnp.sqrt(square)
        return root, jnp.max(jnp.abs(weight * (root * root - square)))


@dataclass(frozen=True)
class Recorded(SquareRoots):
    """The same with a method of its own for CPUs, which marks what it has solved."""

    def native(self, square, weight):
        lanes = max(square.shape[-1], weight.shape[-1])
        return jnp.broadcast_to(-jnp.sqrt(square), (*square.shape[:-1], lanes)), jnp.zeros(lanes, weight.dtype)


SQUARES = jnp.arange(1.0, 7.0).reshape(3, 2)
WEIGHT = jnp.ones(1)


def _lane_counts(function, *args) -> list[list[int]]:
    """Lanes of the operands of every fused iteration in a traced function."""
    equations = jax.make_jaxpr(function)(*args).jaxpr.eqns
    return [
        [variable.aval.shape[-1] for variable in equation.invars]
        for equation in equations
        if equation.primitive.name == "voltherm_newton"
    ]


def test_results_have_every_lane_and_shared_operands_none():
    roots, residual = newton(SquareRoots(), (SQUARES, WEIGHT))
    np.testing.assert_allclose(roots, jnp.sqrt(SQUARES), rtol=1e-15)
    assert residual.shape == (2,)
    roots, residual = newton(SquareRoots(), (SQUARES[:, :1], WEIGHT))
    assert roots.shape == (3, 1)
    assert residual.shape == (1,)


@pytest.mark.parametrize("axes", [(0, None), (1, None), (-1, 0), (None, 0), (0, 0)])
def test_maps_add_lanes_in_order(axes):
    squares = SQUARES if axes[0] is None else jnp.stack([SQUARES, SQUARES + 7.0, SQUARES + 9.0], axis=axes[0])
    weights = WEIGHT if axes[1] is None else jnp.array([[1.0], [2.0], [3.0]])

    def solved(square, weight):
        return newton(SquareRoots(), (square, weight))

    roots, residuals = jax.jit(jax.vmap(solved, in_axes=axes))(squares, weights)
    for number in range(3):
        square = squares if axes[0] is None else jnp.take(squares, number, axes[0])
        expected = solved(square, weights if axes[1] is None else weights[number])
        np.testing.assert_array_equal(roots[number], expected[0])
        np.testing.assert_array_equal(residuals[number], expected[1])


def test_what_is_not_mapped_stays_one_lane_under_nested_maps():
    squares = jnp.ones((4, 5, 3, 1))
    nested = jax.vmap(jax.vmap(lambda square: newton(SquareRoots(), (square, WEIGHT))))
    assert _lane_counts(nested, squares) == [[20, 1]]
    assert nested(squares)[0].shape == (4, 5, 3, 1)


def test_mapped_over_what_had_one_lane_beside_what_has_several():
    weights = jnp.array([[1.0], [2.0], [3.0]])
    mapped = jax.vmap(lambda weight: newton(SquareRoots(), (SQUARES, weight)))
    assert _lane_counts(mapped, weights) == [[6, 6]]
    roots, _ = mapped(weights)
    for number in range(3):
        np.testing.assert_array_equal(roots[number], jnp.sqrt(SQUARES))


def test_an_implementation_of_the_problem_serves_its_platform():
    roots, _ = newton(Recorded(), (SQUARES, WEIGHT))
    sign = 1.0 if unavailable("native") else -1.0
    np.testing.assert_allclose(roots, sign * jnp.sqrt(SQUARES), rtol=1e-15)
    roots, _ = newton(Recorded(), (SQUARES, WEIGHT), implementation="xla")
    np.testing.assert_allclose(roots, jnp.sqrt(SQUARES), rtol=1e-15)


def test_what_cannot_run_is_refused():
    with pytest.raises(ValueError, match="no implementation 'gpu'"):
        newton(SquareRoots(), (SQUARES, WEIGHT), implementation="gpu")
    if not unavailable("native"):
        with pytest.raises(ValueError, match="SquareRoots has no implementation 'native'"):
            newton(SquareRoots(), (SQUARES, WEIGHT), implementation="native")
    with pytest.raises(ValueError, match=r"differ in the number of lanes: \[2, 3\]"):
        newton(SquareRoots(), (SQUARES, jnp.ones(3)))


def test_a_constant_problem_passes_through_differentiation_of_other_things():
    def value(number):
        root, _ = newton(SquareRoots(), (jax.lax.stop_gradient(SQUARES), WEIGHT))
        return number * jnp.sum(root)

    assert float(jax.grad(value)(2.0)) == pytest.approx(float(jnp.sum(jnp.sqrt(SQUARES))), rel=1e-15)


def test_no_lanes_at_all():
    for lanes in ((0,), (3, 0), (0, 3)):

        def mapped(square):
            return newton(Recorded(), (square, WEIGHT))

        for _ in lanes:
            mapped = jax.vmap(mapped)
        roots, residuals = jax.jit(mapped)(jnp.ones((*lanes, 3, 1)))
        assert roots.shape == (*lanes, 3, 1)
        assert residuals.shape == (*lanes, 1)
