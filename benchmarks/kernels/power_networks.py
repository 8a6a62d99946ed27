"""Power networks of the benchmarks as MATPOWER arrays, and their scenarios.

Radial feeders: bus i hangs on one of the last ten buses of its feeder, chosen at random; one feeder per 500 buses, all
from the busbar 0. Loads are log-normal and scaled until the linearised branch flow (Baran and Wu, 1989)

    U_child = U_parent - (r P + x Q) / V_n^2

puts the lowest voltage at 0.95 p.u.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

FOLDER = Path(__file__).parent / "networks"

_NOMINAL_VOLTAGE = 10.0  # kV
_OHM_PER_KM = (0.206, 0.12)  # medium-voltage cable: resistance, reactance at 50 Hz
_NANOFARAD_PER_KM = 260.0
_LOWEST_VOLTAGE = 0.95  # p.u.
_POWER_FACTOR = 0.95
_BUSES_PER_FEEDER = 500
_NEAREST = 10
_LOAD_BUS, _SLACK_BUS = 1, 3
LOAD_FACTORS = (0.8, 1.2)


class Arrays(NamedTuple):
    """MATPOWER case arrays (MW, Mvar, kV, degrees, per unit on base_mva)."""

    base_mva: float
    bus: np.ndarray
    gen: np.ndarray
    branch: np.ndarray


def arrays(name: str) -> Arrays:
    """Arrays of a stored case, or of `radial<number of buses>`."""
    if name.startswith("radial"):
        return radial(int(name.removeprefix("radial")))
    with np.load(FOLDER / f"{name}.npz") as stored:
        return Arrays(float(stored["base_mva"]), stored["bus"], stored["gen"], stored["branch"])


def radial(size: int, seed: int = 1) -> Arrays:
    """Random radial feeders of `size` buses in all, the busbar included, on a base of 1 MVA."""
    generator = np.random.default_rng(seed)
    parent = _parents(size, generator)
    length = generator.uniform(0.1, 0.6, size - 1)  # km
    active = generator.lognormal(0.0, 0.6, size - 1)
    reactive = active * np.tan(np.arccos(_POWER_FACTOR))
    base_impedance = _NOMINAL_VOLTAGE**2  # ohm on 1 MVA
    resistance, reactance = (per_km * length / base_impedance for per_km in _OHM_PER_KM)
    susceptance = 2.0 * np.pi * 50.0 * _NANOFARAD_PER_KM * 1e-9 * length * base_impedance
    scale = (1.0 - _LOWEST_VOLTAGE) / _voltage_drop(parent, resistance, reactance, active, reactive).max()

    bus = np.zeros((size, 13))
    bus[:, 0] = np.arange(1, size + 1)
    bus[:, 1] = np.r_[_SLACK_BUS, np.full(size - 1, _LOAD_BUS)]
    bus[1:, 2], bus[1:, 3] = scale * active, scale * reactive
    bus[:, 6] = bus[:, 7] = bus[:, 10] = 1.0  # area, magnitude, zone
    bus[:, 9], bus[:, 11], bus[:, 12] = _NOMINAL_VOLTAGE, 1.1, 0.9
    gen = np.zeros((1, 10))
    gen[0, [0, 5, 6, 7]] = 1.0
    gen[0, [3, 4, 8, 9]] = 1e4, -1e4, 1e4, -1e4
    branch = np.zeros((size - 1, 13))
    branch[:, 0], branch[:, 1] = parent + 1, np.arange(2, size + 1)
    branch[:, 2], branch[:, 3], branch[:, 4] = resistance, reactance, susceptance
    branch[:, 10], branch[:, 11], branch[:, 12] = 1.0, -360.0, 360.0
    return Arrays(1.0, bus, gen, branch)


def _parents(size: int, generator: np.random.Generator) -> np.ndarray:
    """Bus towards the busbar of every bus but the busbar, (size - 1,)."""
    feeders = [[0] for _ in range(max(1, size // _BUSES_PER_FEEDER))]
    parent = np.zeros(size - 1, dtype=int)
    for bus in range(1, size):
        feeder = feeders[bus % len(feeders)]
        parent[bus - 1] = feeder[-1 - generator.integers(min(_NEAREST, len(feeder)))]
        feeder.append(bus)
    return parent


def _voltage_drop(
    parent: np.ndarray, resistance: np.ndarray, reactance: np.ndarray, active: np.ndarray, reactive: np.ndarray
) -> np.ndarray:
    """Drop from the busbar to every bus, (size,), p.u. on 1 MVA, without losses."""
    active_below, reactive_below = np.r_[0.0, active], np.r_[0.0, reactive]
    for bus in range(len(parent), 0, -1):
        active_below[parent[bus - 1]] += active_below[bus]
        reactive_below[parent[bus - 1]] += reactive_below[bus]
    drop = np.zeros(len(parent) + 1)
    for bus in range(1, len(parent) + 1):
        own = resistance[bus - 1] * active_below[bus] + reactance[bus - 1] * reactive_below[bus]
        drop[bus] = drop[parent[bus - 1]] + own
    return drop


class Scenarios(NamedTuple):
    """Loads of a batch: active and reactive (lane, bus) in MW and Mvar; `loaded` are the buses with one."""

    active: np.ndarray
    reactive: np.ndarray
    loaded: np.ndarray


def scenarios(network: Arrays, batch: int, seed: int = 0) -> Scenarios:
    """Every load times a factor of its own, the same for active and reactive power."""
    active, reactive = network.bus[:, 2], network.bus[:, 3]
    loaded = np.flatnonzero((active != 0.0) | (reactive != 0.0))
    factor = np.ones((batch, len(active)))
    factor[:, loaded] = np.random.default_rng(seed).uniform(*LOAD_FACTORS, (batch, len(loaded)))
    return Scenarios(factor * active, factor * reactive, loaded)
