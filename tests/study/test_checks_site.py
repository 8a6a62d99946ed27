"""Cases of whole sites fail when the model does not do what is published: they are no arithmetic on the reference."""

from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from voltherm.formats import load
from voltherm.site import Site, SiteState, parameter, with_parameters
from voltherm.study import validation
from voltherm.study.checks import site as checks

_FOLDER = Path(__file__).resolve().parents[2] / "validation"


def _failing(name: str, read: Callable[[Path, Sequence[str]], Site] = load) -> set[str]:
    rows = validation.run_case(_FOLDER, f"site/{name}", load=read)
    assert not {row.reason for row in rows if not row.passed} - {"the error is above the tolerance", "not a number"}
    return {row.quantity for row in rows if not row.passed}


def _scaled(path: str, factor: float) -> Callable[[Path, Sequence[str]], Site]:
    """Reads sites of which one number is another than in the file."""

    def read(file: Path, overrides: Sequence[str]) -> Site:
        site = load(file, overrides)
        return with_parameters(site, {path: factor * parameter(site, path)})

    return read


@pytest.mark.parametrize(
    ("path", "factor", "caught"),
    [
        ("rack.gpu.power", 0.95, "temperature rise at the published flow"),
        ("rack.air_heat", 1.3, "liquid share"),
        ("rack.air_heat", 2.6, "IT power of a building, outside the published band"),
    ],
)
def test_a_rack_of_another_power_is_caught(path: str, factor: float, caught: str):
    assert caught in _failing("rack_reference", _scaled(path, factor))


def test_another_coolant_or_another_building_is_caught():
    def water(file: Path, overrides: Sequence[str]) -> Site:
        return load(file, [*overrides, "secondary.fluid=water", "building.rows_per_hall=20"])

    # water carries 3 % more heat than the glycol
    assert _failing("rack_reference", water) == {
        "flow per kilowatt at 10 K, relative",
        "temperature rise at the published flow",
        "racks of a building, outside the published band",
        "GPUs of a building, outside the published band",
        "IT power of a building, outside the published band",
    }


def _riding(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """In place of the course in time, its outcome: the real one is held by the case itself."""

    def course(site: Site, state: SiteState, duration: float) -> SimpleNamespace:
        ends, heat = np.array([300.0, 900.0]), np.full(2, float(state.buildings.facility.plant.heat[0]))
        still = np.full(2, 313.15)  # rows that store nothing
        return SimpleNamespace(seconds_per_kelvin=seconds, time=ends, window=tuple(ends), heat_in=heat, supply=still)

    monkeypatch.setattr(checks, "simulate", course)


@pytest.mark.parametrize("seconds", [204.0, 210.0, 190.0, 100.0, float("nan")])
def test_water_that_warms_too_slowly_or_too_fast_is_caught(monkeypatch: pytest.MonkeyPatch, seconds: float):
    _riding(monkeypatch, seconds)
    band = "time per kelvin without rejection at 103 MW, outside the published band"
    same_load = "time per kelvin without rejection, relative to the published at the same load"
    caught = {204.0: set(), 210.0: {band, same_load}, 190.0: {same_load}}.get(seconds, {band, same_load})
    assert _failing("closed_loop_checks") == caught


def test_a_smaller_fill_is_caught(monkeypatch: pytest.MonkeyPatch):
    _riding(monkeypatch, 100.0)
    assert _failing("closed_loop_checks", _scaled("facility.volume", 0.5)) >= {
        "fill of the building, relative",
        "fill per megawatt at the intake, outside the published band",
        "WUE at the published load, relative",
    }
