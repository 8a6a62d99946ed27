"""A site as functions of a design: what sweeps, tuning and sensitivities evaluate.

Numbers are addressed by dotted path, and every design starts from the same solved state of the unchanged site: no
design's result depends on its neighbours or on what was solved before it.
"""

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Float, Int

from voltherm.numerics import ResultCode, Solution
from voltherm.site.build import parameter, with_parameters
from voltherm.site.coupling import steady
from voltherm.site.diagnosis import diagnose
from voltherm.site.outputs import FIGURES, outputs
from voltherm.site.sections import Site
from voltherm.study.chunks import DesignFunction
from voltherm.study.design import digest
from voltherm.study.errors import NoSteadyStateError

SITE_COLUMNS: dict[str, tuple[str, str]] = {
    **{name: (figure.unit, figure.meaning) for name, figure in FIGURES.items()},
    "result": ("1", "result code of the steady solve"),
}
"""Unit and meaning of the columns of a sweep over a site."""


@eqx.filter_jit
def _solve(site: Site) -> Solution:
    return steady(site)


def solved(site: Site) -> Solution:
    """The converged steady state of a site as it is; compiled once for all its numbers.

    **Raises**: `NoSteadyStateError` naming the part that fails where it has none.
    """
    solution = _solve(site)
    code = int(solution.status.result)
    if code != ResultCode.CONVERGED:
        raise NoSteadyStateError(f"{site.name} has no steady state: {diagnose(site, code)}")
    return solution


def solve_design(paths: Sequence[str]) -> DesignFunction:
    """`(values of paths, site) -> (figures, result code)`; every design starts cold."""

    def function(values: Float[Array, "variable"], site: Site) -> tuple[dict[str, Array], Int[Array, ""]]:
        designed = with_parameters(site, dict(zip(paths, values, strict=True)))
        solution = steady(designed)
        return outputs(designed, solution.value), solution.status.result

    return function


def present_values(site: Site, paths: Sequence[str]) -> Float[np.ndarray, "variable"]:
    """The values that a site has at dotted paths. **Raises** `KeyError` with the path that names no number."""
    return np.array([float(parameter(site, path)) for path in paths])


def site_digest(site: Site) -> str:
    """SHA-256 over the structure and every number of a site."""
    leaves, structure = jax.tree.flatten(site)
    described: list[Any] = [np.asarray(leaf) for leaf in leaves]
    return digest(str(structure), *described)
