"""A cheap sweep in a folder, as a process of its own that a test can kill: python resumable.py FOLDER PAUSE."""

import sys
import time

import jax
import jax.numpy as jnp

from voltherm.formats.sweep_store import SweepFolder
from voltherm.study.design import DesignVariables, sample
from voltherm.study.sweep import run

VARIABLES = DesignVariables.build({"loop.supply_temperature": (300.0, 320.0), "loop.diameter": (0.1, 0.4)})


def function(values, arguments):
    """Smooth outputs, and a failure in one corner of the ranges."""
    temperature, diameter = values
    power = jnp.exp((temperature - 300.0) / 7.0) / diameter**5
    return {"power": power, "margin": jnp.sin(temperature) - diameter}, jnp.where(diameter > 0.39, 1, 0)


def main(folder: str, pause: float) -> None:
    """Sweep, resuming what is there; prints a line before the first chunk and the numbers of chunks at the end."""
    points = sample(VARIABLES, designs=1000, seed=3)
    print("ready", flush=True)
    done = run(
        function,
        None,
        VARIABLES,
        points,
        case="resumable",
        chunk=16,
        store=SweepFolder(folder),
        resume=True,
        columns={"power": ("W", "power")},
        progress=lambda _: time.sleep(pause),
    )
    print(done.reused, done.computed, flush=True)


if __name__ == "__main__":
    jax.config.update("jax_enable_x64", True)
    main(sys.argv[1], float(sys.argv[2]))
