"""The file of an answer: everything `voltherm run` found, so that its report can be written again from the file alone.

The tree of the answer becomes variables by path, such as ``answer/point/state/buildings/racks/gpu_temperature``; texts
and single numbers become attributes. Reading follows the types that `voltherm.study.answer` declares: a file can hold
values for them and nothing else. The case itself is kept as text, value by value, and checked again when it is read.
"""

import collections.abc
import dataclasses
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import equinox as eqx
import numpy as np

from voltherm import __version__
from voltherm.formats.answer_fields import LEADING, ByName, Described, described
from voltherm.formats.errors import ConfigurationError, FileFormatError
from voltherm.formats.loader import Document, from_values
from voltherm.formats.results import Results, Variable, read_results, write_results
from voltherm.site import build, layout
from voltherm.site.outputs import FIGURES
from voltherm.study.answer import Answer

_GROUP = "answer"
_REBUILT = ("site", "layout")


def write_answer(
    path: str | Path,
    answer: Answer,
    document: Document,
    *,
    tables: Mapping[str, Variable] | None = None,
    notes: Mapping[str, str] | None = None,
) -> Path:
    """Write an answer and the case it belongs to; returns the path of the file.

    **Arguments**: `tables`: further variables, for readers who look for a rack by its name; `notes`: further texts.
    """
    attributes: dict[str, Any] = {
        **dict(notes or {}),
        "title": answer.site.name,
        "kind": "answer",
        "voltherm": __version__,
        "case": {value.path: value.exact for value in document.values},
    }
    variables: dict[str, Variable] = dict(tables or {})
    for field in dataclasses.fields(answer):
        if field.name not in _REBUILT:
            _encode(getattr(answer, field.name), f"{_GROUP}/{field.name}", attributes, variables)
    return write_results(path, Results(attributes, variables))


def _encode(
    value: Any,
    path: str,
    attributes: dict[str, Any],
    variables: dict[str, Variable],
    declared: Described | ByName | None = None,
) -> None:
    if value is None:
        return
    if isinstance(value, str | bool | int | float):
        attributes[path] = value
    elif dataclasses.is_dataclass(value):
        kind = type(value)
        for field in dataclasses.fields(value):
            inner = getattr(value, field.name)
            _encode(inner, f"{path}/{field.name}", attributes, variables, described(kind, field))
    elif isinstance(value, collections.abc.Mapping):
        for name, item in value.items():
            # numbers and texts need no description: only arrays carry one
            inner = declared(name) if callable(declared) and not isinstance(item, str | int | float) else None
            _encode(item, f"{path}/{name}", attributes, variables, inner)
    elif isinstance(value, tuple):
        for number, item in enumerate(value):
            _encode(item, f"{path}/{number}", attributes, variables)
    elif isinstance(declared, Described):
        array = np.asarray(value)
        variables[path] = Variable(array, _dimensions(path, array, declared.axes), declared.unit, declared.meaning)
    else:
        raise TypeError(f"{path}: no unit and meaning is declared for this array")


def _dimensions(path: str, array: np.ndarray, axes: tuple[str, ...]) -> tuple[str, ...]:
    """Names of the axes; every length of an axis has its own name within its part of the file."""
    group = path.split("/")[1]
    names = (*LEADING[: array.ndim - len(axes)], *axes)
    return tuple(f"{group}_{name}_{length}" for name, length in zip(names, array.shape, strict=True))


def read_answer(path: str | Path) -> Answer:
    """The answer in a file that `write_answer` wrote.

    **Raises**: `FileFormatError` with one sentence that names the file.
    """
    return decode(Path(path), read_results(path))


def decode(file: Path, results: Results) -> Answer:
    """The answer that results hold; `file` is named where they hold something else."""
    kind = results.attributes.get("kind")
    if kind != "answer":
        raise FileFormatError(f"{file}: holds the results of a {kind}, not of `voltherm run`")
    try:
        case = results.attributes["case"]
        if not isinstance(case, dict):
            raise TypeError("the case has to be texts by path")
        site = build(from_values(case))
        values = {**results.attributes, **{name: variable.values for name, variable in results.variables.items()}}
        hints = typing.get_type_hints(Answer)
        found = {
            field.name: _decode(hints[field.name], f"{_GROUP}/{field.name}", values)
            for field in dataclasses.fields(Answer)
            if field.name not in _REBUILT
        }
        _same_figures(found["point"].figures, found["curve"].figures)
        return Answer(site=site, layout=layout(site), **found)
    except (KeyError, TypeError, ValueError, ConfigurationError) as error:
        wrote = results.attributes.get("voltherm", "another version")
        raise FileFormatError(
            f"{file}: was written by voltherm {wrote} and does not fit this one: run it again"
        ) from error


def _same_figures(*named: Mapping[str, Any]) -> None:
    for figures in named:
        missing = FIGURES.keys() - figures.keys()
        if missing:
            raise KeyError(f"figures that are missing: {', '.join(sorted(missing))}")


def _below(path: str, values: dict[str, Any]) -> list[str]:
    """Names of the parts below a path, in the order in which they were written."""
    names = (name[len(path) + 1 :].split("/")[0] for name in values if name.startswith(f"{path}/"))
    return list(dict.fromkeys(names))


def assembled(kind: type, fields: Mapping[str, Any]) -> Any:
    """An instance of a dataclass from the values of its fields.

    Modules that describe traced arrays hold NumPy arrays on the host, so they are put together as equinox does when it
    unflattens a tree, without their `__init__`.
    """
    if not issubclass(kind, eqx.Module):
        return kind(**fields)
    made = object.__new__(kind)
    for name, value in fields.items():
        object.__setattr__(made, name, value)
    return made


def _decode(hint: Any, path: str, values: dict[str, Any]) -> Any:
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        inner = next(each for each in typing.get_args(hint) if each is not type(None))
        return _decode(inner, path, values) if path in values or _below(path, values) else None
    if origin is collections.abc.Mapping:
        inner = typing.get_args(hint)[1]
        return {name: _decode(inner, f"{path}/{name}", values) for name in _below(path, values)}
    if origin is tuple:
        inner = typing.get_args(hint)[0]
        numbers = sorted(int(name) for name in _below(path, values))
        return tuple(_decode(inner, f"{path}/{number}", values) for number in numbers)
    if hint in (str, bool, int, float):
        return hint(values[path])
    if isinstance(hint, type) and (dataclasses.is_dataclass(hint) or issubclass(hint, eqx.Module)):
        hints = typing.get_type_hints(hint)
        fields = {
            field.name: _decode(hints[field.name], f"{path}/{field.name}", values) for field in dataclasses.fields(hint)
        }
        return assembled(hint, fields)
    return np.asarray(values[path])
