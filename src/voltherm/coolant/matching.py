"""Laws to groups and numbers to elements by name, and what a network is given, checked. Host side.

Shapes are checked at every call, inside a trace too, where they are known; numbers only where their values are.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from voltherm.coolant.law import AbstractBranchLaw, Series
from voltherm.coolant.network import Network
from voltherm.coolant.terms import has_terms
from voltherm.numerics.bounds import out_of_bounds

Laws = Sequence[AbstractBranchLaw] | Mapping[str, AbstractBranchLaw]


def match_laws(network: Network, laws: Laws) -> tuple[AbstractBranchLaw, ...]:
    """The laws in the order of the network's groups, one each.

    laws: by group name, or in order. Raises ValueError, with a sentence for each mistake, for names that do not fit,
    a law whose arrays are neither () nor (branch,), one entry for several branches included, and numbers outside their
    bounds, by the name of the branch.
    """
    ordered = _ordered(network, laws)
    wrong = [
        sentence
        for name, group, law in zip(network.group_names, network.groups, ordered, strict=True)
        for sentence in _misshapen(f"group '{name}'", law, len(group.names))
    ]
    wrong = wrong or check_laws(network, ordered)
    if wrong:
        raise ValueError("\n".join(wrong))
    return ordered


def check_laws(network: Network, laws: Laws) -> list[str]:
    """Sentences, by branch, on numbers of the laws that no part can have, such as a negative diameter."""
    ordered = _ordered(network, laws)
    return [
        sentence
        for group, law in zip(network.groups, ordered, strict=True)
        for sentence in out_of_bounds(law, group.names)
    ]


def _ordered(network: Network, laws: Laws) -> tuple[AbstractBranchLaw, ...]:
    names = network.group_names
    if isinstance(laws, Mapping):
        missing, unknown = [name for name in names if name not in laws], [name for name in laws if name not in names]
        if missing or unknown:
            parts = [f"no law for {_listed(missing)}"] if missing else []
            parts += [f"{_listed(unknown)} is no group"] if unknown else []
            raise ValueError(f"{', and '.join(parts)}; the groups are {_listed(names)}")
        ordered = tuple(laws[name] for name in names)
    else:
        ordered = tuple(laws)
    if len(ordered) != len(names):
        raise ValueError(f"{len(ordered)} laws for {len(names)} groups of branches: {_listed(names)}")
    return ordered


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:6])
    return shown + (f" and {len(names) - 6} more" if len(names) > 6 else "")


def _misshapen(where: str, law: AbstractBranchLaw, count: int) -> list[str]:
    if isinstance(law, Series):
        return [sentence for part in law.laws for sentence in _misshapen(where, part, count)]
    if has_terms(law):
        return _misshapen_fields(where, law, count)
    one = jax.ShapeDtypeStruct((count,), jnp.result_type(float))
    found = jax.eval_shape(law.pressure_drop, one, one, one).shape
    if found == (count,):
        return []
    return [f"{where}: {type(law).__name__} gives pressure drops of shape {found} for flows of shape {(count,)}"]


def _misshapen_fields(where: str, module: eqx.Module, count: int) -> list[str]:
    sentences = []
    for field in dataclasses.fields(module):
        value = getattr(module, field.name)
        if isinstance(value, Series):
            sentences += _misshapen(where, value, count)
        elif isinstance(value, eqx.Module):
            sentences += _misshapen_fields(where, value, count)
        elif isinstance(value, jax.Array | np.ndarray) and value.shape not in ((), (count,)):
            branches = "branch" if count == 1 else "branches"
            sentences.append(
                f"{where}: {field.name} of {type(module).__name__} has shape {value.shape}; the group has {count} "
                f"{branches}, so give one number, or an array of shape {(count,)}"
            )
    return sentences


def refuse_shape(name: str, value: Any, allowed: Sequence[tuple[int, ...]], counts: str) -> None:
    """Raises ValueError where an input's shape is none of the allowed; `counts` says what its entries stand for."""
    shape = np.shape(value)
    if shape not in allowed:
        raise ValueError(f"{name} has shape {shape} and needs {' or '.join(map(str, allowed))}: {counts}")
