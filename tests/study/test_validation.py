"""Every case under validation/ as a test, and the runner's verdicts on cases that are wrong."""

import json
import math
import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest

from voltherm.formats import load
from voltherm.study import validation

_FOLDER = Path(__file__).resolve().parents[2] / "validation"

_CASE = """
domain: toy
title: A toy
source: this test
check: voltherm.study.checks.toy.errors
arguments: {first: 0.5}
tolerances:
  - {quantity: first, tolerance: 1.0, unit: K}
"""


@pytest.mark.parametrize("name", validation.discover(_FOLDER))
def test_case(name: str):
    reasons: dict[str, list[str]] = {}
    for row in validation.run_case(_FOLDER, name, load=load):
        if not row.passed:
            reasons.setdefault(row.reason, []).append(f"{row.quantity} {row.error:.3g} {row.unit}")
    assert not reasons, "\n".join(f"{'; '.join(rows)}: {reason}" for reason, rows in reasons.items())


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A validation folder with one case, whose check returns its own arguments as errors."""
    module = types.ModuleType("voltherm.study.checks.toy")

    def errors(folder: Path, **arguments: float) -> dict[str, float]:
        if "boom" in arguments:
            raise RuntimeError("no such luck")
        return arguments

    errors.__module__ = module.__name__
    module.__dict__.update(errors=errors, imported=json.loads)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    (tmp_path / "toy" / "one").mkdir(parents=True)
    write(tmp_path, _CASE)
    return tmp_path


def write(folder: Path, text: str) -> None:
    (folder / "toy" / "one" / "case.yaml").write_text(text, encoding="utf-8")


def only_row(folder: Path) -> validation.Row:
    [row] = validation.run(folder)
    return row


def test_passing_row(toy: Path):
    row = only_row(toy)
    keys = ["case", "domain", "quantity", "error", "tolerance", "unit", "passed", "reference"]
    values = ["toy/one", "toy", "first", 0.5, 1.0, "K", True, "this test"]
    assert row.as_dict() == dict(zip(keys, values, strict=True))


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ("{first: 1.5}", "above the tolerance"),
        ("{first: -1.5}", "above the tolerance"),
        ("{first: .nan}", "not a number"),
        ("{second: 0.1}", "returned no 'first', only: second"),
        ("{}", "returned no 'first', only: nothing"),
        ("{boom: 1}", "RuntimeError: no such luck"),
    ],
)
def test_failing_row(toy: Path, arguments: str, reason: str):
    write(toy, _CASE.replace("{first: 0.5}", arguments))
    row = validation.run(toy)[0]
    assert not row.passed
    assert reason in row.reason
    assert row.as_dict()["reason"] == row.reason
    json.dumps(row.as_dict(), allow_nan=False)


def test_quantity_without_a_tolerance_is_a_failed_row(toy: Path):
    write(toy, _CASE.replace("{first: 0.5}", "{first: 0.5, second: 0.0}"))
    first, second = validation.run(toy)
    assert first.passed
    assert not second.passed
    assert "states no tolerance" in second.reason


@pytest.mark.parametrize(
    ("check", "reason"),
    [
        ("os.system", "check: "),
        ("voltherm.study.checks.os.path.join", "check: "),
        ("voltherm.study.validation.run", "check: "),
        ("voltherm.study.checks.toy.__import__", "check: "),
        ("voltherm.study.checks.toy.imported", "defines no function 'imported'"),
        ("voltherm.study.checks.toy.missing", "defines no function 'missing'"),
        ("voltherm.study.checks.nowhere.errors", "no module voltherm.study.checks.nowhere"),
    ],
)
def test_a_case_runs_only_checks_of_the_package(toy: Path, check: str, reason: str):
    write(toy, _CASE.replace("voltherm.study.checks.toy.errors", check))
    row = only_row(toy)
    assert not row.passed
    assert math.isnan(row.error)
    assert reason in row.reason


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ("title: A toy", "titel: A toy", "titel"),
        ("tolerance: 1.0", "tolerance: -1.0", "tolerances.0.tolerance"),
        ("tolerance: 1.0", "tolerance: .inf", "tolerances.0.tolerance"),
        ("domain: toy", "domain: [", "not valid YAML"),
        ("source: this test", "source: !!python/object/apply:os.system [ls]", "not valid YAML"),
    ],
)
def test_a_malformed_case_is_a_failed_row(toy: Path, before: str, after: str, reason: str):
    write(toy, _CASE.replace(before, after))
    row = only_row(toy)
    assert not row.passed
    assert reason in row.reason


def test_sites_come_from_a_configuration_beside_the_folder(toy: Path, monkeypatch: pytest.MonkeyPatch):
    given: list[tuple[str, list[str]]] = []
    sites: dict[str, object] = {}
    module = sys.modules["voltherm.study.checks.toy"]

    def errors(folder: Path, *, first: float, **rest: dict[str, object]) -> dict[str, float]:
        sites.update(rest["sites"])
        return {"first": first}

    errors.__module__ = module.__name__
    monkeypatch.setitem(vars(module), "errors", errors)

    def reading(path: Path, overrides: list[str]) -> object:
        given.append((path.name, overrides))
        return object()

    def only(configuration: str, load: Callable | None = reading) -> validation.Row:
        write(toy, f"{_CASE}configuration: {configuration}\nsites: {{whole: [], small: [a=1]}}\n")
        [row] = validation.run(toy, load=load)
        return row

    case = toy.parent / "case.yaml"
    case.write_text("name: x", encoding="utf-8")
    assert only("case.yaml").passed
    assert given == [("case.yaml", []), ("case.yaml", ["a=1"])]
    assert sorted(sites) == ["small", "whole"]
    assert "no reader of configurations" in only("case.yaml", None).reason
    assert "outside" in only("../elsewhere.yaml").reason
    assert "is not in" in only("absent.yaml").reason


def test_names_choose_cases(toy: Path):
    other = toy / "coolant" / "loop"
    other.mkdir(parents=True)
    (other / "case.yaml").write_text(_CASE, encoding="utf-8")
    assert validation.discover(toy) == ["coolant/loop", "toy/one"]
    assert validation.discover(toy, ["loop"]) == ["coolant/loop"]
    assert validation.discover(toy, ["toy/"]) == ["toy/one"]
    assert validation.discover(toy, ["toy/one", "coolant"]) == ["coolant/loop", "toy/one"]
    with pytest.raises(ValueError, match="did you mean 'loop'"):
        validation.discover(toy, ["lop"])


def test_case_file_stays_in_its_folder(toy: Path):
    folder = toy / "toy" / "one"
    assert validation.case_file(folder, "case.yaml").name == "case.yaml"
    with pytest.raises(ValueError, match="outside"):
        validation.case_file(folder, "../../secret.json")
    with pytest.raises(FileNotFoundError, match=r"not in the case's folder"):
        validation.case_file(folder, "absent.json")


def test_default_folder_is_the_projects_own():
    assert validation.default_folder() == _FOLDER
