"""What the batching and differentiation rules promise beyond right numbers."""

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from voltherm_kernels import factor, solve, solve_factored

from tests.kernels.patterns import analysed, regular_values


def _primitives(function, *args) -> list[str]:
    """The kernel's primitives in a traced function, each with the shape of what it returns."""
    return [
        f"{equation.primitive.name.removeprefix('voltherm_')}{equation.outvars[0].aval.shape}"
        for equation in jax.make_jaxpr(function)(*args).jaxpr.eqns
        if equation.primitive.name.startswith("voltherm_")
    ]


def test_lanes_stay_innermost_under_nested_maps():
    schedule = analysed(5, 2, seed=1)
    values = jnp.ones((3, 4, schedule.entries, 2, 2))
    sides = jnp.ones((3, 4, 5, 2))
    found = _primitives(jax.vmap(jax.vmap(lambda v, r: solve(schedule, v, r))), values, sides)
    assert found == ["solve(5, 2, 12, 1)"]
    found = _primitives(
        jax.vmap(jax.vmap(lambda v, r: solve_factored(schedule, factor(schedule, v), r))), values, sides
    )
    assert found == [f"factor({schedule.slots}, 2, 2, 12)", "substitute(5, 2, 12, 1)"]


def test_right_hand_sides_alone_share_the_factors():
    schedule = analysed(5, 2, seed=2)
    factors = factor(schedule, regular_values(schedule, 3))
    found = _primitives(jax.vmap(lambda r: solve_factored(schedule, factors, r)), jnp.ones((7, 5, 2)))
    assert found == ["substitute(5, 2, 1, 7)"]


def test_gradient_costs_one_factorisation_and_one_more_substitution():
    schedule = analysed(5, 1, seed=4)
    values = jnp.asarray(regular_values(schedule, 5)[:, 0, 0])
    gradient = jax.grad(lambda v, r: jnp.sum(solve(schedule, v, r) ** 2), (0, 1))
    names = sorted(name.partition("(")[0] for name in _primitives(gradient, values, jnp.ones(5)))
    assert names == ["factor", "outer", "substitute", "substitute"]


def test_solve_is_linear_in_the_right_hand_side_without_factors():
    schedule = analysed(5, 2, seed=4)
    values, side = jnp.asarray(regular_values(schedule, 5)), jnp.cos(jnp.arange(10.0)).reshape(5, 2)
    transposed = jax.linear_transpose(lambda r: solve(schedule, values, r), side)
    assert _primitives(transposed, side) == ["solve(5, 2, 1, 1)"]
    np.testing.assert_allclose(transposed(side)[0], solve(schedule, values, side, transpose=True), rtol=1e-14)


def test_lanes_on_two_devices_exchange_nothing():
    schedule = analysed(5, 1, seed=6)
    values = jnp.stack([jnp.asarray(regular_values(schedule, seed)[:, 0, 0]) for seed in range(4)])
    sides = jnp.ones((4, 5))
    mapped = jax.jit(jax.vmap(jax.grad(lambda v, r: jnp.sum(solve(schedule, v, r) ** 2), (0, 1))))
    lanes = NamedSharding(Mesh(np.array(jax.devices()[:2]), ("lane",)), PartitionSpec("lane"))
    spread = jax.device_put((values, sides), lanes)
    program = mapped.lower(*spread).compile().as_text()
    assert not any(word in program for word in ("all-gather", "all-reduce", "all-to-all", "collective-permute"))
    for one, other in zip(mapped(*spread), mapped(values, sides), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-15)
