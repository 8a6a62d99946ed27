import dataclasses

import jax
import jax.numpy as jnp
import pytest

from tests.thermal.checks import check_gradient
from voltherm import thermal
from voltherm.thermal.floor_plan import FloorPlan, block_means, power_map

SIZE = jnp.asarray(1.0)


def plan() -> FloorPlan:
    return FloorPlan(
        *(jnp.asarray(values) for values in ([0.0, 0.33], [0.1, 0.5], [0.5, 0.6], [0.4, 0.25], [3.0, 7.0]))
    )


def test_power_is_kept():
    cells = power_map(plan(), SIZE, SIZE, 7, 5)
    assert cells.shape == (7, 5)
    assert jnp.sum(cells) == pytest.approx(10.0, rel=1e-14)


def test_blocks_beyond_the_plane_are_refused_by_name():
    corner = FloorPlan(*(jnp.asarray([value]) for value in (0.75, 0.75, 0.5, 0.5, 100.0)), names=("core 1",))
    with pytest.raises(ValueError, match=r"'core 1' lies from 0.75 to 1.25 m along x, beyond a plane of 1 m"):
        power_map(corner, SIZE, SIZE, 4, 4)
    with pytest.raises(ValueError, match=r"along y, beyond a plane of 0.5 m"):
        block_means(plan(), jnp.ones((4, 4)), SIZE, 0.5)


def test_no_power_is_lost_where_numbers_are_traced():
    # a quarter of the block lies on the plane
    corner = FloorPlan(*(jnp.asarray([value]) for value in (0.75, 0.75, 0.5, 0.5, 100.0)))
    cells = jax.jit(power_map, static_argnums=(3, 4))(corner, SIZE, SIZE, 4, 4)
    assert jnp.sum(cells) == pytest.approx(100.0, rel=1e-14)
    assert cells[3, 3] == pytest.approx(100.0, rel=1e-14)
    outside = FloorPlan(*(jnp.asarray([value]) for value in (2.0, 0.0, 0.5, 0.5, 100.0)))
    assert jnp.all(jnp.isnan(jax.jit(power_map, static_argnums=(3, 4))(outside, SIZE, SIZE, 4, 4)))


def test_overlapping_blocks_are_refused_unless_they_are_meant():
    numbers = [jnp.asarray(values) for values in ([0.0, 0.4], [0.0, 0.4], [0.5, 0.5], [0.5, 0.5], [3.0, 7.0])]
    with pytest.raises(ValueError, match="block 1 and block 2 overlap: their powers would add up"):
        FloorPlan(*numbers)
    both = power_map(FloorPlan(*numbers, overlapping=True), SIZE, SIZE, 10, 10)
    assert jnp.sum(both) == pytest.approx(10.0, rel=1e-14)
    touching = [numbers[0].at[1].set(0.5), *numbers[1:]]
    assert FloorPlan(*touching).name(1) == "block 2"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"width": jnp.asarray([0.5, -0.6])}, "FloorPlan, entry 2: width is -0.6 m"),
        ({"power": jnp.asarray([3.0])}, "one number of each kind for every block; it has x of 2, .*power of 1"),
        ({"names": ("only one",)}, "a floor plan of 2 blocks has 1 names"),
    ],
)
def test_mistakes_are_refused(changed: dict, message: str):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(plan(), **changed)


def test_it_is_what_the_package_exports():
    assert thermal.power_map is power_map
    assert not hasattr(thermal, "package")


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
