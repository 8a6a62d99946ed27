"""Small networks that several test files solve."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from voltherm.power import Branches, Load, Network, PowerParameters, steady

BASE_POWER = 10e6

solve = eqx.filter_jit(steady)
"""Compiled once per topology; every test that needs no other transformation calls this."""


def branches(count: int, *, resistance=0.01, reactance=0.03, susceptance=0.0, dtype=jnp.float64) -> Branches:
    """`count` equal branches, rated 10 MVA."""
    one = jnp.ones(count, dtype)
    return Branches(
        resistance=resistance * one,
        reactance=reactance * one,
        conductance=0.0 * one,
        susceptance=susceptance * one,
        tap_ratio=one,
        phase_shift=0.0 * one,
        in_service=one,
        rating=10e6 * one,
    )


def network_of(
    edges: list[tuple[int, int]], count: int, slack=(0,), voltage_controlled=(), base_power: float = BASE_POWER
) -> Network:
    """Buses `b0`, `b1`, … at 13.8 kV with the given edges."""
    return Network.build(
        [f"b{index}" for index in range(count)],
        [13.8e3] * count,
        [(f"l{index}", f"b{first}", f"b{second}") for index, (first, second) in enumerate(edges)],
        [f"b{index}" for index in slack],
        [f"b{index}" for index in voltage_controlled],
        base_power=base_power,
    )


def ring(dtype=jnp.float64) -> tuple[Network, PowerParameters]:
    """Five buses: a ring of four with a spur, a mixed load at each, a voltage-controlled bus."""
    network = network_of([(0, 1), (1, 2), (2, 3), (3, 0), (2, 4)], 5, voltage_controlled=(3,))
    power = jnp.array([0.0, 2e6, 3e6, 1e6, 1.5e6], dtype)
    load = Load.from_fractions(power, 0.3 * power, 0.2, 0.3)
    parameters = PowerParameters.passive(network, branches(5, susceptance=0.004, dtype=dtype), load)
    return network, parameters


def two_bus(active: float, reactive: float, *, resistance=0.01, reactance=0.03) -> tuple[Network, PowerParameters]:
    """One branch from a stiff bus at 1 p.u. to a constant-power load [p.u. of the base]."""
    network = network_of([(0, 1)], 2)
    load = Load.from_fractions(BASE_POWER * jnp.array([0.0, active]), BASE_POWER * jnp.array([0.0, reactive]))
    return network, PowerParameters.passive(network, branches(1, resistance=resistance, reactance=reactance), load)


def two_bus_voltage(active: float, reactive: float, *, resistance=0.01, reactance=0.03) -> float:
    """Closed form of the same: the upper root of V^4 + (2 (R P + X Q) - 1) V^2 + Z^2 S^2 = 0."""
    half = 0.5 - (resistance * active + reactance * reactive)
    square = half + np.sqrt(half**2 - (resistance**2 + reactance**2) * (active**2 + reactive**2))
    return float(np.sqrt(square))
