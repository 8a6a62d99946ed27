import jax
import jax.numpy as jnp
import pytest

from tests.thermal.checks import check_gradient
from voltherm.thermal.power_map import FloorPlan, block_means, power_map

SIZE = jnp.asarray(1.0)


def plan() -> FloorPlan:
    return FloorPlan(
        *(jnp.asarray(values) for values in ([0.0, 0.33], [0.1, 0.5], [0.5, 0.6], [0.4, 0.25], [3.0, 7.0]))
    )


def test_power_is_kept():
    cells = power_map(plan(), SIZE, SIZE, 7, 5)
    assert cells.shape == (7, 5)
    assert jnp.sum(cells) == pytest.approx(10.0, rel=1e-14)


def test_row_zero_is_y_zero():
    one = FloorPlan(*(jnp.asarray([value]) for value in (0.0, 0.0, 1.0, 0.5, 4.0)))
    assert jnp.all(power_map(one, SIZE, SIZE, 2, 2) == jnp.asarray([[2.0, 2.0], [0.0, 0.0]]))


def test_mean_of_a_uniform_and_a_linear_field():
    columns = (jnp.arange(50.0) + 0.5) / 50.0
    field = jnp.broadcast_to(columns[None, :], (40, 50))
    assert jnp.max(jnp.abs(block_means(plan(), jnp.ones((40, 50)), SIZE, SIZE) - 1.0)) < 1e-14
    assert jnp.max(jnp.abs(block_means(plan(), field, SIZE, SIZE) - jnp.asarray([0.25, 0.63]))) < 1e-3


def test_gradient_in_position():
    weights = jnp.arange(35.0).reshape(7, 5)

    def moved(x):
        blocks = plan()
        return jnp.sum(
            weights * power_map(FloorPlan(x, blocks.y, blocks.width, blocks.depth, blocks.power), SIZE, SIZE, 7, 5)
        )

    check_gradient(moved, jnp.asarray([0.07, 0.33]))
    assert jnp.all(jnp.isfinite(jax.grad(moved)(jnp.asarray([0.0, 0.2]))))
