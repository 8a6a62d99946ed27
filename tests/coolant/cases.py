"""A small closed loop and checks that many tests of this folder share."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from voltherm.coolant import (
    AbstractBranchLaw,
    BranchGroup,
    ControlValve,
    Network,
    NetworkState,
    Pipe,
    PressureControlledPump,
    PumpCurve,
    QuadraticLoss,
    flow,
)
from voltherm.numerics import Solution

RACKS = 3
DENSITY, VISCOSITY = 1000.0, 7.0e-4


def loop_network(racks: int = RACKS) -> Network:
    """Pump, supply and return headers, one rack branch of a valve and a plate a header node, and a dead leg."""
    supply, back = [f"S{i}" for i in range(racks + 1)], [f"R{i}" for i in range(racks + 1)]
    return Network.build(
        [*supply, *back, *(f"M{i}" for i in range(racks)), "dead end"],
        [
            BranchGroup(["pump"], ["R0"], ["S0"]),
            BranchGroup(
                [*(f"supply {i}" for i in range(racks)), *(f"return {i}" for i in range(racks)), "dead leg"],
                [*supply[:-1], *back[1:], supply[-1]],
                [*supply[1:], *back[:-1], "dead end"],
            ),
            BranchGroup([f"valve {i}" for i in range(racks)], supply[1:], [f"M{i}" for i in range(racks)]),
            BranchGroup([f"plate {i}" for i in range(racks)], [f"M{i}" for i in range(racks)], back[1:]),
        ],
        "R0",
    )


NETWORK = loop_network()


def pump(set_point: float | Array = 1.0e5, minimum_speed: float = 0.3) -> PressureControlledPump:
    """A pump of 10 kg/s at 200 kPa that holds a differential pressure."""
    one = jnp.ones(1)
    curve = PumpCurve.through_duty_point(2.5e5 * one, 10.0 * one, 2.0e5 * one, DENSITY * one)
    return PressureControlledPump(
        jnp.asarray(set_point) * one,
        curve,
        one,
        minimum_speed * one,
        internal_loss=QuadraticLoss(10.0 * one, 3.0e4 * one),
    )


def loop_laws(
    set_point: float | Array = 1.0e5,
    opening: Array | None = None,
    diameter: float | Array = 0.06,
) -> tuple[AbstractBranchLaw, ...]:
    """Laws of `NETWORK`."""
    pipes = jnp.ones(2 * RACKS + 1)
    racks = jnp.ones(RACKS)
    opening = racks if opening is None else opening
    return (
        pump(set_point),
        Pipe(1.2 * pipes, diameter * pipes, 4.5e-5 * pipes, 0.5 * pipes),
        ControlValve(12.0 * racks, opening),
        QuadraticLoss(2.0 * racks, 5.0e4 * racks, exponent=1.85),
    )


def solve_loop(laws: tuple[AbstractBranchLaw, ...], initial: NetworkState | None = None, **options) -> Solution:
    """Flow of `NETWORK` at constant properties, 300 kPa at the return."""
    given = {"reference_pressure": jnp.asarray(3.0e5), **options}
    return flow(NETWORK, laws, jnp.asarray(DENSITY), jnp.asarray(VISCOSITY), initial=initial, **given)


def check_gradient(
    function: Callable[[Array], Array], x: Array, step: float = 1.0e-5, tolerance: float = 1.0e-6
) -> None:
    """Reverse and forward mode of a scalar function of an array against a central difference along one direction."""
    direction = jnp.asarray(np.random.default_rng(1).uniform(0.5, 1.0, x.shape), x.dtype) * jnp.where(x == 0.0, 1.0, x)
    function = jax.jit(function)
    gradient = jax.jit(jax.grad(function))(x)
    forward = jax.jit(lambda x: jax.jvp(function, (x,), (direction,))[1])(x)
    difference = (function(x + step * direction) - function(x - step * direction)) / (2.0 * step)
    along = jnp.sum(gradient * direction)
    scale = jnp.maximum(jnp.abs(difference), 1.0e-9)
    assert jnp.abs(along - forward) <= 1.0e-9 * scale
    assert jnp.abs(along - difference) <= tolerance * scale
