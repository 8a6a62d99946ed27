"""A second peer of radial feeders: power-grid-model, Newton-Raphson on two threads, from its own flat start."""

import numpy as np

from benchmarks.kernels.interleaved import Elapsed, elapsed
from benchmarks.kernels.power_networks import Arrays, Scenarios


class Peer:
    """A batch in power-grid-model, built from the arrays of a network of lines with one source and loads.

    Its tolerance is the last change of a voltage, p.u. **Raises**: `ImportError` where it is not installed.
    """

    name = "power-grid-model"

    def __init__(self, arrays: Arrays, scenarios: Scenarios, tolerance: float, threads: int = 2):
        import power_grid_model as grid
        from power_grid_model import initialize_array

        bus, branch = arrays.bus, arrays.branch
        size, loads = len(bus), scenarios.loaded
        impedance = bus[0, 9] ** 2 / arrays.base_mva
        node = initialize_array("input", "node", size)
        node["id"], node["u_rated"] = np.arange(size), 1e3 * bus[:, 9]
        line = initialize_array("input", "line", len(branch))
        line["id"] = size + np.arange(len(branch))
        line["from_node"], line["to_node"] = branch[:, 0] - 1, branch[:, 1] - 1
        line["from_status"] = line["to_status"] = 1
        line["r1"], line["x1"] = impedance * branch[:, 2], impedance * branch[:, 3]
        line["c1"], line["tan1"], line["i_n"] = branch[:, 4] / impedance / (2.0 * np.pi * 50.0), 0.0, 1e3
        load = initialize_array("input", "sym_load", len(loads))
        load["id"] = 2 * size + np.arange(len(loads))
        load["node"], load["status"], load["type"] = loads, 1, 0
        load["p_specified"], load["q_specified"] = 1e6 * bus[loads, 2], 1e6 * bus[loads, 3]
        source = initialize_array("input", "source", 1)
        source["id"], source["node"], source["status"], source["u_ref"] = 3 * size, 0, 1, 1.0
        source["sk"], source["rx_ratio"] = 1e15, 0.1  # as good as no impedance
        self._model = grid.PowerGridModel({"node": node, "line": line, "sym_load": load, "source": source})
        update = initialize_array("update", "sym_load", (len(scenarios.active), len(loads)))
        update["id"] = load["id"]
        update["p_specified"] = 1e6 * scenarios.active[:, loads]
        update["q_specified"] = 1e6 * scenarios.reactive[:, loads]
        self._options = {
            "update_data": {"sym_load": update},
            "threading": threads,
            "error_tolerance": tolerance,
            "calculation_method": grid.CalculationMethod.newton_raphson,
            "output_component_types": {"node": ["u_pu", "u_angle"]},
        }

    def solve(self) -> Elapsed:
        """Solve the batch once."""

        def run() -> None:
            self._answer = self._model.calculate_power_flow(**self._options)["node"]

        return elapsed(run)

    def result(self) -> np.ndarray:
        """Complex voltages (lane, bus), p.u."""
        return self._answer["u_pu"] * np.exp(1j * self._answer["u_angle"])

    def close(self) -> None:
        """Nothing to end."""
