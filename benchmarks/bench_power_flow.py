"""AC power flow of the IEEE 118-bus case from its flat start, forward and with the gradient of its losses."""

from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.measurement import Measurement, parser, present, timed
from voltherm.power import Network, PowerParameters, steady
from voltherm.power.matpower import from_arrays

_CASE = Path(__file__).parents[1] / "validation" / "power" / "case118" / "case118.npz"


def measure(repetitions: int = 50) -> list[Measurement]:
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
    seen = {"residual": f"{float(forward(parameters, network)[1].residual):.1e}"}
    return [
        Measurement("case118, compile and first solve", compiling),
        Measurement("case118, solve", timed(lambda: forward(parameters, network), repetitions), details=seen),
        Measurement("case118, and gradient", timed(lambda: backward(parameters, network), repetitions), details=seen),
    ]


def main(arguments: list[str] | None = None) -> None:
    """Measure, print, write."""
    options = parser("power_flow", __doc__)
    options.add_argument("--repetitions", type=int, default=50)
    chosen = options.parse_args(arguments)
    jax.config.update("jax_enable_x64", True)
    present("power_flow", measure(chosen.repetitions), chosen.out)


if __name__ == "__main__":
    main()
