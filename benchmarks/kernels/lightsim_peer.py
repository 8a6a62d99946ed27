"""The peer of power flow: lightsim2grid, Newton-Raphson with KLU, on two threads, warm from the solved base case."""

import warnings

import numpy as np

from benchmarks.kernels.interleaved import Elapsed, elapsed
from benchmarks.kernels.power_networks import Arrays, Scenarios

THREADS = 2
_MAXIMUM_ITERATIONS = 20


class Peer:
    """A batch in lightsim2grid's `InjectionSweepCPP`, built from the same arrays.

    **Raises**: `ImportError` where it is not installed.
    """

    name = "lightsim2grid"

    def __init__(self, arrays: Arrays, scenarios: Scenarios, tolerance: float, threads: int = THREADS):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # lines with a phase shift are taken as transformers, as they are by ours
            from lightsim2grid.lightsim2grid_cpp import AlgorithmType, InjectionSweepCPP
            from lightsim2grid.network.from_matpower import init

            case = arrays._asdict()
            grid = init({"baseMVA": case.pop("base_mva"), **case})
        loads = np.array([load.bus_id for load in grid.get_loads()])
        if not np.array_equal(loads, scenarios.loaded):
            raise RuntimeError("lightsim2grid has its loads in another order than the case")
        start = arrays.bus[:, 7] * np.exp(1j * np.deg2rad(arrays.bus[:, 8]))
        self._start = grid.ac_pf(start, _MAXIMUM_ITERATIONS, tolerance)
        if not len(self._start):
            raise RuntimeError("lightsim2grid does not solve the base case")
        self._sweep = InjectionSweepCPP(grid)
        self._sweep.change_algorithm(AlgorithmType.NR_KLU)
        self._sweep.nb_thread = threads
        self._sweep.modify_load_p(np.ascontiguousarray(scenarios.active[:, loads]))
        self._sweep.modify_load_q(np.ascontiguousarray(scenarios.reactive[:, loads]))
        self._tolerance = tolerance
        self.solve()  # establishes what later runs keep: orderings, first factors, threads' solvers

    def solve(self) -> Elapsed:
        """Solve the batch once."""
        return elapsed(lambda: self._sweep.compute(self._start, _MAXIMUM_ITERATIONS, self._tolerance))

    def result(self) -> np.ndarray:
        """Complex voltages (lane, bus), p.u.; zero in a lane that failed."""
        return np.asarray(self._sweep.get_voltages())

    def iterations(self) -> float:
        """Mean number of Newton iterations."""
        return float(np.mean(self._sweep.get_row_nb_iter()))

    def close(self) -> None:
        """Nothing to end."""
