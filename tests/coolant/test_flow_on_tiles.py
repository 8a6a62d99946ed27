"""The fused coolant iteration lowered for NVIDIA GPUs; what it computes is tested in test_network_root.py."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.coolant.test_network_root import BRANCHES, DENSITY, VISCOSITY, _laws, _random_network
from tests.kernels.exported import triton_calls, triton_code_sizes
from voltherm.coolant import AbstractBranchLaw, BranchGroup, Network, flow


def _flows(network: Network, laws: tuple[AbstractBranchLaw, ...], demand: jax.Array) -> jax.Array:
    return flow(
        network,
        laws,
        jnp.asarray(DENSITY, demand.dtype),
        jnp.asarray(VISCOSITY, demand.dtype),
        reference_pressure=jnp.asarray(1e5, demand.dtype),
        demand=demand,
    ).value.mass_flow


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", _laws())
def test_every_law_lowers(name: str, dtype: type):
    names = [str(number) for number in range(BRANCHES)]
    network = Network.build(["a", "b"], [BranchGroup(names, ["a"] * BRANCHES, ["b"] * BRANCHES)], "a")
    law = jax.tree.map(lambda leaf: leaf.astype(dtype) if isinstance(leaf, jax.Array) else leaf, _laws()[name])
    batch = jax.vmap(lambda demand: _flows(network, (law,), demand))
    assert triton_calls(batch, jnp.ones((40, 2), dtype)) == ["voltherm_coolant"]


def test_a_gradient_takes_one_step_more():
    network, laws = _random_network(1, 20, 3)
    gradient = jax.vmap(jax.grad(lambda demand: jnp.sum(_flows(network, laws, demand))))
    assert triton_calls(gradient, jnp.ones((64, 20))) == ["voltherm_coolant", "voltherm_coolant_step"]


def test_code_does_not_grow_with_the_network():
    def size(nodes: int) -> int:
        network, laws = _random_network(1, nodes, 1)
        (code,) = triton_code_sizes(jax.vmap(lambda demand: _flows(network, laws, demand)), jnp.ones((64, nodes)))
        return code

    # numbers of rows have a few digits more
    assert size(200) == pytest.approx(size(20), rel=0.01)
