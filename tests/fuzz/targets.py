"""What is fuzzed: readers of files that users hand over, each with the files it starts from."""

import dataclasses
import gzip
import os
import random
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.fuzz.mutations import mutated_bytes, mutated_text
from voltherm.formats.checkpoint_header import inspect_checkpoint
from voltherm.formats.epanet import read_inp
from voltherm.formats.errors import FileFormatError
from voltherm.formats.matpower import read_file
from voltherm.formats.results import Results, Variable, read_results, write_results
from voltherm.formats.sweep_store import SweepFolder
from voltherm.formats.weather import read_weather

PROJECT_ROOT = Path(__file__).resolve().parents[2]
_CASE = """function mpc = two
mpc.version = '2';
mpc.baseMVA = 100;
mpc.bus = [
    1 3 0 0 0 0 1 1 0 345 1 1.1 0.9;  % slack
    2 1 50 10 0 0 1 1 0 345 1 1.1 0.9;
];
mpc.gen = [1 0 0 300 -300 1.02 100 1 250 10 0 0 0 0 0 0 0 0 0 0 0];
mpc.branch = [1, 2, 0.01, 0.1, 0.02, 250, 250, 250, 0, 0, 1, -360, 360];
mpc.bus_name = {'one'; 'two % no comment'};
"""
_WATER = """[JUNCTIONS]
 J1 10 5
 J2 12 3 PAT
[RESERVOIRS]
 R1 50
[TANKS]
 T1 40 3 0 6 10 0
[PIPES]
 P1 R1 J1 100 300 100 0 Open
 P2 J1 J2 200 250 110 0.5 Open
 P3 J2 T1 150 250 110 0 CV
[PUMPS]
 U1 J1 J2 HEAD C1
[VALVES]
 V1 J1 J2 200 TCV 4 0
[PATTERNS]
 PAT 1.0 1.2 0.8
[CURVES]
 C1 20 30
[CONTROLS]
 LINK P2 CLOSED IF NODE T1 ABOVE 5
[OPTIONS]
 Units LPS
 Headloss H-W
[END]
"""


@dataclasses.dataclass(frozen=True)
class Target:
    """A reader: the files it starts from by name, how they are mutated, and how one is read."""

    sources: Callable[[Path], dict[str, bytes]]
    mutate: Callable[[random.Random, bytes], bytes]
    read: Callable[[Path], object]


def _check(path: Path) -> None:
    """`voltherm check`, with what it prints: exit 0 or 2, and sentences of bounded length that no terminal obeys."""
    from typer.testing import CliRunner

    from voltherm.cli.application import application

    result = CliRunner().invoke(application, ["check", path.name], catch_exceptions=False)
    told = result.output + result.stderr
    if result.exit_code not in (0, 2):
        raise AssertionError(f"exit code {result.exit_code}: {told[-2_000:]}")
    if len(told) > 100_000:
        raise AssertionError(f"told {len(told):,} characters")
    unprintable = {character for character in told if not character.isprintable() and character != "\n"}
    if unprintable:
        raise AssertionError(f"printed {sorted(unprintable)}")
    if result.exit_code:
        raise FileFormatError(told[:1_000])


_IN_TIME = """base: abilene_building.yaml
name: in time
rack:
  load_factor: 90 % +- 5 %
ride_through:
  events:
    - {at: 0 s, lose: facility pumps}
    - {at: 45 s, restore: facility pumps, ramp: 20 s}
    - fans lost at 60 s
  load: "100 % at 0 s; 60 % at 10 min"
"""


def _configurations(folder: Path) -> dict[str, bytes]:
    """Shipped cases and studies, in a folder with names that lead nowhere."""
    for file in ("campus/abilene_building.yaml", "campus/abilene_campus.yaml"):
        target = folder / Path(file).name
        target.write_bytes((PROJECT_ROOT / "configs" / file).read_bytes())
    (folder / "loop.yaml").symlink_to("loop.yaml")
    (folder / "gone.yaml").symlink_to("nowhere.yaml")
    (folder / "circle.yaml").write_text("base: circle.yaml\n")
    (folder / "folder").mkdir()
    os.mkfifo(folder / "pipe")
    found = {file.name: file.read_bytes() for file in sorted((PROJECT_ROOT / "configs").rglob("*.yaml"))}
    found = {name: text.replace(b"../campus/", b"") for name, text in found.items()}
    return {**found, "in_time.yaml": _IN_TIME.encode()}


def _weather(folder: Path) -> dict[str, bytes]:
    days = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    hours = [(month, day + 1, hour + 1) for month, n in enumerate(days, 1) for day in range(n) for hour in range(24)]
    rows = [f"2001,{month},{day},{hour},0,?9?9,{day},{day - 5},60,101325" for month, day, hour in hours]
    text = "\n".join(["LOCATION,Place,State,Land", *(f"HEADER {n}" for n in range(7)), *rows]).encode()
    return {"year.epw": text, "year.epw.gz": gzip.compress(text, mtime=0)}


def _mutated_weather(rng: random.Random, source: bytes) -> bytes:
    return mutated_bytes(rng, source) if source[:2] == b"\x1f\x8b" else mutated_text(rng, source)


def _grids(folder: Path) -> dict[str, bytes]:
    return {"two.m": _CASE.encode()}


def _arrays(folder: Path) -> dict[str, bytes]:
    return {"case9.npz": (PROJECT_ROOT / "validation" / "power" / "case9" / "case9.npz").read_bytes()}


def _results(folder: Path) -> dict[str, bytes]:
    variables = {
        "rack_power": Variable(np.arange(6.0).reshape(2, 3), ("row", "rack"), "W", "power of a rack"),
        "names/row": Variable(np.array(["H1-R01", "H1-R02"]), ("row",), "1", "name of the row"),
        "large": Variable(np.zeros((100, 100)), ("a", "b"), "K", "many"),
    }
    written = write_results(folder / "start.h5", Results({"title": "x", "case": {"a": "1 K"}}, variables))
    return {"results.h5": written.read_bytes()}


_CHUNK = "chunk_00000.h5"
_MANIFEST = {"designs": 2, "chunk": 2, "lanes": 1}


def _chunks(folder: Path) -> dict[str, bytes]:
    store = SweepFolder(folder)
    store.open(_MANIFEST, resume=False)
    store.write_chunk(0, {"design": np.arange(2), "pue": np.array([1.1, 1.2])})
    store.close()
    return {_CHUNK: (folder / "chunks" / _CHUNK).read_bytes()}


def _read_chunk(path: Path) -> None:
    path.replace(path.parent / "chunks" / _CHUNK)
    store = SweepFolder(path.parent)
    try:
        store.open(_MANIFEST, resume=True)
        store.finished()
    finally:
        store.close()


def _manifests(folder: Path) -> dict[str, bytes]:
    _chunks(folder)
    return {"manifest.json": (folder / "manifest.json").read_bytes()}


def _read_manifest(path: Path) -> None:
    path.replace(path.parent / "manifest.json")
    store = SweepFolder(path.parent)
    try:
        store.open(_MANIFEST, resume=True)
    finally:
        store.close()


def _checkpoints(folder: Path) -> dict[str, bytes]:
    return {"checkpoint": b'{"format": "voltherm checkpoint 1", "case": "x", "contents": "' + b"0" * 64 + b'"}\nabc'}


def _read_water(path: Path) -> None:
    # wntr warns of what it leaves out, and jax of numbers beyond those of its kind
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        read_inp(path, approximate=True)


TARGETS: dict[str, Target] = {
    "configuration": Target(_configurations, mutated_text, _check),
    "weather": Target(_weather, _mutated_weather, read_weather),
    "matpower": Target(_grids, mutated_text, read_file),
    "arrays": Target(_arrays, mutated_bytes, read_file),
    "epanet": Target(lambda _: {"small.inp": _WATER.encode()}, mutated_text, _read_water),
    "results": Target(_results, mutated_bytes, read_results),
    "chunk": Target(_chunks, mutated_bytes, _read_chunk),
    "manifest": Target(_manifests, mutated_text, _read_manifest),
    "checkpoint": Target(_checkpoints, mutated_text, lambda path: inspect_checkpoint(path, {"case": "x"})),
}
