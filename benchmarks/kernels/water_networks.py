"""Water networks of the benchmarks, one description for both sides, and their scenarios.

Closed loops: one pump, a direct-return pair of headers whose diameter follows the flow that is left at 2 m/s, and equal
racks between them (6 m of 40 mm pipe, K = 80, 2 L/s). Net3: the EPA's example with Darcy-Weisbach friction at 0 h,
tanks as fixed heads; the same data that `validation/coolant/epanet_net3_darcy_weisbach` holds the package against.
"""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np

_NET3 = Path(__file__).parents[2] / "validation" / "coolant" / "epanet_net3_darcy_weisbach" / "epanet_net3_dw_t0.json"
LITRE_PER_SECOND = 0.3048**3 / 28.317  # m3/s, with EPANET's own rounded litres in a cubic foot
DEMAND_FACTORS = (0.6, 1.4)
SPEEDS = (0.8, 1.05)

_RACK_FLOW = 2.0  # L/s
_HEADER_SPEED = 2.0  # m/s
_SEGMENT = 0.8  # m of header between two racks
_PUMP_HEAD = 20.4  # m at the racks' flow; the curve is a parabola from 4/3 of it


class Pipes(NamedTuple):
    """Pipes (pipe,): names of ends; length, diameter, roughness [m]; loss coefficient of the fittings."""

    names: list[str]
    start: list[str]
    end: list[str]
    length: np.ndarray
    diameter: np.ndarray
    roughness: np.ndarray
    loss_coefficient: np.ndarray


class Pumps(NamedTuple):
    """Pumps (pump,): names of ends; three points of the curve at full speed, the first at zero flow: flow [m3/s] and
    head [m], (pump, 3).
    """

    names: list[str]
    start: list[str]
    end: list[str]
    flow: np.ndarray
    head: np.ndarray

    def power_law(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """A, B, C (pump,) of head = A - B flow^C through the three points."""
        top = self.head[:, 0]
        exponent = np.log((top - self.head[:, 2]) / (top - self.head[:, 1])) / np.log(self.flow[:, 2] / self.flow[:, 1])
        return top, (top - self.head[:, 1]) / self.flow[:, 1] ** exponent, exponent


class WaterNetwork(NamedTuple):
    """Junctions with elevation [m] and demand [m3/s], reservoirs with head [m], open pipes, running pumps."""

    junctions: list[str]
    elevation: np.ndarray
    demand: np.ndarray
    reservoirs: list[str]
    head: np.ndarray
    pipes: Pipes
    pumps: Pumps


def network(name: str) -> WaterNetwork:
    """`net3`, or `loop<number of racks>`."""
    return net3() if name == "net3" else closed_loop(int(name.removeprefix("loop")))


def closed_loop(racks: int) -> WaterNetwork:
    """A pump, two headers and `racks` racks between them; reservoir X is the expansion vessel."""
    left = _RACK_FLOW * (racks - np.arange(racks))
    header = np.sqrt(4.0 * 1e-3 * left / (np.pi * _HEADER_SPEED))
    junctions = [f"{side}{place}" for place in range(racks + 1) for side in "SR"]
    numbers = range(racks)
    names, start, end = ["PX"], ["X"], ["R0"]
    for i in numbers:
        names += [f"PS{i}", f"PR{i}", f"K{i}"]
        start += [f"S{i}", f"R{i + 1}", f"S{i + 1}"]
        end += [f"S{i + 1}", f"R{i}", f"R{i + 1}"]

    def repeated(first: float, supply: object, back: object, rack: float) -> np.ndarray:
        columns = [np.broadcast_to(value, racks) for value in (supply, back, rack)]
        return np.r_[first, np.stack(columns, axis=1).ravel()]

    pipes = Pipes(
        names,
        start,
        end,
        length=repeated(1.0, _SEGMENT, _SEGMENT, 6.0),
        diameter=repeated(0.1, header, header, 0.04),
        roughness=repeated(5e-5, 5e-5, 5e-5, 1.5e-6),
        loss_coefficient=repeated(0.0, 0.0, 0.0, 80.0),
    )
    duty = _RACK_FLOW * racks * LITRE_PER_SECOND
    pumps = Pumps(["PU"], ["R0"], ["S0"], np.array([[0.0, duty, 2.0 * duty]]), _PUMP_HEAD * np.array([[4 / 3, 1.0, 0]]))
    zeros = np.zeros(len(junctions))
    return WaterNetwork(junctions, zeros, zeros, ["X"], np.array([30.0]), pipes, pumps)


def net3() -> WaterNetwork:
    """Net3 at 0 h: links that are shut then are left out, which loses no node."""
    data = json.loads(_NET3.read_text(encoding="utf-8"))
    nodes, links = data["nodes"], data["links"]
    is_junction = np.asarray(nodes["type"]) == "junction"
    kinds, is_open = np.asarray(links["type"]), np.asarray(links["open"], bool)

    def at(field: str, members: np.ndarray, table: dict = links) -> list:
        return [table[field][index] for index in np.flatnonzero(members)]

    piped, pumped = is_open & (kinds == "pipe"), is_open & (kinds == "pump")
    sizes = (np.asarray(at(field, piped)) for field in ("length_m", "diameter_m", "roughness_m", "minor_loss_k"))
    curves = np.asarray([data["pumps"][name]["curve_m3s_m"] for name in at("id", pumped)])
    ends = ("id", "start", "end")
    return WaterNetwork(
        at("id", is_junction, nodes),
        np.asarray(at("elevation_m", is_junction, nodes)),
        np.asarray(at("demand_m3s", is_junction, nodes)),
        at("id", ~is_junction, nodes),
        np.asarray(at("head_m", ~is_junction, nodes)),
        Pipes(*(at(field, piped) for field in ends), *sizes),
        Pumps(*(at(field, pumped) for field in ends), curves[:, :, 0], curves[:, :, 1]),
    )


class Scenarios(NamedTuple):
    """Demands (lane, junction) [m3/s] and pump speeds (lane, pump) of a batch; `demanded`: junctions with one."""

    demand: np.ndarray
    speed: np.ndarray
    demanded: np.ndarray


def scenarios(water: WaterNetwork, batch: int, seed: int = 0) -> Scenarios:
    """Every demand times a factor of its own, every pump at a speed of its own."""
    generator = np.random.default_rng(seed)
    demanded = np.flatnonzero(water.demand)
    factor = np.ones((batch, len(water.demand)))
    factor[:, demanded] = generator.uniform(*DEMAND_FACTORS, (batch, len(demanded)))
    return Scenarios(factor * water.demand, generator.uniform(*SPEEDS, (batch, len(water.pumps.names))), demanded)
