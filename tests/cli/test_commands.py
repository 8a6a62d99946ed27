"""The light verbs, the exit codes and the streams of the command line."""

import dataclasses
import importlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from tests.report.fabricated import fabricated_answer, small_site
from voltherm.cli import environment
from voltherm.cli.application import application
from voltherm.cli.output import plain
from voltherm.cli.run import as_json
from voltherm.cli.studies import read_study
from voltherm.formats.sweep_store import SweepFolder
from voltherm.study.checkpoint import save

CASE = "configs/campus/abilene_building.yaml"


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["check", CASE], ["schema"], ["schema", "sweep", "--json"], ["describe", CASE, "--all"]],
    ids=" ".join,
)
def test_light_commands_leave_jax_alone(arguments: list[str], project_root: Path):
    code = (
        f"import sys\nsys.argv = ['voltherm', *{arguments}]\nfrom voltherm.cli import main\n"
        "try:\n    main()\nexcept SystemExit as done:\n    assert not done.code, done.code\n"
        "heavy = {'jax', 'numpy', 'scipy', 'h5py'} & set(sys.modules)\nassert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=project_root, check=False)
    assert done.returncode == 0, done.stderr


def test_all_verbs_are_there(run):
    names = {command.name for command in application.registered_commands}
    verbs = "init check describe run simulate sweep tune validate report compare schema doctor"
    assert names == set(verbs.split())
    for name in names:
        assert run(name, "--help").exit_code == 0


def test_a_report_goes_beside_its_results_by_default(run):
    told = run("report", "--help").stdout
    assert "the folder of the results" in " ".join(told.replace("│", " ").split())
    assert "out/NAME" not in told


def test_usage_ends_with_two(run):
    assert run("chek").exit_code == 2
    assert run("check").exit_code == 2
    assert run("check", CASE, "--nonsense").exit_code == 2


def test_mistakes_end_with_two_on_stderr(run):
    done = run("check", CASE, "--set", "cdu.approach=3 degC", "--set", "rack.air_heat=17")
    assert done.exit_code == 2
    assert done.stdout == ""
    assert "--set:1: cdu.approach: " in done.stderr
    assert "--set:2: rack.air_heat: " in done.stderr
    assert "2 mistakes" in done.stderr


def test_mistakes_as_json(run):
    done = run("check", CASE, "--json", "--set", "cdu.approach=3 degC")
    (problem,) = json.loads(done.stdout)["problems"]
    assert (problem["file"], problem["line"], problem["path"]) == ("--set", 1, "cdu.approach")


def test_check_of_everything_shipped(run, project_root: Path):
    files = sorted((project_root / "configs").rglob("*.yaml"))
    done = run("check", "--json", *files)
    assert done.exit_code == 0, done.stderr
    assert {each["kind"] for each in json.loads(done.stdout)} == {"site", "sweep", "tune"}


def test_check_warns_of_what_the_answer_will_be_told(run):
    wet = ("--set", "facility.fluid=water", "--set", "climate.synoptic_deviation=4.5 K")
    done = run("check", CASE, "--json", *wet)
    assert done.exit_code == 0
    (told,) = json.loads(done.stdout)
    assert told["problems"] == []
    (coils,) = [each for each in told["warnings"] if each["path"] == "facility.fluid"]
    assert coils["file"] == "--set"
    assert "water stands in dry coolers outdoors" in coils["message"]
    assert "warning: --set:1: facility.fluid: water stands" in done.stderr.replace("\n", " ")
    assert "no mistakes, " in done.stderr


def test_describe(run):
    done = run("describe", CASE, "--json")
    told = json.loads(done.stdout)
    assert told["figures"]["racks of a building"] == "92.3 MW"
    assert told["values"]["secondary.supply_temperature"]["text"] == "40 degC"
    assert told["values"]["secondary.supply_temperature"]["line"] > 1


def test_describe_shows_tolerances(run):
    override = ("--set", "rack.gpu.interface_resistance=10 mm2K/W ± 50 %")
    value = json.loads(run("describe", CASE, "--json", *override).stdout)["values"]["rack.gpu.interface_resistance"]
    assert value["text"] == "10 mm2K/W +- 5 mm2K/W"
    assert value["tolerance"] == pytest.approx(5e-6)
    shown = " ".join(run("describe", CASE, *override).stdout.split())
    assert "Numbers with a tolerance" in shown
    assert "5 mm2K/W to 15" in shown


def test_describe_at_half_load(run):
    figures = json.loads(run("describe", CASE, "--json", "--set", "rack.load_factor=50 %").stdout)["figures"]
    # chips keep their leakage; air-cooled parts give half, and the power shelves their loss at that load
    assert figures["heat of a rack to liquid and air"] == "74.75 kW, 8.904 kW"


def test_describe_a_study_in_its_own_units(run):
    figures = json.loads(run("describe", "configs/sweep/abilene_supply_temperature.yaml", "--json").stdout)["figures"]
    assert figures["secondary.supply_temperature"] == "25 degC to 48 degC"
    assert figures["secondary.differential_pressure"] == "110 kPa to 230 kPa"
    assert figures["secondary.header_diameter"] == "110 mm to 200 mm"


@pytest.mark.parametrize("kind", ["site", "sweep", "tune", "cold_plate"])
def test_schema_as_json(run, kind: str):
    described = json.loads(run("schema", kind, "--json").stdout)
    Draft202012Validator.check_schema(described)
    assert described["type"] == "object"
    assert "voltherm" in described["properties"]


def test_init_writes_and_does_not_replace(run, tmp_path: Path):
    assert run("init", tmp_path / "new").exit_code == 0
    case = tmp_path / "new" / "campus" / "abilene_building.yaml"
    assert run("check", case, tmp_path / "new" / "sweep" / "abilene_supply_temperature.yaml").exit_code == 0
    case.write_text("mine", encoding="utf-8")
    done = run("init", tmp_path / "new")
    assert done.exit_code == 2
    assert "--force replaces it" in done.stderr
    assert case.read_text(encoding="utf-8") == "mine"


def test_studies_go_to_their_own_verb(run):
    done = run("tune", "configs/sweep/abilene_supply_temperature.yaml")
    assert done.exit_code == 2
    assert "`voltherm sweep" in done.stderr
    done = run("run", "configs/tune/abilene_cost.yaml")
    assert done.exit_code == 2
    assert "`voltherm tune" in done.stderr


@pytest.fixture
def study(tmp_path: Path, project_root: Path) -> Path:
    """A small sweep of the shipped building."""
    (tmp_path / "campus").mkdir()
    (tmp_path / "campus" / "case.yaml").write_bytes((project_root / CASE).read_bytes())
    file = tmp_path / "sweep.yaml"
    file.write_text(
        "voltherm: 1\nname: x\nsweep:\n  case: campus/case.yaml\n  designs: 4\n  chunk: 2\n  variables:\n"
        "    - {path: climate.dry_bulb, minimum: 20 degC, maximum: 40 degC}\n",
        encoding="utf-8",
    )
    return file


def _manifest(study: Path) -> dict:
    from voltherm.cli.sweep import _known
    from voltherm.formats.loader import study as read

    return {**_known(read(study)), "case": "of another case", "lanes": 2}


@pytest.mark.parametrize(
    ("overrides", "damage", "told"),
    [
        ([], True, "chunk_00000.h5: truncated, changed, or not a chunk of a sweep"),
        (["--set", "sweep.seed=7"], False, "belongs to another sweep, which differs in seed"),
        (["--set", "sweep.designs=8"], False, "belongs to another sweep, which differs in designs"),
    ],
)
def test_a_sweep_that_does_not_fit_is_refused_without_jax(
    run, study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, overrides: list[str], damage: bool, told: str
):
    monkeypatch.setattr(environment, "prepare", _unreached)
    store = SweepFolder(tmp_path / "out")
    store.open(_manifest(study), resume=False)
    store.write_chunk(0, {"design": np.arange(2), "result": np.zeros(2, np.int32)})
    store.close()
    if damage:
        file = tmp_path / "out" / "chunks" / "chunk_00000.h5"
        file.write_bytes(file.read_bytes()[:1000])
    done = run("sweep", study, "--out", tmp_path / "out", "--resume", *overrides)
    assert done.exit_code == 2, done.stderr
    assert told in done.stderr
    assert run("sweep", study, "--out", tmp_path / "out").exit_code == 2


def _unreached(*_, **__):
    raise AssertionError("the folder has not been judged yet")


def test_a_checkpoint_that_does_not_fit_is_refused_without_jax(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(environment, "prepare", _unreached)
    (tmp_path / "checkpoint").write_bytes(b"nothing")
    done = run("tune", "configs/tune/abilene_cost.yaml", "--out", tmp_path, "--resume")
    assert done.exit_code == 2
    assert "checkpoint: not a checkpoint of voltherm" in done.stderr.replace("\n", " ")


def test_a_checkpoint_of_another_case_is_refused_before_anything_is_solved(
    run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    read = read_study(Path("configs/tune/abilene_cost.yaml"), None, "tune")
    settings = {"iterations": read.settings.iterations}
    save(tmp_path / "checkpoint", {"case": "another", "variables": list(read.variables), "settings": settings}, ())
    monkeypatch.setattr(importlib.import_module("voltherm.study.tune"), "solved", _unreached)
    done = run("tune", "configs/tune/abilene_cost.yaml", "--out", tmp_path, "--resume")
    assert done.exit_code == 2
    assert "a checkpoint of another study, which differs in case" in done.stderr.replace("\n", " ")


def test_cold_plate(run, tmp_path: Path):
    done = run("tune", "configs/tune/cold_plate.yaml", "--json", "--out", tmp_path)
    told = json.loads(done.stdout)
    assert told["parameters"]["flow_resistance"] == pytest.approx(0.0140, abs=2e-4)
    assert (tmp_path / "cold_plate.h5").is_file()


def test_validation_misses_end_with_four(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from voltherm.study import validation

    row = validation.Row("a/b", "a", "x", 2.0, 1.0, "1", False, "source", "the error is above the tolerance")
    monkeypatch.setattr(validation, "discover", lambda folder, names: ["a/b"])
    monkeypatch.setattr(validation, "run_case", lambda folder, name, load: [row])
    done = run("validate", "--json")
    assert done.exit_code == 4
    assert json.loads(done.stdout.split("\n]")[0] + "\n]")[0]["passed"] is False


def test_a_step_that_only_the_solution_refuses_ends_with_two(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from types import SimpleNamespace

    from voltherm.site import transient
    from voltherm.study import site_functions

    def refused(site, state):
        raise transient.StepTooLongError("a step of 60 s is longer than water stays in the pipes; take at most 50 s")

    monkeypatch.setattr(site_functions, "solved", lambda site: SimpleNamespace(value=None))
    monkeypatch.setattr(transient, "simulate", refused)
    done = run("simulate", CASE, "--step", "1 min", "--out", tmp_path)
    assert done.exit_code == 2
    assert "--set:1: ride_through.step: a step of 60 s is longer" in done.stderr


def test_an_answer_without_a_year_has_a_form_in_json(project_root: Path):
    answer = fabricated_answer(small_site(project_root))
    assert plain(as_json(answer))["year"]["pue"] == answer.year.pue
    told = plain(as_json(dataclasses.replace(answer, year=None, allowed_year=None)))
    assert (told["year"], told["allowed_year"]) == (None, None)


def test_unknown_validation_case(run):
    done = run("validate", "no_such_case")
    assert done.exit_code == 2
    assert "no validation case 'no_such_case'" in done.stderr


def test_report_refuses_foreign_files_by_name(run, tmp_path: Path):
    file = tmp_path / "results.h5"
    file.write_text("hello", encoding="utf-8")
    done = run("report", file)
    assert done.exit_code == 2
    assert "results.h5: is truncated or was changed, or is no file of results" in done.stderr.replace("\n", "")


def test_a_bug_ends_with_one_and_says_so(run, monkeypatch: pytest.MonkeyPatch):
    from voltherm.formats import loader

    def broken(*arguments):
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(loader, "kind_of", broken)
    done = run("check", CASE)
    assert done.exit_code == 1
    assert "this is a bug" in done.stderr


def test_interruption_ends_with_130(run, monkeypatch: pytest.MonkeyPatch):
    from voltherm.formats import loader

    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(loader, "kind_of", interrupted)
    assert run("check", CASE).exit_code == 130


def test_events_are_read_like_the_file(run, tmp_path: Path):
    done = run("simulate", CASE, "--event", "facility pump lost at 0 s", "--out", tmp_path)
    assert done.exit_code == 2
    assert "--set:1: ride_through.events[1]: 'facility pump' is nothing that can be lost" in done.stderr
    assert "did you mean 'facility pumps'?" in done.stderr


def test_simulate_shows_what_was_lost_and_the_state_at_every_event(
    run, tmp_path: Path, project_root: Path, monkeypatch: pytest.MonkeyPatch
):
    from types import SimpleNamespace

    from voltherm.formats.results import read_results
    from voltherm.site import transient
    from voltherm.site.events import events_of
    from voltherm.study import site_functions

    made = fabricated_answer(small_site(project_root)).ride_through
    given = []

    def told(site, state):
        given.append(events_of(site.ride_through))
        return dataclasses.replace(made, events="; ".join(map(str, given[0])))

    monkeypatch.setattr(site_functions, "solved", lambda site: SimpleNamespace(value=None))
    monkeypatch.setattr(transient, "simulate", told)
    events = ("--event", "facility pumps lost at 0 s", "--event", "facility pumps restored at 10 min over 20 s")
    done = run("simulate", CASE, *events, "--out", tmp_path)
    assert done.exit_code == 0
    assert [(event.at, event.works, event.ramp) for event in given[0]] == [(0.0, False, None), (600.0, True, 20.0)]
    lines = [line.split() for line in done.stdout.splitlines()]
    assert any(line[:4] == ["0", "s", "start,", "facility"] for line in lines)
    # the name of an event may go on in the next line
    assert any(line[:5] == ["10.0", "min", "facility", "pumps", "80.2"] for line in lines)
    assert any(line[:5] == ["17.7", "min", "chip", "junction", "82.8"] for line in lines)
    kept = read_results(tmp_path / "simulation.h5")
    assert kept.attributes["events"].startswith(
        "facility pumps lost at 0 s; facility pumps restored at 600 s over 20 s"
    )
    assert {"facility_flow", "row_flow", "cooler_share", "load_factor"} <= set(kept.variables)
