"""Bounds of a model's numbers: declared beside the field, checked on the host where the numbers are known.

    diameter: Float[Array, " branch"] = eqx.field(metadata=bounded("m", above=0.0))

A number inside a traced program has no value to check, and whole numbers and None may stand for axes in a `jax.vmap`:
both pass. NaN passes as well: it is a failed number, which a solve's result code tells.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import numpy as np

_KEY = "bound"
_MOST_NAMED = 3  # entries of one field that are named


class _Bound(NamedTuple):
    """Unit, and the sentence's words and ends: `above` and `below` are excluded, `least` and `most` allowed."""

    unit: str
    above: float | None
    least: float | None
    most: float | None
    below: float | None

    def outside(self, value: np.ndarray) -> np.ndarray:
        wrong = np.zeros(value.shape, dtype=bool)
        if self.above is not None:
            wrong |= value <= self.above
        if self.least is not None:
            wrong |= value < self.least
        if self.most is not None:
            wrong |= value > self.most
        if self.below is not None:
            wrong |= value >= self.below
        return wrong

    def sentence(self) -> str:
        words = (("above", self.above), ("at least", self.least), ("at most", self.most), ("below", self.below))
        return " and ".join(f"{word} {end:g}" for word, end in words if end is not None)


def bounded(
    unit: str,
    *,
    above: float | None = None,
    least: float | None = None,
    most: float | None = None,
    below: float | None = None,
) -> dict[str, _Bound]:
    """Metadata of a field whose numbers have a unit ("" for none) and ends; `above` and `below` themselves are out."""
    return {_KEY: _Bound(unit, above, least, most, below)}


def is_known(value: Any) -> bool:
    """Whether a leaf is a number or an array of them whose values the host can see."""
    if isinstance(value, jax.Array):
        return not isinstance(value, jax.core.Tracer) and np.issubdtype(value.dtype, np.number)
    return isinstance(value, float) or (isinstance(value, np.ndarray) and np.issubdtype(value.dtype, np.number))


def _fields(module: eqx.Module, path: str) -> Iterator[tuple[str, Any, _Bound | None]]:
    for field in dataclasses.fields(module):
        value = getattr(module, field.name)
        yield path + field.name, value, field.metadata.get(_KEY)


def out_of_bounds(module: eqx.Module, names: Sequence[str] = (), *, nested: bool = True) -> list[str]:
    """Sentences on the numbers of a module that are outside their bounds; none where all are inside.

    names: of the elements that the last axis counts, such as the branches of a group; entries are counted without
    them. nested: whether modules in the fields are looked at as well.
    """
    return list(_out_of_bounds(module, tuple(names), nested, ""))


def _out_of_bounds(module: eqx.Module, names: tuple[str, ...], nested: bool, path: str) -> Iterator[str]:
    kind = type(module).__name__
    for name, value, bound in _fields(module, path):
        if bound is not None and is_known(value):
            array = np.asarray(value)
            wrong = np.argwhere(bound.outside(array))
            for place in wrong[:_MOST_NAMED]:
                unit = f" {bound.unit}" if bound.unit else ""
                where = _where(kind, names, array.shape, place)
                yield f"{where}: {name} is {array[tuple(place)]:.6g}{unit} and has to be {bound.sentence()}{unit}"
            if len(wrong) > _MOST_NAMED:
                yield f"{kind}: {name} is out of its range in {len(wrong) - _MOST_NAMED} more entries"
        elif nested:
            parts = value if isinstance(value, tuple | list) else (value,)
            for part in parts:
                if isinstance(part, eqx.Module):
                    yield from _out_of_bounds(part, names, nested, f"{name}.")


def _where(kind: str, names: tuple[str, ...], shape: tuple[int, ...], place: np.ndarray) -> str:
    if not shape:
        return f"'{names[0]}', {kind}" if len(names) == 1 else kind
    if len(names) == shape[-1]:
        return f"'{names[place[-1]]}', {kind}"
    return kind if shape == (1,) else f"{kind}, entry {', '.join(str(index + 1) for index in place)}"


def refuse_out_of_bounds(module: eqx.Module) -> None:
    """For a module's `__check_init__`: ValueError with a sentence for each of its own numbers out of bounds."""
    wrong = out_of_bounds(module, nested=False)
    if wrong:
        raise ValueError("\n".join(wrong))
