"""Analysis of patterns on the host (order, elimination tree, schedule): with the library, without it, from the disk."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import numpy as np
from voltherm_kernels import Schedule, analyse, library
from voltherm_kernels.graph import graph_of
from voltherm_kernels.ordering import by_degree

from benchmarks.measurement import FOLDER, Measurement, parser, present, timed

_NETWORKS = FOLDER / "kernels" / "networks"
_GOALS = {"case9241pegase": "0.2 s", "radial 100,000": "2 s", "chain 100,000": "2 s", "star 100,000": "2 s"}


def networks(folder: Path) -> Iterator[tuple[str, int, np.ndarray, np.ndarray]]:
    """Name, number of nodes, and both ends of every edge of the patterns."""
    for file in sorted(folder.glob("case*.npz"), key=lambda file: file.stat().st_size):
        with np.load(file, allow_pickle=False) as stored:
            bus, branch = stored["bus"], stored["branch"]
        branch = branch[branch[:, 10] > 0]  # in service
        by_number = np.argsort(bus[:, 0])
        ends = by_number[np.searchsorted(bus[by_number, 0], branch[:, :2])]
        yield file.stem, len(bus), ends[:, 0], ends[:, 1]
    generator = np.random.default_rng(1)
    for size in (10_000, 100_000):
        node = np.arange(1, size)
        yield f"radial {size:,}", size, node, node - generator.integers(1, np.minimum(node, 10) + 1)
    yield "chain 100,000", 100_000, np.arange(99_999), np.arange(1, 100_000)
    yield "star 100,000", 100_000, np.zeros(99_999, dtype=np.int64), np.arange(1, 100_000)
    rail = np.arange(5_000)
    yield (
        "ladder 10,000",
        10_000,
        np.r_[rail[:-1], rail[:-1] + 5_000, rail],
        np.r_[rail[1:], rail[1:] + 5_000, rail + 5_000],
    )
    mesh = np.arange(10_000).reshape(100, 100)
    ends = [(mesh[:-1], mesh[1:]), (mesh[:, :-1], mesh[:, 1:])]
    yield "mesh 100 x 100", 10_000, *(np.concatenate([end.ravel() for end in side]) for side in zip(*ends, strict=True))


def measure(folder: Path, repetitions: int) -> list[Measurement]:
    """Every pattern, with 2x2 blocks."""
    return [each for network in networks(folder) for each in _measured(*network, repetitions)]


def _measured(name: str, size: int, one: np.ndarray, other: np.ndarray, repetitions: int) -> Iterator[Measurement]:
    diagonal = np.arange(size)
    rows, columns = np.r_[diagonal, one, other], np.r_[diagonal, other, one]

    def job() -> Schedule:
        return analyse(rows, columns, size, 2)

    schedule, graph = job(), graph_of(rows, columns, size)
    seen = {
        "nodes, edges": f"{size}, {graph.edges}",
        "fill": schedule.fill,
        "products": schedule.products,
        "by smallest degree": by_degree(graph, 0).products,
        "levels": schedule.levels,
    }
    yield Measurement(name, timed(job, repetitions), _GOALS.get(name, ""), seen)
    # A schedule builds its table of targets once, when it is first wanted: that of a new one each time.
    schedules = iter([job() for _ in range(repetitions)])
    yield Measurement(f"{name}, table of targets", timed(lambda: next(schedules).product_target, repetitions))
    with patch.object(library, "load", lambda: library.Loaded(None, "left out")):
        yield Measurement(f"{name}, without the library", timed(job, 1))
    with (
        tempfile.TemporaryDirectory() as folder,
        patch.dict(os.environ, VOLTHERM_ANALYSIS_CACHE="on", XDG_CACHE_HOME=folder),
    ):
        job()
        if any(Path(folder).rglob("*.npz")):
            yield Measurement(f"{name}, from the disk", timed(job, repetitions))


def main(arguments: list[str] | None = None) -> None:
    """Measure, print, write."""
    options = parser("analysis", __doc__)
    options.add_argument("--repetitions", type=int, default=5)
    options.add_argument("--networks", type=Path, default=_NETWORKS, help="folder of MATPOWER cases as .npz")
    chosen = options.parse_args(arguments)
    with patch.dict(os.environ, VOLTHERM_ANALYSIS_CACHE="off"):
        present("analysis", measure(chosen.networks, chosen.repetitions), chosen.out)


if __name__ == "__main__":
    main()
