"""An answer comes back from its file as it went in. The answer is made from its types, so nothing is solved here."""

import collections.abc
import dataclasses
import itertools
import types
import typing
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import numpy as np
import pytest

from voltherm.formats import FileFormatError, configuration
from voltherm.formats.answer_file import assembled, decode, read_answer, write_answer
from voltherm.formats.results import Results, Variable, read_results, write_results
from voltherm.site import build, layout
from voltherm.site.layout import Layout
from voltherm.site.sections import Site
from voltherm.study.answer import Answer

_COUNTER = itertools.count(1)
_LENGTHS = {"building": 1, "row": 2, "rack": 3, "tray": 2, "gpu": 4, "cpu": 2, "switchtray": 2, "switch": 2}


def _made(hint: Any, absent: bool) -> Any:
    """A value of a type, every number in it different."""
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return None if absent else _made(typing.get_args(hint)[0], absent)
    if origin is collections.abc.Mapping:
        inner = typing.get_args(hint)[1]
        return {name: _made(inner, absent) for name in ("gpu_temperature", "pue")}
    if origin is tuple:
        return tuple(_made(typing.get_args(hint)[0], absent) for _ in range(12))
    if hint is str:
        return f"text {next(_COUNTER)}"
    if hint in (int, float, bool):
        return hint(next(_COUNTER))
    if isinstance(hint, type) and (dataclasses.is_dataclass(hint) or issubclass(hint, eqx.Module)):
        hints = typing.get_type_hints(hint)
        return assembled(hint, {field.name: _made(hints[field.name], absent) for field in dataclasses.fields(hint)})
    names = getattr(hint, "dim_str", "index").replace("*", "").split()
    shape = [_LENGTHS.get(name, 5) for name in names]
    return np.arange(np.prod(shape, dtype=int), dtype=float).reshape(shape) + next(_COUNTER)


def _answer(site: Site, names: Layout, absent: bool) -> Answer:
    hints = typing.get_type_hints(Answer)
    others = {name: _made(hint, absent) for name, hint in hints.items() if name not in ("site", "layout")}
    return Answer(site=site, layout=names, **others)


@pytest.mark.parametrize("absent", [False, True])
def test_there_and_back(tmp_path: Path, project_root: Path, absent: bool):
    checked, document = configuration(project_root / "configs/campus/abilene_campus.yaml", ("cdu.approach=3.1 K",))
    site = build(checked)
    answer = _answer(site, layout(site), absent)
    table = Variable(np.zeros(3), ("rack",), "W", "power of a rack")
    file = write_answer(
        tmp_path / "results.h5", answer, document, tables={"table/rack_power": table}, notes={"command": "x"}
    )
    read = read_answer(file)
    assert (read.allowed is None) == absent
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
    assert results.variables["answer/point/state/buildings/racks/gpu_temperature"].units == "K"
    assert results.variables["answer/point/state/power/reactive_load"].units == "var"


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
