"""The main job, as a user starts it: processes that share nothing but files and the cache of compiled programs.

A small site (two halls of two rows of two racks) stands for the building: a compilation takes the same time for both.
All tests of this file run in one worker, one after the other, so that everything is compiled once.
"""

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray

from tests.site.conftest import OVERRIDES
from voltherm.formats.results import read_results
from voltherm.site.outputs import FIGURES

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("end to end")]

DESIGNS, CHUNK = 24, 2
KILLS = 2
STUDY = f"""voltherm: 1
name: small sweep
sweep:
  case: campus/small.yaml
  designs: {DESIGNS}
  chunk: {CHUNK}
  seed: 3
  variables:
    - {{path: secondary.supply_temperature, minimum: 25 degC, maximum: 48 degC}}
    - {{path: secondary.differential_pressure, minimum: 110 kPa, maximum: 230 kPa}}
    - {{path: climate.dry_bulb, minimum: -10 degC, maximum: 45 degC}}
"""


class Station:
    """A folder with a case, a study and a cache of its own, and the program run in it."""

    def __init__(self, folder: Path, building: Path):
        self.folder = folder
        # two devices whatever the machine has, so that a sweep has rounds to be killed in
        self.environment = {
            **os.environ,
            "XDG_CACHE_HOME": str(folder / "cache"),
            "JAX_PLATFORMS": "cpu",
            "XLA_FLAGS": "--xla_force_host_platform_device_count=2",
        }
        (folder / "campus").mkdir()
        (folder / "campus" / building.name).write_bytes(building.read_bytes())
        changes: dict[str, Any] = {}
        for override in OVERRIDES:
            path, _, value = override.partition("=")
            *sections, name = path.split(".")
            section = changes
            for part in sections:
                section = section.setdefault(part, {})
            section[name] = value
        # a mapping of texts is YAML as JSON writes it
        sections_text = "".join(f"{name}: {json.dumps(section)}\n" for name, section in changes.items())
        (folder / "campus" / "small.yaml").write_text(
            f"voltherm: 1\nbase: {building.name}\nname: small site\n{sections_text}", encoding="utf-8"
        )
        (folder / "study.yaml").write_text(STUDY, encoding="utf-8")

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """The program, running."""
        code = "import sys; sys.argv[0] = 'voltherm'; from voltherm.cli import main; main()"
        return subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def told(self, *arguments: str) -> Any:
        """What the program prints as JSON."""
        process = self.start(*arguments, "--json")
        stdout, stderr = process.communicate()
        assert process.returncode == 0, stderr
        return json.loads(stdout)


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory, project_root: Path) -> Station:
    folder = tmp_path_factory.mktemp("end_to_end")
    return Station(folder, project_root / "configs" / "campus" / "abilene_building.yaml")


@pytest.fixture(scope="module")
def answer(station: Station) -> dict[str, Any]:
    """What `voltherm run` prints about the small site."""
    return station.told("run", "campus/small.yaml", "--out", "out")


def test_run_answers_the_main_question(answer: dict[str, Any], station: Station):
    assert set(answer) == {
        *("name", "units", "point", "allowed", "sensitivities", "year", "allowed_year", "ride_through"),
        *(
            "uncertainty",
            "iterations",
            "residual",
            "seconds",
            "files",
            "chip_supply",
            "coldest",
            "findings",
            "unphysical",
        ),
        *("limits_held", "limits_passed", "search", "unheld"),
    }
    assert answer["name"] == "small site"
    for name in ("point", "allowed", "coldest"):
        found = answer[name]
        assert set(found) == {"set_point", "dry_bulb", "figures", "constraints", "hottest", "findings", "violated"}
        assert set(found["figures"]) == set(FIGURES)
        assert all(np.isfinite(value) for value in found["figures"].values())
        assert found["figures"]["junction_margin"] > -1e-3
        assert all(found["figures"][each] < 1e-6 for each in FIGURES if each.endswith("_residual"))
        assert {"name", "element", "margin", "unit", "binding"} <= set(found["constraints"][0])
    assert answer["point"]["set_point"] == pytest.approx(313.15)
    # the chips would bear more than the racks' maker allows
    assert answer["allowed"]["set_point"] == pytest.approx(318.15, abs=1e-5)
    assert answer["chip_supply"] > 318.15
    assert answer["coldest"]["dry_bulb"] == pytest.approx(273.15 - 12.1, abs=0.1)
    assert answer["unphysical"] == []
    # its water freezes outdoors, and its CDU pumps run off their curve
    assert (answer["limits_held"], answer["search"], answer["unheld"]) == (False, "CONVERGED", None)
    assert answer["point"]["violated"] == answer["allowed"]["violated"] == []
    assert "set point: pump flow (" in " ".join(answer["limits_passed"])
    assert any(each.startswith("coldest hour: freezing outdoors") for each in answer["limits_passed"])
    opened = xarray.open_dataset(station.folder / "out" / "results.h5", engine="h5netcdf")
    assert float(opened["highest_supply"]) == answer["allowed"]["set_point"]
    tree = xarray.open_datatree(station.folder / "out" / "results.h5", engine="h5netcdf")
    assert tree["point/rack_gpu_temperature"].sizes == tree["names/rack"].sizes
    told = {(each["kind"], each["subject"]): each for each in answer["findings"]}
    assert told["pump flow", "CDU pumps"]["where"] == ["set point", "highest supply", "coldest hour"]
    assert told["freezing outdoors", "dry coolers of the facility loop"]["value"] == answer["coldest"]["dry_bulb"]
    assert [each["toleranced"] for each in answer["sensitivities"]] == 10 * [True] + 10 * [False]
    assert {"path", "value", "derivative", "step", "effect"} <= set(answer["sensitivities"][0])
    bands = answer["uncertainty"]["figures"]
    assert set(bands) == {"chip_supply", "junction_margin", "cooling_power", "pue", "it_power"}
    assert bands["chip_supply"]["value"] == answer["chip_supply"]
    assert all(each["low"] < each["value"] < each["high"] for each in bands.values())
    assert answer["uncertainty"]["samples"] == 64
    assert (answer["uncertainty"]["failed"], answer["uncertainty"]["unserved"]) == (0, 0)
    low, middle, high = bands["chip_supply"]["quantiles"].values()
    assert low < middle < high
    for name in ("year", "allowed_year"):
        assert 1.0 < answer[name]["pue"] < 1.6
        assert len(answer[name]["monthly_pue"]) == 12
    assert answer["ride_through"]["seconds_to_limit"] > 60.0
    assert [Path(file).name for file in answer["files"]] == ["results.h5", "report.html"]
    assert all((station.folder / file).is_file() for file in answer["files"])


def test_report_writes_the_same_again(answer: dict[str, Any], station: Station):
    again = station.told("report", "out/results.h5", "--out", "again")
    assert [Path(file).name for file in again.pop("files")] == ["report.html"]
    assert again == {name: value for name, value in answer.items() if name != "files"}
    first, second = (station.folder / folder / "report.html" for folder in ("out", "again"))
    assert first.read_text(encoding="utf-8") == second.read_text(encoding="utf-8")


def test_simulate_tells_what_run_told(answer: dict[str, Any], station: Station):
    told = station.told("simulate", "campus/small.yaml", "--out", "out")
    ride = answer["ride_through"]
    assert told["first_limit"] == ride["first_limit"]
    for name in ("seconds_to_limit", "seconds_per_kelvin"):
        assert told[name] == pytest.approx(ride[name], rel=1e-6)
    assert max(told["energy_residual"], ride["energy_residual"]) < 1e-9
    results = read_results(station.folder / told["file"])
    assert results.attributes["kind"] == "simulation"
    time_since_start, tank = (results.variables[name] for name in ("time_since_start", "tank"))
    assert (time_since_start.units, tank.units) == ("s", "K")
    assert time_since_start.values.shape == tank.values.shape
    assert results.attributes["events"] == told["events"] == "heat rejection lost at 0 s"
    assert np.all(np.isfinite(tank.values))


@pytest.fixture(scope="module")
def undisturbed(answer: dict[str, Any], station: Station) -> dict[str, bytes]:
    """The tables of a sweep that nobody kills. (`answer`: what is compiled there is needed here.)"""
    told = station.told("sweep", "study.yaml", "--out", "undisturbed")
    assert (told["designs"], told["chunks_reused"], told["chunks_computed"]) == (DESIGNS, 0, DESIGNS // CHUNK)
    assert told["counts"]["CONVERGED"] >= DESIGNS // 2
    return _tables(station.folder / "undisturbed")


@pytest.mark.parametrize("attempt", [1, 2])
def test_a_sweep_killed_at_random_moments_gives_the_same_table(
    undisturbed: dict[str, bytes], station: Station, attempt: int
):
    folder = station.folder / f"killed_{attempt}"
    arguments = ("sweep", "study.yaml", "--out", folder.name, "--resume")
    moments = random.Random(time.time_ns())
    kept: dict[str, int] = {}
    for _ in range(KILLS):
        process = station.start(*arguments)
        while process.poll() is None and len(_chunks(folder)) <= len(kept):
            time.sleep(0.01)
        time.sleep(moments.uniform(0.0, 1.0))
        process.kill()
        process.communicate()
        there = _chunks(folder)
        assert kept.items() <= there.items(), "a finished chunk was written again"
        kept = there
    assert kept
    told = station.told(*arguments)
    assert (told["chunks_reused"], told["chunks_computed"]) == (len(kept), DESIGNS // CHUNK - len(kept))
    assert _tables(folder) == undisturbed
    assert not list(folder.rglob("*.part"))


def _chunks(folder: Path) -> dict[str, int]:
    return {file.name: file.stat().st_mtime_ns for file in (folder / "chunks").glob("chunk_*.h5")}


def _tables(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in ("sweep.h5", "sweep.csv")}
