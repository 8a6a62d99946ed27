"""Sensitivities: what one output does when any of the numbers it depends on moves a little.

    effect_i = (dF / dp_i) step_i,   all i from one reverse pass

| symbol | meaning | unit |
|---|---|---|
| F | a scalar output | its own |
| p_i | a named number | its own |
| step_i | standard uncertainty of p_i where it has a tolerance; else its natural step: 1 K or 1 % | that of p_i |

The effect is in the unit of F, so that numbers of every kind can be ranked beside each other: those with a tolerance by
what is not known of them, the others by equal steps, which say nothing of how well they are known. At a limit or a
switch the derivative is that of the active set.
"""

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from voltherm.numerics import ResultCode, over_lanes
from voltherm.site.build import parameter, parameter_paths, with_parameters
from voltherm.site.coupling import attach_derivatives, steady
from voltherm.site.outputs import outputs
from voltherm.site.sections import TEMPERATURES, Site
from voltherm.site.states import SiteState
from voltherm.study.uncertainty import GRADIENTS, Tolerance

MARGINS = frozenset(("limits.junction_margin", *(f"rack.{chip}.junction_limit" for chip in ("gpu", "cpu", "switch"))))
"""Numbers that the smallest junction margin is counted from: its derivative by them is 1, -1 or 0."""


@dataclasses.dataclass(frozen=True)
class Sensitivity:
    """One number: its path, its value, the derivative of the output, its step and the effect of that step.

    `value` and `step` in the number's SI unit, `effect` in that of the output, `derivative` in the quotient of both.

    `toleranced`: the step is the standard uncertainty of a number with a tolerance, and not a natural one.
    """

    path: str
    value: float
    derivative: float
    step: float
    effect: float
    toleranced: bool = False

    @property
    def step_text(self) -> str:
        """The step as people say it: kelvins of a site's temperature, "1 %" of the value, or a number."""
        if self.path in TEMPERATURES:
            return f"{self.step:g} K"
        return "1 %" if math.isclose(self.step, 0.01 * abs(self.value), rel_tol=1e-9) else f"{self.step:g}"


def sensitivities(
    function: Callable[[dict[str, Array], Any], Float[Array, ""]],
    parameters: Mapping[str, float | Array],
    arguments: Any = None,
    *,
    steps: Mapping[str, float] | None = None,
) -> list[Sensitivity]:
    """Sensitivities of a scalar function of named scalars, the largest effect first.

    **Arguments**

    - `function`: `(parameters, arguments) -> scalar`, pure and traceable
    - `parameters`: the point at which the derivatives are taken
    - `steps`: natural steps by path; the others follow `natural_step`, which knows the numbers of a site: of other
      names it takes 1 %
    """
    point = {path: jnp.asarray(value, jnp.result_type(float)) for path, value in parameters.items()}
    return _described(point, jax.jit(jax.grad(function))(point, arguments), steps)


def _described(
    values: Mapping[str, Array | float],
    gradient: Mapping[str, Array | float],
    steps: Mapping[str, float] | None,
) -> list[Sensitivity]:
    given = steps or {}
    found = []
    for path, derivative in gradient.items():
        value, slope = float(values[path]), float(derivative)
        step = float(given.get(path, natural_step(path, value)))
        found.append(Sensitivity(path, value, slope, step, slope * step))
    return ranked(found)


def ranked(found: Sequence[Sensitivity], count: int | None = None) -> list[Sensitivity]:
    """Those with the largest effect, NaN last; equal ones by path."""
    ordered = sorted(found, key=lambda one: (np.isnan(one.effect), -abs(one.effect), one.path))
    return ordered[:count]


def natural_step(path: str, value: float) -> float:
    """1 K for a temperature or a temperature difference of a site, 1 % of the value otherwise."""
    return 1.0 if path in TEMPERATURES else 0.01 * abs(value)


def central_difference(function: Callable[[float], float], value: float, step: float) -> float:
    """Derivative by central differences, extrapolated once (Richardson): error of fourth order in `step`."""
    wide = (function(value + 2.0 * step) - function(value - 2.0 * step)) / (4.0 * step)
    narrow = (function(value + step) - function(value - step)) / (2.0 * step)
    return (4.0 * narrow - wide) / 3.0


def differences(
    function: Callable[[dict[str, Array], Any], Float[Array, ""]],
    found: Sequence[Sensitivity],
    parameters: Mapping[str, float | Array],
    arguments: Any = None,
    *,
    share: float = 0.1,
) -> dict[str, float]:
    """Relative difference of each derivative from a central difference over `share` of its natural step.

    The differences are relative to the larger of the derivative and the largest effect's share of it, so that a
    derivative of zero counts as held where the difference quotient is zero too.
    """
    point = {path: jnp.asarray(value, jnp.result_type(float)) for path, value in parameters.items()}
    compiled = jax.jit(function)
    largest = max((abs(one.effect) for one in found), default=0.0)

    def error(one: Sensitivity) -> float:
        def at(value: float) -> float:
            return float(compiled(point | {one.path: jnp.asarray(value, point[one.path].dtype)}, arguments))

        step = share * (one.step or 1.0)
        difference = central_difference(at, one.value, step)
        scale = max(abs(one.derivative), 1e-3 * largest / (one.step or 1.0), np.finfo(float).tiny)
        return abs(difference - one.derivative) / scale

    return {one.path: error(one) for one in found}


def site_function(output: str) -> Callable[[dict[str, Array], tuple[Site, SiteState | None]], Float[Array, ""]]:
    """`(numbers by path, (site, starting state)) -> the figure named output`; NaN where the solve failed."""

    def function(parameters: dict[str, Array], arguments: tuple[Site, SiteState | None]) -> Float[Array, ""]:
        site, start = arguments
        moved = with_parameters(site, parameters)
        solution = steady(moved, initial=start)
        figure = outputs(moved, solution.value)[output]
        return jnp.where(solution.status.result == ResultCode.CONVERGED, figure, jnp.nan)

    return function


@eqx.filter_jit
def _gradients(
    values: Mapping[str, Array], site: Site, state: SiteState, names: tuple[str, ...]
) -> dict[str, Float[Array, "figure"]]:
    def figures(values: Mapping[str, Array]) -> Float[Array, "figure"]:
        there = with_parameters(site, values)
        found = outputs(there, attach_derivatives(there, state))
        return jnp.stack([found[name] for name in names])

    _, back = jax.vjp(figures, dict(values))
    # one program for one figure or several: the reverse pass is compiled once and run for each
    return over_lanes(lambda cotangent: back(cotangent)[0], jnp.eye(len(names), dtype=site.climate.dry_bulb.dtype))


def site_gradients(
    site: Site, state: SiteState, names: Sequence[str], *, paths: Sequence[str] | None = None
) -> dict[str, dict[str, float]]:
    """Derivatives of figures of a site to its numbers: by figure, then by path. One reverse pass a figure.

    **Arguments**

    - `site`, `state`: a site and its solved state
    - `names`: of `voltherm.site.outputs.FIGURES`
    - `paths`: the numbers; default every scalar of the site

    **Raises**: `KeyError` with the path or the figure that does not exist.
    """
    values = {path: parameter(site, path) for path in (paths if paths is not None else parameter_paths(site))}
    found = jax.tree.map(np.asarray, _gradients(values, site, state, tuple(names)))
    return {
        name: {path: float(derivatives[index]) for path, derivatives in found.items()}
        for index, name in enumerate(names)
    }


def site_sensitivities(
    site: Site,
    state: SiteState,
    output: str = "junction_margin",
    *,
    paths: Sequence[str] | None = None,
    steps: Mapping[str, float] | None = None,
) -> list[Sensitivity]:
    """Sensitivities of one figure of a site to all its numbers, the largest effect first, from reverse passes.

    **Arguments**

    - `site`, `state`: a site and its solved state
    - `output`: a name of `voltherm.site.outputs.FIGURES`
    - `paths`: the numbers; default every scalar of the site

    **Raises**: `KeyError` with the path or the figure that does not exist.
    """
    # the program that gives the bands of the main figures is compiled once for all of them
    names = GRADIENTS if output in GRADIENTS else (output,)
    gradient = site_gradients(site, state, names, paths=paths)[output]
    return _described({path: parameter(site, path) for path in gradient}, gradient, steps)


def ranked_by_tolerance(
    site: Site, gradient: Mapping[str, float], tolerances: Mapping[str, Tolerance], count: int | None = None
) -> list[Sensitivity]:
    """Numbers with a tolerance, by what their standard uncertainty does; then the others, by a natural step.

    What a margin is counted from is left out of the others: `MARGINS` move it by a kelvin for a kelvin, whatever the
    site. Of either kind at most `count` are given.
    """
    values = {path: float(parameter(site, path)) for path in gradient}
    known = [
        Sensitivity(
            path,
            values[path],
            gradient[path],
            tolerance.standard_uncertainty,
            gradient[path] * tolerance.standard_uncertainty,
            True,
        )
        for path, tolerance in tolerances.items()
    ]
    others = {path: slope for path, slope in gradient.items() if path not in tolerances and path not in MARGINS}
    return ranked(known, count) + ranked(_described(values, others, None), count)
