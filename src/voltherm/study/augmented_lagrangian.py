r"""Constrained minimisation over a unit cube by an augmented Lagrangian.

    minimise f(u) subject to g_i(u) <= 0, 0 <= u <= 1
    L(u; λ, μ) = f(u) / F + Σ_i [ max(0, λ_i + μ g_i(u))² - λ_i² ] / (2 μ),   F = max_j |∂f/∂u_j|
    u <- P(u - η Adam(∂L/∂u)),    after every round: λ_i <- max(0, λ_i + μ g_i),   μ <- γ μ where g did not improve

| symbol | meaning | unit |
|---|---|---|
| u | design in the unit cube | 1 |
| f | objective | that of the objective |
| g | constraints, scaled so that 0.01 is worth noticing | 1 |
| F | what the objective changes by across the cube; a large constant part of it does not count | that of f |
| λ, μ | multipliers and penalty | 1 |
| η | step, which falls by a fixed factor from round to round | 1 |
| P | projection on the cube | |

One evaluation of f and g and one reverse pass make a step, whatever the number of constraints, and one compiled program
serves every step and the final residuals. A design that cannot be solved (NaN) is left by going half the way back to
the last one that could. The answer is the best design that holds every constraint: where the last iterate misses one by
a hair, the line from the best feasible design towards it is searched by bisection.

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
from voltherm.study.errors import NoSteadyStateError

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
    scale: Float[Array, ""]
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
    - `start_objective`, `start_constraints`: those of the design it started from
    - `feasible`: whether it holds every constraint
    - `active`: names of the constraints that bind there
    - `multipliers`: by constraint, what the objective falls by per unit that the constraint is relaxed
    - `stationarity`: largest component of the projected gradient of the Lagrangian, in shares of F; `complementarity`:
      largest min(-g, λ). Both are zero at a Karush-Kuhn-Tucker point. They are those of the last iterate.
    - `history`: arrays (iteration,) ``objective``, ``violation`` and (iteration, variable) ``unit``
    """

    unit: np.ndarray
    objective: float
    constraints: dict[str, np.ndarray]
    start_objective: float
    start_constraints: dict[str, np.ndarray]
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

    **Raises**: `NoSteadyStateError` where the start has no solution; `ForeignCheckpointError` for another study's
    checkpoint.
    """
    chosen = settings or Settings()
    traced, fixed = eqx.partition(arguments, eqx.is_array)
    start = jnp.clip(jnp.asarray(initial, jnp.result_type(float)), 0.0, 1.0)

    problem = _Problem(function, fixed, chosen)
    derivatives, advance = jax.jit(problem.derivatives), jax.jit(problem.advance)

    def evaluate(unit: Array) -> tuple[Array, dict[str, Array]]:
        found = derivatives(unit, empty, one, one, traced)
        return found.objective, found.constraints

    one = jnp.ones((), start.dtype)
    shapes = jax.eval_shape(lambda unit: function(unit, arguments)[1], start)
    empty = jnp.zeros((sum(shape.size for shape in shapes.values()),), start.dtype)
    header = {**dict(study or {}), "settings": dataclasses.asdict(chosen), "dtype": start.dtype.name}
    kept = None
    if checkpoint is not None and resume and Path(checkpoint).exists():
        # a file that does not fit is refused before anything is compiled
        kept = checkpoints.load(checkpoint, header, problem.start(start, empty.size, one))
    first = derivatives(start, empty, one, one, traced)
    if not np.all(np.isfinite(_joined(first.constraints, first.objective))) or not np.isfinite(first.objective):
        raise NoSteadyStateError(
            "the design that the minimisation starts from has no solution: start from one that has"
        )
    state = problem.start(start, empty.size, _scale(first)) if kept is None else kept
    while int(state.iteration) < chosen.iterations:
        found = derivatives(state.unit, state.multipliers, state.penalty, state.scale, traced)
        state = advance(state, found)
        if checkpoint is not None:
            checkpoints.save(checkpoint, header, state)
        if progress is not None:
            last = int(state.iteration) - 1
            progress(last + 1, float(state.history_objective[last]), float(state.history_violation[last]))
    unit = _best(evaluate, state, chosen.tolerance)
    objective, named = evaluate(unit)
    constraints = {name: np.asarray(value) for name, value in named.items()}
    last_found = derivatives(state.solved, state.multipliers, state.penalty, state.scale, traced)
    stationarity, complementarity, multipliers = _residuals(state, last_found)
    by_name = _split(np.asarray(multipliers), {name: value.shape for name, value in constraints.items()})
    return Minimum(
        unit=np.asarray(unit),
        objective=float(objective),
        constraints=constraints,
        start_objective=float(first.objective),
        start_constraints={name: np.asarray(value) for name, value in first.constraints.items()},
        feasible=bool(np.all(_joined(named, objective) <= chosen.tolerance)),
        active=tuple(
            name
            for name, value in constraints.items()
            if np.any((value > -_ACTIVE) | ((by_name[name] > _ACTIVE) & (value > -10.0 * _ACTIVE)))
        ),
        multipliers={name: np.asarray(value * float(state.scale)) for name, value in by_name.items()},
        stationarity=float(stationarity),
        complementarity=float(complementarity),
        history={
            "objective": np.asarray(state.history_objective),
            "violation": np.asarray(state.history_violation),
            "unit": np.asarray(state.history_unit),
        },
    )


class _Derivatives(eqx.Module):
    objective: Float[Array, ""]
    constraints: dict[str, Array]
    objective_gradient: Float[Array, "variable"]
    gradient: Float[Array, "variable"]


class _Problem:
    """The traced parts of one minimisation."""

    def __init__(self, function: Objective, fixed: Any, settings: Settings):
        self._function, self._fixed, self._settings = function, fixed, settings
        self._optimiser = optax.scale_by_adam()

    def start(self, unit: Array, constraints: int, scale: Array) -> _State:
        dtype, steps = unit.dtype, self._settings.iterations
        empty = jnp.full((steps,), jnp.nan, dtype)
        return _State(
            iteration=jnp.zeros((), jnp.int32),
            unit=unit,
            solved=unit,
            optimiser=self._optimiser.init(unit),
            multipliers=jnp.zeros((constraints,), dtype),
            penalty=jnp.asarray(self._settings.penalty, dtype),
            scale=scale,
            violation=jnp.asarray(jnp.inf, dtype),
            best=unit,
            best_objective=jnp.asarray(jnp.inf, dtype),
            history_unit=jnp.full((steps, unit.size), jnp.nan, dtype),
            history_objective=empty,
            history_violation=empty,
        )

    def derivatives(self, unit: Array, multipliers: Array, penalty: Array, scale: Array, traced: Any) -> _Derivatives:
        """Objective, constraints, ∂f/∂u and ∂L/∂u: one reverse pass with two right-hand sides."""

        def both(unit: Array) -> tuple[tuple[Array, Array], dict[str, Array]]:
            objective, named = self._function(unit, eqx.combine(traced, self._fixed))
            return (objective, _joined(named, objective)), named

        (objective, constraints), pull, named = jax.vjp(both, unit, has_aux=True)
        shifted = jnp.maximum(0.0, multipliers + penalty * constraints)
        (gradients,) = jax.vmap(pull)(
            (jnp.asarray([1.0, 0.0], objective.dtype), jnp.stack([jnp.zeros_like(shifted), shifted]))
        )
        return _Derivatives(objective, named, gradients[0], gradients[0] / scale + gradients[1])

    def advance(self, state: _State, found: _Derivatives) -> _State:
        """One Adam step, and at the end of a round the multipliers."""
        settings, objective, gradient = self._settings, found.objective, found.gradient
        constraints = _joined(found.constraints, objective)
        good = jnp.isfinite(objective) & jnp.all(jnp.isfinite(constraints)) & jnp.all(jnp.isfinite(gradient))
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
        # F follows the gradient of f, by no more than a factor of four a round; the multipliers of f itself stay
        following = jnp.clip(_scale(found), 0.25 * state.scale, 4.0 * state.scale)
        scale = jnp.where(end_of_round, following, state.scale)
        slow = jnp.maximum(violation, 0.0) > 0.5 * jnp.maximum(state.violation, 0.0)
        return _State(
            iteration=state.iteration + 1,
            unit=jnp.where(good, moved, back),
            solved=jnp.where(good, state.unit, state.solved),
            optimiser=jax.tree.map(lambda new, old: jnp.where(good, new, old), optimiser, state.optimiser),
            multipliers=jnp.where(
                end_of_round,
                jnp.maximum(0.0, state.multipliers + state.penalty * constraints) * state.scale / scale,
                state.multipliers,
            ),
            penalty=jnp.where(end_of_round & slow, settings.penalty_growth * state.penalty, state.penalty),
            scale=scale,
            violation=jnp.where(end_of_round, violation, state.violation),
            best=jnp.where(better, state.unit, state.best),
            best_objective=jnp.where(better, objective, state.best_objective),
            history_unit=state.history_unit.at[state.iteration].set(state.unit),
            history_objective=state.history_objective.at[state.iteration].set(objective),
            history_violation=state.history_violation.at[state.iteration].set(violation),
        )


def _scale(found: _Derivatives) -> Float[Array, ""]:
    """What the objective changes by across the cube, by its gradient; a small share of it where that vanishes."""
    smallest = 1e-6 * jnp.abs(found.objective) + jnp.finfo(found.objective.dtype).tiny
    return jnp.maximum(jnp.max(jnp.abs(jnp.nan_to_num(found.objective_gradient))), smallest)


def _residuals(state: _State, found: _Derivatives) -> tuple[Array, Array, Array]:
    """Stationarity, complementarity and the next multipliers at the last solved iterate."""
    constraints = _joined(found.constraints, found.objective)
    multipliers = jnp.maximum(0.0, state.multipliers + state.penalty * constraints)
    stationarity = jnp.max(jnp.abs(state.solved - jnp.clip(state.solved - found.gradient, 0.0, 1.0)))
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
