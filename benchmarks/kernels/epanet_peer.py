"""The peer of coolant hydraulics: EPANET 2.2 (the C library that wntr ships) in two processes, called in C."""

import importlib.util
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.kernels.interleaved import Elapsed
from benchmarks.kernels.water_networks import LITRE_PER_SECOND, Scenarios, WaterNetwork

PROCESSES = 2
ACCURACY = 1e-5
"""The tightest that EPANET takes: sum of flow changes over sum of flows in the last of its Newton steps."""
_DRIVER = Path(__file__).with_name("epanet_driver.c")
_OWN_FIRST_FLOWS, _FLOWS_BEFORE = 10, 0


def input_file(water: WaterNetwork) -> str:
    """The network in EPANET's input format, litres per second and metres, Darcy-Weisbach."""
    pipes, pumps = water.pipes, water.pumps
    lines = ["[JUNCTIONS]"]
    junctions = zip(water.junctions, water.elevation, water.demand / LITRE_PER_SECOND, strict=True)
    lines += [f"{name} {elevation:.15g} {demand:.15g}" for name, elevation, demand in junctions]
    lines += ["[RESERVOIRS]"]
    lines += [f"{name} {head:.15g}" for name, head in zip(water.reservoirs, water.head, strict=True)]
    lines += ["[PIPES]"]
    sizes = np.stack([pipes.length, 1e3 * pipes.diameter, 1e3 * pipes.roughness, pipes.loss_coefficient], axis=1)
    for name, start, end, row in zip(pipes.names, pipes.start, pipes.end, sizes, strict=True):
        lines.append(" ".join([name, start, end, *(f"{size:.15g}" for size in row), "Open"]))
    lines += ["[PUMPS]"]
    ends = zip(pumps.names, pumps.start, pumps.end, strict=True)
    lines += [f"{name} {start} {end} HEAD C{number}" for number, (name, start, end) in enumerate(ends)]
    lines += ["[CURVES]"]
    for number, points in enumerate(zip(pumps.flow / LITRE_PER_SECOND, pumps.head, strict=True)):
        lines += [f"C{number} {flow:.15g} {head:.15g}" for flow, head in zip(*points, strict=True)]
    lines += ["[OPTIONS]", "UNITS LPS", "HEADLOSS D-W", "TRIALS 500", "[TIMES]", "DURATION 0"]
    return "\n".join([*lines, "[REPORT]", "STATUS NO", "[END]", ""])


def library() -> Path:
    """EPANET's shared library. **Raises**: `ImportError` where wntr is not installed or has none for this machine."""
    found = importlib.util.find_spec("wntr")
    if found is None or found.origin is None:
        raise ImportError("wntr is not installed")
    folders = {("Linux", "x86_64"): "linux-x64", ("Darwin", "x86_64"): "darwin-x64", ("Darwin", "arm64"): "darwin-arm"}
    folder = folders.get((platform.system(), platform.machine()), "")
    files = sorted((Path(found.origin).parent / "epanet" / "libepanet" / folder).glob("libepanet2[2.]*"))
    if not folder or not files:
        raise ImportError(f"wntr has no EPANET library for {platform.system()} on {platform.machine()}")
    return files[-1]


def compiled_driver(folder: Path) -> Path:
    """The loop in C. **Raises**: `ImportError` where no compiler stands."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise ImportError("EPANET is called in C, and no C compiler was found")
    program = folder / "epanet_driver"
    # EPANET's library does not say that it needs the mathematics library
    options = ["-O2", "-Wl,--no-as-needed"] if platform.system() == "Linux" else ["-O2"]
    subprocess.run([compiler, *options, str(_DRIVER), "-o", str(program), "-lm", "-ldl"], check=True)
    return program


class Peer:
    """A batch in EPANET, an equal part of it in each of `cores` processes that stay open between runs.

    Of its two ways to begin a solve, its own first flows or the flows of the scenario before, it uses the faster.

    **Raises**: `ImportError` where EPANET or a C compiler is missing.
    """

    name = "EPANET"

    def __init__(self, water: WaterNetwork, scenarios: Scenarios, cores: int = PROCESSES):
        engine = library()
        self._folder = tempfile.TemporaryDirectory(prefix="epanet")
        folder = Path(self._folder.name)
        program = compiled_driver(folder)
        network = folder / "network.inp"
        network.write_text(input_file(water), encoding="utf-8")
        numbers = np.concatenate([scenarios.demand[:, scenarios.demanded] / LITRE_PER_SECOND, scenarios.speed], axis=1)
        self._links = len(water.pipes.names) + len(water.pumps.names)
        self._parts = []
        for number, part in enumerate(np.array_split(numbers, cores)):
            file = folder / f"scenarios{number}"
            np.ascontiguousarray(part).tofile(file)
            self._parts.append((len(part), str(file), str(folder / f"flows{number}")))

        def start(first_flows: int) -> list[subprocess.Popen]:
            return [
                subprocess.Popen(
                    [program, engine, network, file, str(count), str(first_flows), str(ACCURACY), flows],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
                for count, file, flows in self._parts
            ]

        candidates = [start(_OWN_FIRST_FLOWS), start(_FLOWS_BEFORE)]
        fastest = []
        for processes in candidates:
            self._processes = processes
            self.solve()
            fastest.append(min(self.solve().wall for _ in range(3)))
        self._processes = candidates.pop(int(np.argmin(fastest)))
        _end(candidates[0])

    def solve(self) -> Elapsed:
        """Solve the batch once; the wall time is that of the slower process."""
        for process in self._processes:
            process.stdin.write("run\n")
            process.stdin.flush()
        answers = [[float(word) for word in _answer(process).split()] for process in self._processes]
        self._trials = float(np.mean([answer[2] for answer in answers]))
        self._failed = int(sum(answer[3] for answer in answers))
        return Elapsed(max(answer[0] for answer in answers), sum(answer[1] for answer in answers))

    def result(self) -> np.ndarray:
        """Flows (lane, link) of the last run, m3/s, pipes before pumps."""
        for process in self._processes:
            process.stdin.write("save\n")
            process.stdin.flush()
            _answer(process)
        parts = [np.fromfile(flows).reshape(count, self._links) for count, _, flows in self._parts]
        return LITRE_PER_SECOND * np.concatenate(parts)

    def iterations(self) -> float:
        """Mean number of trials of the last run."""
        return self._trials

    def close(self) -> None:
        """End the processes and remove their files."""
        _end(self._processes)
        self._folder.cleanup()


def _answer(process: subprocess.Popen) -> str:
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"the EPANET driver ended with {process.wait()}")
    return line


def _end(processes: list[subprocess.Popen]) -> None:
    for process in processes:
        process.communicate()
