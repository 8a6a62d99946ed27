"""Random search: the baseline that a tuning has to beat.

    best = argmin f(u_k) over k = 1 ... n with g(u_k) <= 0,   u_k uniform in the unit cube, scrambled Sobol points

Sobol points cover the cube more evenly than independent ones, which makes the baseline harder to beat.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from voltherm.numerics import ResultCode
from voltherm.numerics.nan_max import nan_max
from voltherm.study.augmented_lagrangian import Objective
from voltherm.study.chunks import ChunkPlan, Evaluator
from voltherm.study.design import DesignVariable, DesignVariables, sample


@dataclasses.dataclass(frozen=True)
class RandomSearch:
    """Outcome: points tried, solved and feasible; the best design (variable,) and its objective, NaN where none is."""

    points: int
    solved: int
    feasible: int
    unit: np.ndarray
    objective: float


def random_search(
    function: Objective,
    variables: int,
    arguments: Any = None,
    *,
    points: int = 1000,
    seed: int = 0,
    tolerance: float = 0.0,
    chunk: int = 8,
    devices: Sequence[jax.Device] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> RandomSearch:
    """The best of `points` random designs in the unit cube of so many `variables`; `progress(done, all)`."""
    cube = DesignVariables(tuple(DesignVariable(f"u{number}", 0.0, 1.0) for number in range(variables)))
    units = sample(cube, designs=points, seed=seed)

    def design(unit: Float[Array, "variable"], arguments: Any) -> tuple[dict[str, Array], Int[Array, ""]]:
        objective, constraints = function(unit, arguments)
        parts = [jnp.zeros((0,), objective.dtype), *(jnp.ravel(value) for value in constraints.values())]
        # finite also without constraints, as every output of a solved design is
        violation = nan_max(jnp.concatenate(parts), float(jnp.finfo(objective.dtype).min))
        return {"objective": objective, "violation": violation}, jnp.asarray(ResultCode.CONVERGED.value, jnp.int32)

    plan = ChunkPlan(points, min(chunk, points))
    evaluator = Evaluator(design, arguments, lanes=plan.size, devices=devices)
    objective, violation = np.full(points, np.nan), np.full(points, np.nan)
    together = len(evaluator.devices)
    for first in range(0, plan.count, together):
        numbers = range(first, min(first + together, plan.count))
        for number, answer in zip(numbers, evaluator([plan.padded(n, units) for n in numbers]), strict=True):
            rows = plan.rows(number)
            objective[rows] = answer["objective"][: rows.stop - rows.start]
            violation[rows] = answer["violation"][: rows.stop - rows.start]
        if progress is not None:
            progress(plan.rows(numbers[-1]).stop, points)
    feasible = violation <= tolerance
    best = int(np.argmin(np.where(feasible, objective, np.inf)))
    return RandomSearch(
        points=points,
        solved=int(np.sum(np.isfinite(objective))),
        feasible=int(np.sum(feasible)),
        unit=units[best] if feasible.any() else np.full(variables, np.nan),
        objective=float(objective[best]) if feasible.any() else float("nan"),
    )
