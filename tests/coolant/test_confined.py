"""Laws without a compiled form, confined to their branches: against the plain iteration, and told in the log."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.coolant.test_network_root import DENSITY, VISCOSITY, _Cubic, _random_network, fused
from voltherm.coolant import Series, flow
from voltherm.coolant.network_root import NetworkIteration
from voltherm.numerics import ResultCode


@fused
def test_an_unknown_law_is_confined_to_its_branches_and_told(
    implementation: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    """Alone in a group and within a series, against the plain iteration: answers, gradients, second derivatives."""
    network, laws = _random_network(4, 14, 1)
    count = len(network.groups[2].names)
    stiffness = jnp.linspace(1e3, 1e5, count)
    random = np.random.default_rng(4)
    demand = jnp.asarray(random.uniform(-0.3, 0.3, (5, 14)))

    def solve(demand, stiffness, implementation):
        mixed = (*laws[:2], _Cubic(stiffness), Series((laws[3], _Cubic(stiffness))), *laws[4:])
        return flow(
            network,
            mixed,
            jnp.asarray(DENSITY),
            jnp.asarray(VISCOSITY),
            reference_pressure=jnp.asarray(2e5),
            demand=demand,
            implementation=implementation,
            tolerance=1e-12,
        )

    taken = []
    originals = {name: getattr(NetworkIteration, name) for name in ("compiled", "on_tiles")}
    for name, original in originals.items():
        monkeypatch.setattr(
            NetworkIteration,
            name,
            lambda self, *args, original=original, name=name: (taken.append(name), original(self, *args))[1],
        )
    run = {
        name: jax.jit(jax.vmap(functools.partial(solve, implementation=name), in_axes=(0, None)))
        for name in ("xla", implementation)
    }
    plain = run["xla"](demand, stiffness)
    assert not taken
    confined = run[implementation](demand, stiffness)
    assert taken
    assert "_Cubic has no compiled form, so its part is done in plain JAX: branches 'loss 0', 'loss 1'" in caplog.text
    assert np.all(np.asarray(confined.status.result) == ResultCode.CONVERGED)
    np.testing.assert_allclose(confined.value.mass_flow, plain.value.mass_flow, atol=1e-9)
    np.testing.assert_allclose(confined.value.pressure, plain.value.pressure, rtol=1e-9)

    def first(scale, implementation):
        return solve(demand[0], stiffness * scale, implementation).value.mass_flow[0]

    for transform in (jax.grad, lambda function: jax.grad(jax.grad(function))):
        expected, found = (
            jax.jit(transform(functools.partial(first, implementation=name)))(jnp.asarray(1.0)) for name in run
        )
        np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_a_lane_that_fails_beside_a_confined_law_is_alone():
    network, laws = _random_network(4, 14, 1)
    mixed = (*laws[:2], _Cubic(jnp.full(len(network.groups[2].names), 1e4)), *laws[3:])

    def solve(demand):
        options = {"reference_pressure": jnp.asarray(2e5), "demand": demand}
        return flow(network, mixed, jnp.asarray(DENSITY), jnp.asarray(VISCOSITY), **options)

    demand = jnp.zeros((3, 14)).at[1, 3].set(jnp.nan)
    solution = jax.jit(jax.vmap(solve))(demand)
    assert solution.status.result.tolist() == [ResultCode.CONVERGED, ResultCode.NOT_FINITE, ResultCode.CONVERGED]
    assert jnp.all(jnp.isnan(solution.value.mass_flow[1]))
    np.testing.assert_array_equal(solution.value.mass_flow[0], solution.value.mass_flow[2])
