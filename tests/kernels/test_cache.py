"""Eliminations on disk: kept, found again, and never trusted unchecked."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from voltherm_kernels import Schedule, analyse, cache, ordering, schedule
from voltherm_kernels.graph import graph_of

from tests.kernels.patterns import grid, random_graph

_SIZE = 90


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, for patterns of any size."""
    monkeypatch.delenv("VOLTHERM_ANALYSIS_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(cache, "folder", lambda: tmp_path / "voltherm" / "analysis")
    monkeypatch.setattr(cache, "_SMALLEST", 1)
    return tmp_path / "voltherm" / "analysis"


@pytest.fixture
def orders(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by the size of every pattern that is ordered and not read."""
    made: list[int] = []

    def counted(graph, block_size):
        made.append(graph.size)
        return ordering.best(graph, block_size)

    monkeypatch.setattr(schedule, "best", counted)
    return made


def _analysed() -> Schedule:
    return analyse(*random_graph(_SIZE, 130, seed=1), _SIZE, 2)


def _same(one: Schedule, other: Schedule) -> None:
    for name in ("order", "entry_slot", "fill_neighbour", "front_start", "postorder", "product_target", "level"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert (one.levels, one.fill, one.products, one.digest) == (other.levels, other.fill, other.products, other.digest)


def _only_file(folder: Path) -> Path:
    (file,) = folder.iterdir()
    return file


def test_second_analysis_reads_what_the_first_has_found(folder: Path, orders: list[int]):
    first, second = _analysed(), _analysed()
    assert orders == [_SIZE]
    assert _only_file(folder).name == f"{first.digest}.npz"
    _same(first, second)
    if os.name == "posix":
        assert folder.stat().st_mode & 0o077 == 0


def test_every_choice_has_a_file_of_its_own(folder: Path):
    pattern = random_graph(_SIZE, 130, seed=1)
    found = [analyse(*pattern, _SIZE, block, slack=slack) for block, slack in ((1, None), (2, None), (1, 0), (1, 2))]
    assert len(list(folder.iterdir())) == len({each.digest for each in found}) == 4


def test_small_patterns_are_not_kept(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(cache, "_SMALLEST", _SIZE + 1)
    _analysed()
    assert not folder.exists()


@pytest.mark.parametrize("word", ["off", "0", "OFF", "no", "false"])
def test_environment_turns_it_off(folder: Path, orders: list[int], monkeypatch: pytest.MonkeyPatch, word: str):
    monkeypatch.setenv("VOLTHERM_ANALYSIS_CACHE", word)
    _analysed()
    _analysed()
    assert orders == [_SIZE, _SIZE]
    assert not folder.exists()


def test_damaged_file_is_ignored_and_written_again(folder: Path, orders: list[int]):
    first = _analysed()
    file = _only_file(folder)
    sound = file.read_bytes()
    generator = np.random.default_rng(2)
    damaged = [b"", sound[:7], sound[: len(sound) // 2], sound[:-1], b"\x93NUMPY" + sound[6:], pickle.dumps("no")]
    for place in generator.integers(0, len(sound), 20):
        changed = bytearray(sound)
        changed[place] ^= 0xFF
        damaged.append(bytes(changed))
    for content in damaged:
        file.write_bytes(content)
        _same(first, _analysed())
    # A change of a byte that no reader looks at, such as a date in the archive, may go unnoticed; the rest may not.
    assert len(orders) > len(damaged) // 2
    file.write_bytes(sound[:100])
    orders.clear()
    _analysed()
    _analysed()
    assert orders == [_SIZE]


def _rewritten(file: Path, digest: str, **changed: np.ndarray) -> None:
    """The file with other arrays and a checksum that fits them."""
    with np.load(file, allow_pickle=False) as kept:
        arrays = {name: kept[name] for name in ("order", "front_size", "neighbour")} | changed
    checksum = np.frombuffer(cache._checksum(digest, *arrays.values()), np.uint8)
    with file.open("wb") as stream:
        np.savez(stream, **arrays, checksum=checksum)


def test_sound_checksum_does_not_make_a_wrong_elimination_right(folder: Path, orders: list[int]):
    first = _analysed()
    file = _only_file(folder)
    with np.load(file, allow_pickle=False) as kept:
        order, front_size, neighbour = kept["order"], kept["front_size"], kept["neighbour"]
    large = int(np.argmax(front_size))
    last = int(front_size[: large + 1].sum()) - 1  # of the largest front
    repeated, fewer, short = order.copy(), front_size.copy(), np.delete(neighbour, last)
    repeated[0] = repeated[1]
    fewer[large] -= 1
    beyond, backwards = neighbour.copy(), neighbour.copy()
    beyond[last] = _SIZE
    backwards[last] = 0
    negative = front_size.copy()
    negative[-1], negative[large] = -1, front_size[large] + 1
    for changed in (
        {"order": repeated},
        {"order": order[::-1].copy()},
        {"order": order.astype(np.int64)},
        {"order": order[:-1]},
        {"front_size": fewer},
        {"front_size": fewer, "neighbour": short},
        {"front_size": negative},
        {"neighbour": beyond},
        {"neighbour": backwards},
        {"neighbour": neighbour[:, None]},
        {"neighbour": neighbour.astype(np.float32)},
    ):
        orders.clear()
        _rewritten(file, first.digest, **changed)
        _same(first, _analysed())
        assert orders == [_SIZE], changed
    orders.clear()
    _rewritten(file, first.digest)
    _analysed()
    assert orders == []


def test_another_version_and_another_pattern_are_not_believed(
    folder: Path, orders: list[int], monkeypatch: pytest.MonkeyPatch
):
    first = _analysed()
    other = analyse(*grid(9, 10), _SIZE, 2)
    (folder / f"{other.digest}.npz").replace(folder / f"{first.digest}.npz")
    orders.clear()
    _same(first, _analysed())
    assert orders == [_SIZE]
    monkeypatch.setattr(cache, "_VERSION", cache._VERSION + 1)
    _analysed()
    assert orders == [_SIZE, _SIZE]


def test_objects_are_never_unpickled(folder: Path, orders: list[int]):
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("a file of the cache was unpickled",))

    first = _analysed()
    with _only_file(folder).open("wb") as stream:
        np.savez(stream, allow_pickle=True, order=np.array([Trap()], dtype=object))
    _same(first, _analysed())
    assert orders == [_SIZE, _SIZE]


def test_folder_that_cannot_be_used_is_no_error(
    folder: Path, orders: list[int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr(cache, "folder", lambda: tmp_path / "file" / "analysis")
    _analysed()
    monkeypatch.setattr(cache, "folder", lambda: folder)

    def refused(*_: object, **__: object) -> None:
        raise PermissionError("read-only")

    monkeypatch.setattr(cache.os, "replace", refused)
    _analysed()
    assert list(folder.iterdir()) == []
    monkeypatch.setattr(cache.tempfile, "mkstemp", refused)
    _analysed()
    assert orders == [_SIZE] * 3


def test_user_without_home_has_no_cache(orders: list[int], monkeypatch: pytest.MonkeyPatch):
    def homeless() -> Path:
        raise RuntimeError("no home")

    monkeypatch.setattr(cache, "_SMALLEST", 1)
    monkeypatch.setattr(cache, "folder", homeless)
    _analysed()
    assert orders == [_SIZE]


def test_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.folder() == tmp_path / "voltherm" / "analysis"
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    assert cache.folder() == Path.home() / ".cache" / "voltherm" / "analysis"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert cache.folder() == Path.home() / "Library" / "Caches" / "voltherm" / "analysis"
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    assert cache.folder() == tmp_path / "voltherm" / "analysis"


def test_folder_does_not_grow_without_bound(folder: Path, monkeypatch: pytest.MonkeyPatch):
    sizes = range(40, 50)
    digests = []
    for number, size in enumerate(sizes):
        digests.append(analyse(*random_graph(size, 2 * size, seed=3), size).digest)
        os.utime(folder / f"{digests[-1]}.npz", (1000 + number, 1000 + number))
    (folder / "left_over.part").write_bytes(b"\0" * 100)
    os.utime(folder / "left_over.part", (1, 1))
    # The oldest but one is read, which makes it the youngest.
    analyse(*random_graph(41, 82, seed=3), 41)
    held = sum(file.stat().st_size for file in folder.iterdir())
    monkeypatch.setattr(cache, "_CAPACITY", held // 2)
    newest = _analysed().digest
    left = {file.name.removesuffix(".npz") for file in folder.iterdir()}
    assert {newest, digests[1], digests[-1]} <= left
    assert not left & {digests[0], digests[2], "left_over.part"}
    assert sum(file.stat().st_size for file in folder.iterdir()) <= held // 2


_WRITER = """
import sys
from voltherm_kernels import analyse, cache
from voltherm_kernels.graph import graph_of
import numpy as np
cache._SMALLEST = 1
node = np.arange(400).reshape(20, 20)
rows = np.concatenate([node[:-1].ravel(), node[:, :-1].ravel(), node.ravel()])
columns = np.concatenate([node[1:].ravel(), node[:, 1:].ravel(), node.ravel()])
digests = set()
for _ in range(40):
    schedule = analyse(rows, columns, 400)
    digests.add((schedule.digest, schedule.order.tobytes()))
    for file in cache.folder().glob(f"{schedule.digest}.npz"):
        found = cache.read(schedule.digest, graph_of(rows, columns, 400))
        assert found is not None or not file.exists()
        file.unlink(missing_ok=True)
assert len(digests) == 1
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the cache's place is set by XDG_CACHE_HOME on Linux alone")
def test_several_processes_at_once(tmp_path: Path):
    """Each writes, reads and deletes the same file; whoever sees it at all sees it whole."""
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path), "JAX_PLATFORMS": "cpu"}
    environment.pop("VOLTHERM_ANALYSIS_CACHE", None)
    running = [
        subprocess.Popen([sys.executable, "-c", _WRITER], env=environment, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for process in running:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    assert not list((tmp_path / "voltherm" / "analysis").glob("*.part"))


def test_kept_elimination_is_that_of_its_graph(folder: Path):
    found = _analysed()
    graph = graph_of(*(each.astype(np.int64) for each in random_graph(_SIZE, 130, seed=1)), _SIZE)
    kept = cache.read(found.digest, graph)
    assert kept is not None
    np.testing.assert_array_equal(kept.order, found.order)
    assert cache.read(found.digest, graph_of(*grid(9, 10), _SIZE)) is None
