"""An answer comes back from its file as it went in. The answer is made from its types, so nothing is solved here."""

import collections.abc
import dataclasses
import itertools
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import numpy as np
import pytest

from voltherm.formats import FileFormatError, answer_fields, configuration
from voltherm.formats.answer_fields import described
from voltherm.formats.answer_file import assembled, decode, read_answer, write_answer
from voltherm.formats.loader import Document
from voltherm.formats.results import Results, Variable, read_results, write_results
from voltherm.site import build, layout
from voltherm.site.layout import Layout
from voltherm.site.outputs import FIGURES
from voltherm.site.sections import Site
from voltherm.site.transient import RideThrough
from voltherm.study.answer import Answer

_COUNTER = itertools.count(1)
_LENGTHS = {"building": 1, "row": 2, "rack": 3, "tray": 2, "gpu": 4, "cpu": 2, "switchtray": 2, "switch": 2}
_LEADING = {"building": (1,), "lanes": (1, 2)}


def _made(hint: Any, absent: bool) -> Any:
    """A value of a type, every number in it different."""
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return None if absent else _made(typing.get_args(hint)[0], absent)
    if origin is collections.abc.Mapping:
        inner = typing.get_args(hint)[1]
        return {name: _made(inner, absent) for name in FIGURES}
    if origin is tuple:
        several = typing.get_args(hint)
        return tuple(_made(each, absent) for each in (several[:1] * 12 if several[-1] is ... else several))
    if hint is str:
        return f"text {next(_COUNTER)}"
    if hint in (int, float, bool):
        return hint(next(_COUNTER))
    if isinstance(hint, type) and (dataclasses.is_dataclass(hint) or issubclass(hint, eqx.Module)):
        hints = typing.get_type_hints(hint)
        return assembled(hint, {field.name: _made(hints[field.name], absent) for field in dataclasses.fields(hint)})
    shape: list[int] = []
    for name in getattr(hint, "dim_str", "index").split():
        shape += _LEADING[name[1:]] if name.startswith("*") else (_LENGTHS.get(name, 5),)
    return np.arange(np.prod(shape, dtype=int), dtype=float).reshape(shape) + next(_COUNTER)


def _answer(site: Site, names: Layout, absent: bool) -> Answer:
    hints = typing.get_type_hints(Answer)
    others = {name: _made(hint, absent) for name, hint in hints.items() if name not in ("site", "layout")}
    return Answer(site=site, layout=names, **others)


@pytest.fixture(scope="module")
def case(project_root: Path) -> tuple[Site, Document]:
    checked, document = configuration(project_root / "configs/campus/abilene_campus.yaml", ("cdu.approach=3.1 K",))
    return build(checked), document


@pytest.fixture(scope="module")
def written(case: tuple[Site, Document], tmp_path_factory: pytest.TempPathFactory) -> Results:
    site, document = case
    file = tmp_path_factory.mktemp("answer") / "results.h5"
    return read_results(write_answer(file, _answer(site, layout(site), absent=False), document))


@pytest.mark.parametrize("absent", [False, True])
def test_there_and_back(tmp_path: Path, case: tuple[Site, Document], absent: bool):
    site, document = case
    answer = _answer(site, layout(site), absent)
    table = Variable(np.zeros(3), ("rack",), "W", "power of a rack")
    file = write_answer(
        tmp_path / "results.h5", answer, document, tables={"table/rack_power": table}, notes={"command": "x"}
    )
    read = read_answer(file)
    assert [each is None for each in (read.allowed, read.year, read.allowed_year)] == 3 * [absent]
    for field in dataclasses.fields(Answer):
        before, after = getattr(answer, field.name), getattr(read, field.name)
        if field.name == "site":
            assert jax.tree.structure(before) == jax.tree.structure(after)
            same = jax.tree.map(lambda a, b: bool(np.allclose(a, b, rtol=1e-14, atol=0.0)), before, after)
            assert all(jax.tree.leaves(same))
        else:
            assert _plain(before) == _plain(after), field.name
    results = read_results(file)
    assert results.attributes["command"] == "x"
    assert results.variables["table/rack_power"].units == "W"


@pytest.mark.parametrize(
    ("path", "unit", "meaning", "axes"),
    [
        ("buildings/racks/gpu_temperature", "K", "GPU junction", "building row rack tray gpu"),
        ("buildings/row_reactive_power", "var", "reactive power of the row", "building row"),
        ("buildings/facility/plant/supply_temperature", "K", "water leaving the plant", "building"),
        ("buildings/rows/valve_opening", "1", "opening of the control valve of the CDU", "building row"),
        ("buildings/facility/node_pressure", "Pa", "absolute pressure", "building node"),
        ("flows/rows/mass_flow", "kg s-1", "coolant through the branch", "building row branch"),
        ("power/reactive_load", "var", "reactive power of the loads", "bus"),
    ],
)
def test_arrays_say_what_they_are(written: Results, path: str, unit: str, meaning: str, axes: str):
    found = written.variables[f"answer/point/state/{path}"]
    assert found.units == unit
    assert found.long_name.startswith(meaning)
    assert [name.split("_")[1] for name in found.dimensions] == axes.split()


def test_curves_and_years_say_what_they_are(written: Results):
    assert written.variables["answer/curve/figures/pue"].long_name.startswith("interim PUE")
    energy = written.variables["answer/year/monthly_energy/gpu_temperature"]
    assert (energy.units, energy.long_name) == ("J", "energy of the month: hottest GPU junction")
    assert written.variables["answer/ride_through/tank"].dimensions == ("ride_through_instant_5",)


def test_an_answer_without_a_figure_is_refused(written: Results):
    attributes = {name: value for name, value in written.attributes.items() if name != "answer/point/figures/pue"}
    with pytest.raises(FileFormatError, match="does not fit this one: run it again"):
        decode(Path("results.h5"), Results(attributes, written.variables))


def _arrays(kind: type, path: str = "") -> Iterator[tuple[type, dataclasses.Field, str]]:
    """Fields that hold an array, or a mapping of arrays, in a class and those inside it."""
    hints = typing.get_type_hints(kind)
    for field in dataclasses.fields(kind):
        for hint in (hints[field.name], *typing.get_args(hints[field.name])):
            if hint is np.ndarray or hasattr(hint, "dim_str"):
                yield kind, field, f"{path}{field.name}"
            elif isinstance(hint, type) and dataclasses.is_dataclass(hint) and hint not in (Site, Layout):
                yield from _arrays(hint, f"{path}{field.name}.")


def test_every_array_of_an_answer_is_described():
    arrays = list(_arrays(Answer))
    assert len(arrays) > 100
    missing = [path for kind, field, path in arrays if described(kind, field) is None]
    assert not missing


def test_an_array_without_description_is_refused(
    tmp_path: Path, case: tuple[Site, Document], monkeypatch: pytest.MonkeyPatch
):
    site, document = case
    monkeypatch.delitem(answer_fields._ELSEWHERE[RideThrough], "tank")
    with pytest.raises(TypeError, match=r"answer/ride_through/tank: no unit and meaning is declared"):
        write_answer(tmp_path / "results.h5", _answer(site, layout(site), absent=True), document)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, collections.abc.Mapping):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value.tolist() if isinstance(value, np.ndarray) else value


def test_other_results_are_refused_by_name(tmp_path: Path):
    file = write_results(tmp_path / "other.h5", Results({"kind": "simulation"}, {}))
    with pytest.raises(FileFormatError, match=rf"^{file}: holds the results of a simulation"):
        read_answer(file)
    with pytest.raises(FileFormatError, match=r"^x.h5: was written by voltherm 9 and does not fit this one"):
        decode(Path("x.h5"), Results({"kind": "answer", "voltherm": "9", "case": {}}, {}))
