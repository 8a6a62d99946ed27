"""What commands write and where: outputs that fail, schemas for editors, runs side by side."""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.report.fabricated import SMALL, fabricated_answer, small_site
from voltherm.cli.folders import writing
from voltherm.formats import results
from voltherm.formats.answer_file import write_answer
from voltherm.formats.errors import EnvironmentFaultError
from voltherm.formats.loader import configuration

CASE = "configs/campus/abilene_building.yaml"


@pytest.mark.parametrize(
    ("kind", "file"),
    [
        ("site", "campus/abilene_building.yaml"),
        ("site", "campus/abilene_campus.yaml"),
        ("sweep", "sweep/abilene_supply_temperature.yaml"),
        ("tune", "tune/abilene_cost.yaml"),
        ("cold_plate", "tune/cold_plate.yaml"),
    ],
)
def test_shipped_files_pass_the_schema_for_editors(run, project_root: Path, kind: str, file: str):
    judge = Draft202012Validator(json.loads(run("schema", kind, "--json").stdout))
    written = yaml.safe_load((project_root / "configs" / file).read_text(encoding="utf-8"))
    assert [error.message for error in judge.iter_errors(written)] == []
    assert not judge.is_valid({**written, "colour": "red"})
    if "base" not in written:
        assert not judge.is_valid({name: value for name, value in written.items() if name != "name"})


def test_every_shipped_file_is_held_against_the_schema(project_root: Path):
    assert len(list((project_root / "configs").rglob("*.yaml"))) == 5


def test_keys_of_the_schema_can_be_searched_in_a_pipe(run):
    lines = run("schema").stdout.splitlines()
    assert len([line for line in lines if "building.rows_per_hall" in line]) == 1
    lines = run("describe", CASE, "--all").stdout.splitlines()
    assert [line for line in lines if "secondary.supply_temperature" in line]


def test_an_output_that_cannot_be_written_is_told_before_anything_is_solved(run, tmp_path: Path):
    (tmp_path / "file").write_text("x")
    for command in (["run", CASE], ["simulate", CASE], ["tune", "configs/tune/cold_plate.yaml"]):
        done = run(*command, "--out", tmp_path / "file" / "below")
        assert done.exit_code == 5
        assert "file/below: cannot be written" in done.stderr.replace("\n", "")


def test_what_cannot_be_written_is_still_printed(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(path, results):
        raise EnvironmentFaultError(f"{path}: cannot be written: no space is left on the device")

    monkeypatch.setattr(results, "write_results", full)
    done = run("tune", "configs/tune/cold_plate.yaml", "--out", tmp_path)
    assert done.exit_code == 5
    assert "largest difference from the table" in done.stdout
    assert "no space is left on the device" in done.stderr.replace("\n", " ")
    told = run("tune", "configs/tune/cold_plate.yaml", "--out", tmp_path, "--json")
    assert told.exit_code == 5
    # one document, the result
    assert json.loads(told.stdout)["files"] == []


def test_a_fault_of_the_disk_names_the_file(tmp_path: Path):
    def refused() -> list[Path]:
        raise PermissionError(13, "Permission denied", str(tmp_path / "results.h5"))

    def written() -> None:
        with writing() as write:
            assert write(refused, tmp_path) == []

    with pytest.raises(EnvironmentFaultError, match=r"results\.h5: cannot be written: Permission denied"):
        written()


def test_a_device_that_is_not_there_ends_with_five(project_root: Path, tmp_path: Path):
    code = f"import sys; sys.argv = ['voltherm', 'run', '{CASE}', '--device', 'gpu', '--out', '{tmp_path}']\n"
    done = subprocess.run(
        [sys.executable, "-c", code + "from voltherm.cli import main; main()"],
        capture_output=True,
        text=True,
        cwd=project_root,
        # no GPU is seen, on a machine that has one
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
        check=False,
    )
    assert done.returncode == 5, done.stderr
    assert "jax finds no device to run on" in done.stderr
    assert "Traceback" not in done.stderr


def test_two_runs_side_by_side(run, project_root: Path, tmp_path: Path):
    files = []
    for name, override in (("cool", "climate.dry_bulb=30 degC"), ("hot", "climate.dry_bulb=40 degC")):
        site = small_site(project_root, override)
        document = configuration(project_root / CASE, (*SMALL, override))[1]
        files.append(
            write_answer(tmp_path / name / "results.h5", fabricated_answer(site, allowed=name == "cool"), document)
        )
    done = run("compare", *files)
    assert done.exit_code == 0, done.stderr
    assert "climate.dry_bulb" in done.stdout
    (highest,) = [line for line in done.stdout.splitlines() if line.strip().startswith("highest supply")]
    assert highest.split() == ["highest", "supply", "46.92", "°C", "none"]
    told = json.loads(run("compare", *files, "--json").stdout)
    assert told["changed"] == {"climate.dry_bulb": ["30 degC", "40 degC"]}
    assert told["figures"]["every limit held"] == [True, False]
    assert told["figures"]["highest supply"][1] is None
    assert run("compare", files[0], tmp_path / "absent.h5").exit_code == 2


def test_the_shell_can_complete(run):
    assert "--install-completion" in run("--help").stdout


@pytest.mark.parametrize(("allowed", "code"), [(True, 0), (False, 6)])
def test_strict_ends_with_six_where_no_set_point_serves(run, tmp_path, project_root, monkeypatch, allowed, code):
    found = fabricated_answer(small_site(project_root), allowed=allowed)
    monkeypatch.setattr(importlib.import_module("voltherm.study.answer"), "answer", lambda *_, **__: found)
    overrides = [word for each in SMALL for word in ("--set", each)]
    arguments = ("run", project_root / CASE, *overrides, "--out", tmp_path, "--no-report", "--strict")
    assert run(*arguments).exit_code == code
