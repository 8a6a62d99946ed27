r"""Constrained minimisation over a unit cube by an augmented Lagrangian.

    minimise f(u) subject to g_i(u) <= 0, 0 <= u <= 1
    L(u; λ, μ) = f(u) / |f(u_0)| + Σ_i [ max(0, λ_i + μ g_i(u))² - λ_i² ] / (2 μ)
    u <- P(u - η Adam(∂L/∂u)),    after every round: λ_i <- max(0, λ_i + μ g_i),   μ <- γ μ where g did not improve

| symbol | meaning | unit |
|---|---|---|
| u | design in the unit cube | 1 |
| f | objective | that of the objective |
| g | constraints, scaled so that 0.01 is worth noticing | 1 |
| λ, μ | multipliers and penalty | 1 |
| η | step, which falls by a fixed factor from round to round | 1 |
| P | projection on the cube | |

One evaluation of f and g and one reverse pass make a step, whatever the number of constraints. A design that cannot be
solved (NaN) is left by going half the way back to the last one that could. The answer is the best design that holds
every constraint: where the last iterate misses one by a hair, the line from the best feasible design towards it is
searched by bisection.

Source: Nocedal and Wright (2006), algorithm 17.4 and equation 17.58; Kingma and Ba (2015) for Adam, by optax.
Range: smooth f and g; a local minimum.
"""

import dataclasses
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Bool, Float, Int

from voltherm.study import checkpoint as checkpoints
from voltherm.study.errors import UnsolvedStartError

Objective = Callable[[Float[Array, "variable"], Any], tuple[Float[Array, ""], dict[str, Array]]]
"""`(position in the unit cube, arguments) -> (objective, constraints by name, held where <= 0)`, pure and traceable."""

_BISECTIONS = 12
_ACTIVE = 1e-3
"""A constraint closer to zero than this, or with a multiplier, counts as active."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """Numbers of the method. `iterations` steps in rounds of `round_length`, the step falling by `decay` a round.

    `tolerance`: a constraint is held where it is at or below this.
    """

    iterations: int = 300
    round_length: int = 25
    learning_rate: float = 0.04
    decay: float = 0.75
    penalty: float = 10.0
    penalty_growth: float = 2.0
    tolerance: float = 0.0


class _State(eqx.Module):
    iteration: Int[Array, ""]
    unit: Float[Array, "variable"]
    solved: Float[Array, "variable"]
    optimiser: Any
    multipliers: Float[Array, "constraint"]
    penalty: Float[Array, ""]
    violation: Float[Array, ""]
    best: Float[Array, "variable"]
    best_objective: Float[Array, ""]
    history_unit: Float[Array, "iteration variable"]
    history_objective: Float[Array, "iteration"]
    history_violation: Float[Array, "iteration"]


@dataclasses.dataclass(frozen=True)
class Minimum:
    """What a minimisation found.

    - `unit`: the design (variable,) in the unit cube; `objective`, `constraints`: its values
    - `feasible`: whether it holds every constraint
    - `active`: names of the constraints that bind there
    - `multipliers`: by constraint, per unit of objective at the start
    - `stationarity`: largest component of the projected gradient of the Lagrangian; `complementarity`: largest
      min(-g, λ). Both are zero at a Karush-Kuhn-Tucker point. They are those of the last iterate.
    - `history`: arrays (iteration,) ``objective``, ``violation`` and (iteration, variable) ``unit``
    """

    unit: np.ndarray
    objective: float
    constraints: dict[str, np.ndarray]
    feasible: bool
    active: tuple[str, ...]
    multipliers: dict[str, np.ndarray]
    stationarity: float
    complementarity: float
    history: dict[str, np.ndarray]


def minimise(
    function: Objective,
    initial: Float[np.ndarray, "variable"],
    arguments: Any = None,
    *,
    settings: Settings | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    resume: bool = False,
    study: Mapping[str, Any] | None = None,
    progress: Callable[[int, float, float], None] | None = None,
) -> Minimum:
    """The least objective in the unit cube that holds every constraint.

    **Arguments**

    - `function`, `arguments`: see `Objective`
    - `initial`: where to start, in the unit cube
    - `checkpoint`: a file written after every step; with `resume` the run goes on from it where it exists, on the very
      trajectory it was on
    - `study`: what the checkpoint belongs to, besides the settings
    - `progress`: called with the steps done, the objective and the largest constraint

    **Raises**: `UnsolvedStartError` where the start has no solution; `ForeignCheckpointError` for another study's
    checkpoint.
    """
    chosen = settings or Settings()
    traced, fixed = eqx.partition(arguments, eqx.is_array)
    start = jnp.clip(jnp.asarray(initial, jnp.result_type(float)), 0.0, 1.0)

    @jax.jit
    def evaluate(unit: Array, traced: Any) -> tuple[Array, dict[str, Array]]:
        return function(unit, eqx.combine(traced, fixed))

    objective, named = evaluate(start, traced)
    shapes = {name: jnp.shape(value) for name, value in named.items()}
    if not np.isfinite(objective) or not np.all(np.isfinite(_joined(named, objective))):
        raise UnsolvedStartError(
            "the design that the minimisation starts from has no solution: start from one that has"
        )
    problem = _Problem(function, fixed, jnp.maximum(jnp.abs(objective), jnp.finfo(objective.dtype).tiny), chosen)
    state = problem.start(start, _joined(named, objective).size)
    header = {**dict(study or {}), "settings": dataclasses.asdict(chosen), "dtype": start.dtype.name}
    if checkpoint is not None and resume and Path(checkpoint).exists():
        state = checkpoints.load(checkpoint, header, state)
    step = jax.jit(problem.step)
    while int(state.iteration) < chosen.iterations:
        state = step(state, traced)
        if checkpoint is not None:
            checkpoints.save(checkpoint, header, state)
        if progress is not None:
            last = int(state.iteration) - 1
            progress(last + 1, float(state.history_objective[last]), float(state.history_violation[last]))
    unit = _best(lambda at: evaluate(at, traced), state, chosen.tolerance)
    objective, named = evaluate(unit, traced)
    constraints = {name: np.asarray(value) for name, value in named.items()}
    stationarity, complementarity, multipliers = jax.jit(problem.residuals)(state, traced)
    by_name = _split(np.asarray(multipliers), shapes)
    return Minimum(
        unit=np.asarray(unit),
        objective=float(objective),
        constraints=constraints,
        feasible=bool(np.all(_joined(named, objective) <= chosen.tolerance)),
        active=tuple(
            name
            for name, value in constraints.items()
            if np.any((value > -_ACTIVE) | ((by_name[name] > _ACTIVE) & (value > -10.0 * _ACTIVE)))
        ),
        multipliers=by_name,
        stationarity=float(stationarity),
        complementarity=float(complementarity),
        history={
            "objective": np.asarray(state.history_objective),
            "violation": np.asarray(state.history_violation),
            "unit": np.asarray(state.history_unit),
        },
    )


class _Problem:
    """The traced parts of one minimisation."""

    def __init__(self, function: Objective, fixed: Any, scale: Array, settings: Settings):
        self._function, self._fixed, self._scale, self._settings = function, fixed, scale, settings
        self._optimiser = optax.scale_by_adam()

    def start(self, unit: Array, constraints: int) -> _State:
        dtype, steps = unit.dtype, self._settings.iterations
        empty = jnp.full((steps,), jnp.nan, dtype)
        return _State(
            iteration=jnp.zeros((), jnp.int32),
            unit=unit,
            solved=unit,
            optimiser=self._optimiser.init(unit),
            multipliers=jnp.zeros((constraints,), dtype),
            penalty=jnp.asarray(self._settings.penalty, dtype),
            violation=jnp.asarray(jnp.inf, dtype),
            best=unit,
            best_objective=jnp.asarray(jnp.inf, dtype),
            history_unit=jnp.full((steps, unit.size), jnp.nan, dtype),
            history_objective=empty,
            history_violation=empty,
        )

    def _evaluate(self, unit: Array, traced: Any) -> tuple[Array, Array]:
        objective, named = self._function(unit, eqx.combine(traced, self._fixed))
        return objective, _joined(named, objective)

    def step(self, state: _State, traced: Any) -> _State:
        """One evaluation with its gradient, one Adam step, and at the end of a round the multipliers."""
        settings = self._settings

        def lagrangian(unit: Array) -> tuple[Array, tuple[Array, Array]]:
            objective, constraints = self._evaluate(unit, traced)
            shifted = jnp.maximum(0.0, state.multipliers + state.penalty * constraints)
            penalties = jnp.sum(shifted**2 - state.multipliers**2) / (2.0 * state.penalty)
            return objective / self._scale + penalties, (objective, constraints)

        (value, (objective, constraints)), gradient = jax.value_and_grad(lagrangian, has_aux=True)(state.unit)
        good = jnp.isfinite(value) & jnp.all(jnp.isfinite(gradient))
        violation = jnp.max(constraints, initial=-jnp.inf)
        # optax raises a float to an integer count, which strict promotion refuses
        with jax.numpy_dtype_promotion("standard"):
            update, optimiser = self._optimiser.update(jnp.where(good, gradient, 0.0), state.optimiser)
        finished_rounds = state.iteration // settings.round_length
        rate = settings.learning_rate * settings.decay ** finished_rounds.astype(state.unit.dtype)
        moved = jnp.clip(state.unit - rate * update, 0.0, 1.0)
        back = 0.5 * (state.unit + state.solved)
        better = good & (violation <= settings.tolerance) & (objective < state.best_objective)
        end_of_round = good & ((state.iteration + 1) % settings.round_length == 0)
        slow = jnp.maximum(violation, 0.0) > 0.5 * jnp.maximum(state.violation, 0.0)
        return _State(
            iteration=state.iteration + 1,
            unit=jnp.where(good, moved, back),
            solved=jnp.where(good, state.unit, state.solved),
            optimiser=jax.tree.map(lambda new, old: jnp.where(good, new, old), optimiser, state.optimiser),
            multipliers=jnp.where(
                end_of_round, jnp.maximum(0.0, state.multipliers + state.penalty * constraints), state.multipliers
            ),
            penalty=jnp.where(end_of_round & slow, settings.penalty_growth * state.penalty, state.penalty),
            violation=jnp.where(end_of_round, violation, state.violation),
            best=jnp.where(better, state.unit, state.best),
            best_objective=jnp.where(better, objective, state.best_objective),
            history_unit=state.history_unit.at[state.iteration].set(state.unit),
            history_objective=state.history_objective.at[state.iteration].set(objective),
            history_violation=state.history_violation.at[state.iteration].set(violation),
        )

    def residuals(self, state: _State, traced: Any) -> tuple[Array, Array, Array]:
        """Stationarity, complementarity and the multipliers after one more update, at the last solved iterate."""
        unit = state.solved
        _, constraints = self._evaluate(unit, traced)
        multipliers = jnp.maximum(0.0, state.multipliers + state.penalty * constraints)

        def lagrangian(unit: Array) -> Array:
            objective, constraints = self._evaluate(unit, traced)
            return objective / self._scale + jnp.sum(jax.lax.stop_gradient(multipliers) * constraints)

        gradient = jax.grad(lagrangian)(unit)
        stationarity = jnp.max(jnp.abs(unit - jnp.clip(unit - gradient, 0.0, 1.0)))
        complementarity = jnp.max(jnp.abs(jnp.minimum(-constraints, multipliers)), initial=0.0)
        return stationarity, complementarity, multipliers


def _joined(named: Mapping[str, Array], objective: Array) -> Float[Array, "constraint"]:
    parts = [jnp.ravel(value) for value in named.values()]
    return jnp.concatenate([jnp.zeros((0,), objective.dtype), *parts])


def _split(values: np.ndarray, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    sizes = [int(np.prod(shape)) for shape in shapes.values()]
    parts = np.split(values, np.cumsum(sizes)[:-1]) if sizes else []
    return {name: part.reshape(shape) for (name, shape), part in zip(shapes.items(), parts, strict=True)}


def _best(
    evaluate: Callable[[Array], tuple[Array, dict[str, Array]]], state: _State, tolerance: float
) -> Float[Array, "variable"]:
    """The best feasible design: the best one met, or a better one on the line from it to the last iterate."""
    if not np.isfinite(state.best_objective):
        return state.solved

    def value(at: Array) -> float:
        objective, named = evaluate(at)
        held: Bool[Array, ""] = jnp.all(_joined(named, objective) <= tolerance)
        return float(objective) if bool(held) else float("inf")

    best, least = state.best, float(state.best_objective)
    near, far = 0.0, 1.0
    share = 1.0
    for _ in range(_BISECTIONS):
        at = state.best + share * (state.solved - state.best)
        reached = value(at)
        if reached < least:
            best, least = at, reached
        if np.isfinite(reached):
            near = share
        else:
            far = share
        if near == 1.0:
            break
        share = 0.5 * (near + far)
    return best
