"""From a validated configuration to a `Site`, and the dotted paths by which its numbers are addressed."""

import dataclasses
import difflib
import typing
from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array

from voltherm.site.sections import Site


def build(configuration: object) -> Site:
    """The site that a configuration describes.

    **Arguments**: `configuration`: any object whose attributes carry the names of the sections of `Site` and, below
    them, the names of their fields, with plain numbers in SI units.

    **Returns**: the `Site`, in JAX's default floating-point precision.

    **Raises**: `AttributeError` naming the path where the configuration lacks a number.
    """
    return _section(Site, configuration, "")


def _section(kind: type, source: object, path: str) -> Any:
    hints = typing.get_type_hints(kind)
    values = {}
    for field in dataclasses.fields(kind):
        name = f"{path}{field.name}"
        if not hasattr(source, field.name):
            raise AttributeError(f"{name} is missing from the configuration of the site")
        value = getattr(source, field.name)
        hint = hints[field.name]
        if isinstance(hint, type) and issubclass(hint, eqx.Module):
            values[field.name] = _section(hint, value, f"{name}.")
        elif hint in (int, str, float):
            values[field.name] = hint(value)
        else:
            values[field.name] = jnp.asarray(value, dtype=jnp.result_type(float))
    return kind(**values)


def parameter_paths(site: Site) -> tuple[str, ...]:
    """The dotted paths of all scalar numbers of a site, in the order of its sections."""
    leaves, _ = jax.tree_util.tree_flatten_with_path(site)
    return tuple(".".join(key.name for key in path) for path, leaf in leaves if jnp.ndim(leaf) == 0)


def parameter(site: Site, path: str) -> Array:
    """The number at a dotted path. **Raises** `KeyError` with the path, and what may be meant, where there is none."""
    value = _leaf(site, path)
    if not eqx.is_array(value):
        raise _no_number(site, path)
    return value


def _no_number(site: Any, path: str) -> KeyError:
    known = parameter_paths(site) if isinstance(site, Site) else ()
    near = difflib.get_close_matches(path, known, n=1)
    meant = f": did you mean '{near[0]}'?" if near else ""
    return KeyError(f"'{path}' is no number of the site{meant}")


def _leaf(site: Any, path: str) -> Any:
    part = site
    for name in path.split("."):
        # an array has attributes too, and none of them is a number of the site
        if not isinstance(part, eqx.Module) or not hasattr(part, name):
            raise _no_number(site, path)
        part = getattr(part, name)
    return part


def with_parameters(site: Site, values: Mapping[str, Any]) -> Site:
    """The site with the numbers at the given dotted paths replaced; works under `jit`, `vmap` and `grad`.

    **Raises**: `KeyError` with the path that names no number of the site.
    """
    paths = tuple(values)
    present = [parameter(site, path) for path in paths]
    if not paths:
        return site
    replacements = [
        jnp.broadcast_to(jnp.asarray(values[path], dtype=old.dtype), old.shape)
        for path, old in zip(paths, present, strict=True)
    ]
    return eqx.tree_at(lambda tree: [_leaf(tree, path) for path in paths], site, replacements)
