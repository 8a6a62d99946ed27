"""The validation checks see what they are shown: a changed row, an unknown fluid, a missing file."""

import csv
from pathlib import Path

import pytest

from voltherm.study.checks.media import fluid_table, iapws_points
from voltherm.study.validation import run_case

_CASES = Path(__file__).resolve().parents[2] / "validation"
_WATER = [{"fluid": "water", "liquid": "water"}]


@pytest.mark.parametrize("name", sorted(path.name for path in (_CASES / "media").iterdir() if path.is_dir()))
def test_case_passes(name: str):
    rows = run_case(_CASES, f"media/{name}")
    assert rows
    assert not [row for row in rows if not row.passed]


def test_a_changed_row_is_seen(tmp_path: Path):
    text = (_CASES / "media" / "fluid_tables_water" / "fluids.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    rows[3]["mu_Pa_s"] = str(1.02 * float(rows[3]["mu_Pa_s"]))
    with (tmp_path / "fluids.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    errors = fluid_table(tmp_path, "fluids.csv", _WATER)
    assert 0.019 < errors["viscosity"] < 0.021
    assert errors["density"] < 1e-3


def test_unknown_fluid_and_file():
    folder = _CASES / "media" / "fluid_tables_water"
    with pytest.raises(ValueError, match="no rows of 'beer'"):
        fluid_table(folder, "fluids.csv", [{"fluid": "beer", "liquid": "water"}])
    with pytest.raises(FileNotFoundError):
        fluid_table(folder, "elsewhere.csv", _WATER)


def test_points_far_from_a_loop_are_left_out():
    folder = _CASES / "media" / "iapws_points"
    near, far = (iapws_points(folder, "iapws.json", highest_pressure=limit) for limit in (6e5, 1e9))
    assert near["density"] < 1e-3
    assert far["density"] > 0.1
