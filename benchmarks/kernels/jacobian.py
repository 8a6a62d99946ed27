"""Power-flow Jacobians of a case as blocks, in NumPy: what two sparse solvers are given to solve.

    dS/dtheta = j V (conj(I) - conj(Y V))    dS/du = V (conj(I) + conj(Y V)),    u = ln |V|        (element by element)

Polar form, 2 x 2 blocks (P, Q) x (theta, u); a slack bus has two identity rows, a voltage-controlled bus one. Source:
MATPOWER User's Manual, chapter 3.
"""

from typing import NamedTuple

import numpy as np

from benchmarks.kernels.power_networks import Arrays

_LOAD_BUS, _SLACK_BUS = 1, 3


class Blocks(NamedTuple):
    """rows, columns (entry,) and values (lane, entry, 2, 2): the diagonal, then every branch from-to and to-from."""

    rows: np.ndarray
    columns: np.ndarray
    values: np.ndarray


def voltages(arrays: Arrays, lanes: int, seed: int = 0) -> np.ndarray:
    """Complex voltages (lane, bus): the stored ones, each magnitude and angle off by up to one hundredth."""
    off = np.random.default_rng(seed).uniform(-0.01, 0.01, (2, lanes, len(arrays.bus)))
    return arrays.bus[:, 7] * (1.0 + off[0]) * np.exp(1j * (np.deg2rad(arrays.bus[:, 8]) + off[1]))


def jacobians(arrays: Arrays, voltage: np.ndarray) -> Blocks:
    """Jacobians at complex voltages (lane, bus)."""
    bus, branch = arrays.bus, arrays.branch[arrays.branch[:, 10] > 0]
    size = len(bus)
    number = {int(name): index for index, name in enumerate(bus[:, 0])}
    start, end = (np.array([number[int(name)] for name in branch[:, column]]) for column in (0, 1))
    series = 1.0 / (branch[:, 2] + 1j * branch[:, 3])
    own = series + 0.5j * branch[:, 4]
    tap = np.where(branch[:, 8] == 0.0, 1.0, branch[:, 8]) * np.exp(1j * np.deg2rad(branch[:, 9]))
    shunt = (bus[:, 4] + 1j * bus[:, 5]) / arrays.base_mva

    forward = voltage[:, start] * np.conj(-series / np.conj(tap) * voltage[:, end])
    backward = voltage[:, end] * np.conj(-series / tap * voltage[:, start])
    diagonal = np.conj(shunt) * np.abs(voltage) ** 2
    lane = np.arange(len(voltage))[:, None]
    np.add.at(diagonal, (lane, start), np.conj(own / np.abs(tap) ** 2) * np.abs(voltage[:, start]) ** 2)
    np.add.at(diagonal, (lane, end), np.conj(own) * np.abs(voltage[:, end]) ** 2)
    injected = diagonal.copy()
    np.add.at(injected, (lane, start), forward)
    np.add.at(injected, (lane, end), backward)

    by_angle = np.concatenate([1j * (injected - diagonal), -1j * forward, -1j * backward], axis=1)
    by_logarithm = np.concatenate([injected + diagonal, forward, backward], axis=1)
    values = np.stack([by_angle, by_logarithm], axis=-1)
    values = np.stack([values.real, values.imag], axis=-2)
    rows = np.r_[np.arange(size), start, end]
    columns = np.r_[np.arange(size), end, start]
    given = np.stack([bus[:, 1] == _SLACK_BUS, bus[:, 1] != _LOAD_BUS], axis=-1)[rows]  # angle, magnitude
    identity = np.where((rows == columns)[:, None, None], np.eye(2), 0.0)
    return Blocks(rows, columns, np.where(given[:, :, None], identity, values))
