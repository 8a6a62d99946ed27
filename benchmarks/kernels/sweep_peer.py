"""What one writes by hand for a radial feeder: backward-forward sweeps in numba, scenarios over two threads.

    backward   I_i = conj(S_i / V_i) + y_i V_i + sum of the children's I
    forward    V_i = V_parent - z_i I_i

with half of each line's charging in y at both ends (Shirmohammadi et al., IEEE Trans. Power Systems 3 (1988) 753). A
scenario is done when no bus misses its power by more than the tolerance.
"""

from collections.abc import Callable

import numpy as np

from benchmarks.kernels.interleaved import Elapsed, elapsed
from benchmarks.kernels.power_networks import Arrays, Scenarios

_MAXIMUM_SWEEPS = 100


def _compiled() -> Callable[..., None]:
    import numba

    @numba.njit(parallel=True, fastmath=True)
    def solve(parent, impedance, shunt, load, start, tolerance, voltage, sweeps):  # pragma: no cover - compiled
        lanes, size = load.shape
        for lane in numba.prange(lanes):
            volt, power = start.copy(), load[lane]
            current = np.empty(size, np.complex128)
            sweep = 0
            while sweep < _MAXIMUM_SWEEPS:
                worst = 0.0
                for bus in range(size):
                    drawn = np.conj(power[bus] / volt[bus])
                    # what the last voltages would draw of the last currents: the mismatch of the sweep before
                    if sweep > 0 and bus > 0:
                        worst = max(worst, abs(volt[bus] * np.conj(drawn - current[bus])))
                    current[bus] = drawn
                if sweep > 0 and worst <= tolerance:
                    break
                sweep += 1
                flow = current + shunt * volt
                for bus in range(size - 1, 0, -1):
                    flow[parent[bus]] += flow[bus]
                for bus in range(1, size):
                    volt[bus] = volt[parent[bus]] - impedance[bus] * flow[bus]
            voltage[lane] = volt
            sweeps[lane] = sweep

    return solve


class Peer:
    """A batch of scenarios of a radial network whose buses come after their parents.

    **Raises**: `ImportError` where numba is not installed.
    """

    name = "numba sweeps"

    def __init__(self, arrays: Arrays, scenarios: Scenarios, tolerance: float, threads: int = 2):
        self._solve = _compiled()
        import numba

        numba.set_num_threads(threads)
        bus, branch = arrays.bus, arrays.branch
        size = len(bus)
        parent = np.r_[0, branch[:, 0].astype(int) - 1]
        charging = np.zeros(size, complex)
        for end in (branch[:, 0], branch[:, 1]):
            np.add.at(charging, end.astype(int) - 1, 0.5j * branch[:, 4])
        load = (scenarios.active + 1j * scenarios.reactive) / arrays.base_mva
        self._voltage = np.ones((len(load), size), complex)
        self._sweeps = np.zeros(len(load), int)
        impedance = np.r_[0.0, branch[:, 2] + 1j * branch[:, 3]]
        nominal = (bus[:, 2] + 1j * bus[:, 3])[None] / arrays.base_mva
        start, once = np.ones((1, size), complex), np.zeros(1, int)
        self._solve(parent, impedance, charging, nominal, start[0].copy(), tolerance, start, once)
        self._given = (parent, impedance, charging, load, start[0], tolerance)

    def solve(self) -> Elapsed:
        """Solve the batch once, from the base case."""
        return elapsed(lambda: self._solve(*self._given, self._voltage, self._sweeps))

    def result(self) -> np.ndarray:
        """Complex voltages (lane, bus), p.u."""
        return self._voltage

    def close(self) -> None:
        """Nothing to end."""
