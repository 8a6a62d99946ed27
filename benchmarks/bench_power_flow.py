"""AC power flow of the IEEE 118-bus case from its flat start, forward and with the gradient of its losses."""

from pathlib import Path

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from benchmarks.measurement import Measurement, timed
from voltherm.power import Network, PowerParameters, steady
from voltherm.power.matpower import from_arrays

_CASE = Path(__file__).parents[1] / "validation" / "power" / "case118" / "case118.npz"


def measure() -> list[Measurement]:
    """Compile once, then time warm solves."""
    with np.load(_CASE) as stored:
        network, parameters = from_arrays(float(stored["baseMVA"]), stored["bus"], stored["gen"], stored["branch"])[:2]

    def loss(parameters: PowerParameters, network: Network):
        solution = steady(network, parameters)
        return jnp.sum(solution.value.active_loss), solution.status

    forward = eqx.filter_jit(loss)
    backward = eqx.filter_jit(eqx.filter_value_and_grad(loss, has_aux=True))
    compiling = timed(lambda: forward(parameters, network), 1)
    timed(lambda: backward(parameters, network), 1)
    residual = float(forward(parameters, network)[1].residual)
    return [
        Measurement("case118, compile and first solve", compiling),
        Measurement("case118, solve", timed(lambda: forward(parameters, network), 50), residual),
        Measurement("case118, solve and gradient", timed(lambda: backward(parameters, network), 50), residual),
    ]
