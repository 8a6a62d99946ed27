"""Tuning: the numbers of a site that give the least yearly cost with every limit held.

    minimise cost(x) over lower <= x <= upper,   g(x) <= 0 at every ambient
    cost = Σ_a w_a cost(x; T_a),   w_a = share of the year's hours in a part of it, T_a = their mean

| symbol | meaning | unit |
|---|---|---|
| x | set points, pump heads, diameters, taps: any number of the site by its path | its own |
| T_a, w_a | ambients at which the site is solved, and their shares of the year | K, 1 |
| g | temperature, voltage and loading limits, from `voltherm.study.yearly_cost` | 1 |

`run` is the machinery for any function; `tune` applies it to a site. The answer is compared with the start and with the
best of a random search over the same ranges.
"""

import dataclasses
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from voltherm.site.build import parameter, with_parameters
from voltherm.site.climate import dry_bulb_year
from voltherm.site.sections import Site
from voltherm.study.augmented_lagrangian import Minimum, Settings, minimise
from voltherm.study.design import DesignVariables, digest
from voltherm.study.random_search import RandomSearch, random_search
from voltherm.study.site_functions import present_values, site_digest, solved
from voltherm.study.yearly_cost import DRY_BULB, yearly_cost

ValueObjective = Callable[[dict[str, Array], Any], tuple[Float[Array, ""], dict[str, Array]]]
"""`(values by path, arguments) -> (objective, constraints by name, held where <= 0)`, pure and traceable."""

DEFAULT_AMBIENTS = 40
_STILL_FALLING = 1e-4  # relative, over the last tenth of the steps
_HISTOGRAM = 64


@dataclasses.dataclass(frozen=True)
class TuneProgress:
    """How far a tuning is: its stage (``descent`` or ``random search``), steps done and in all, and the last values."""

    stage: str
    done: int
    total: int
    objective: float
    violation: float


@dataclasses.dataclass(frozen=True)
class TuneResult:
    """What a tuning found.

    - `start`, `values`: the variables before and after, by path
    - `start_objective`, `start_constraints`, `start_feasible`: the design it started from
    - `objective`, `constraints`, `feasible`, `active`: the design it found
    - `minimum`: multipliers, Karush-Kuhn-Tucker residuals and history
    - `search`: the random search, None where none was asked for
    - `units`: unit of every variable; `objective_unit`: of the objective, empty where it is not known
    """

    start: dict[str, float]
    values: dict[str, float]
    units: dict[str, str]
    start_feasible: bool
    minimum: Minimum
    search: RandomSearch | None
    search_values: dict[str, float] | None
    objective_unit: str = ""

    @property
    def start_objective(self) -> float:
        """Objective of the design it started from."""
        return self.minimum.start_objective

    @property
    def start_constraints(self) -> dict[str, np.ndarray]:
        """Constraints of the design it started from, held where <= 0."""
        return self.minimum.start_constraints

    @property
    def objective(self) -> float:
        """Objective of the design found."""
        return self.minimum.objective

    @property
    def constraints(self) -> dict[str, np.ndarray]:
        """Constraints of the design found, held where <= 0."""
        return self.minimum.constraints

    @property
    def feasible(self) -> bool:
        """Whether the design found holds every constraint."""
        return self.minimum.feasible

    @property
    def active(self) -> tuple[str, ...]:
        """Constraints that bind at the design found."""
        return self.minimum.active

    @property
    def at_edge(self) -> tuple[str, ...]:
        """Variables that lie at the edge of their range."""
        edge = (self.minimum.unit <= 0.0) | (self.minimum.unit >= 1.0)
        return tuple(path for path, there in zip(self.values, edge, strict=True) if there)

    @property
    def gain_over_start(self) -> float:
        """By how much the objective fell below the start's, relative to that."""
        return (self.start_objective - self.objective) / abs(self.start_objective)

    @property
    def gain_over_search(self) -> float:
        """The same against the random search; NaN where it found no feasible design or none was asked for."""
        if self.search is None:
            return float("nan")
        return (self.search.objective - self.objective) / abs(self.search.objective)

    @property
    def last_fall(self) -> float:
        """By how much the best design of the descent fell in its last tenth, relative; NaN where it found none."""
        history = self.minimum.history
        held = np.where(history["violation"] <= 0.0, history["objective"], np.inf)
        best = np.minimum.accumulate(held) if held.size else held
        before = best[max(len(best) - 1 - len(best) // 10, 0)] if held.size else np.inf
        return float((before - best[-1]) / abs(best[-1])) if np.isfinite(before) else float("nan")

    def described(self) -> list[str]:
        """Sentences for a summary."""
        unit = f" {self.objective_unit}" if self.objective_unit else ""
        held = "every limit is held" if self.feasible else "NOT every limit is held"
        told = [
            f"objective {self.objective:,.6g}{unit}, {100 * self.gain_over_start:+.2f} % below the start "
            f"({self.start_objective:,.6g}{unit}{'' if self.start_feasible else ', which breaks a limit'}); {held}"
        ]
        if self.search is not None:
            among = f"{self.search.feasible} of {self.search.points} random designs hold the limits"
            told.append(
                f"{among}; the best of them costs {self.search.objective:,.6g}{unit}: "
                f"the tuned design is {100 * self.gain_over_search:+.2f} % below it"
                if self.search.feasible
                else f"{among}: the random search found no design at all"
            )
        told.append(f"binding: {', '.join(self.active) or 'no limit, only the objective itself'}")
        if self.last_fall > _STILL_FALLING:
            steps = len(self.minimum.history["objective"])
            told.append(
                f"still descending: the last {steps // 10} of {steps} steps took {100 * self.last_fall:.2g} % off the "
                "objective, and more of them would take more"
            )
        if self.at_edge:
            told.append(f"at the edge of their ranges: {', '.join(self.at_edge)}")
        return told


def run(
    function: ValueObjective,
    variables: DesignVariables,
    initial: Float[np.ndarray, "variable"],
    arguments: Any = None,
    *,
    case: str = "",
    settings: Settings | None = None,
    random_points: int = 1000,
    seed: int = 0,
    checkpoint: str | os.PathLike[str] | None = None,
    resume: bool = False,
    devices: Sequence[jax.Device] | None = None,
    progress: Callable[[TuneProgress], None] | None = None,
    unit: str = "",
) -> TuneResult:
    """Tune any function of named values.

    **Arguments**

    - `function`, `arguments`: see `ValueObjective`
    - `variables`: paths and ranges
    - `initial`: values to start from; those outside their range start at its edge
    - `case`: digest of what else the objective depends on; a checkpoint of another case is refused
    - `settings`, `checkpoint`, `resume`: see `voltherm.study.augmented_lagrangian.minimise`
    - `random_points`: size of the random search, 0 for none; `seed` scrambles it
    - `progress`: called after every step
    - `unit`: of the objective, for summaries

    **Raises**: `NoSteadyStateError` where the start has no solution; `ForeignCheckpointError` for another
    study's checkpoint.
    """
    chosen = settings or Settings()

    def on_unit(unit: Float[Array, "variable"], arguments: Any) -> tuple[Float[Array, ""], dict[str, Array]]:
        return function(named(unit), arguments)

    def named(unit: Float[Array, "variable"]) -> dict[str, Array]:
        values = variables.from_unit(unit)
        return {path: values[number] for number, path in enumerate(variables.paths)}

    def descent(done: int, objective: float, violation: float) -> None:
        if progress is not None:
            progress(TuneProgress("descent", done, chosen.iterations, objective, violation))

    def searching(done: int, total: int) -> None:
        if progress is not None:
            progress(TuneProgress("random search", done, total, float("nan"), float("nan")))

    def plain(unit: np.ndarray) -> dict[str, float]:
        return {path: float(value) for path, value in named(jnp.asarray(unit, jnp.result_type(float))).items()}

    start = variables.to_unit(np.asarray(initial, float))
    minimum = minimise(
        on_unit,
        start,
        arguments,
        settings=chosen,
        checkpoint=checkpoint,
        resume=resume,
        study={"case": case, "variables": variables.described(), "start": start.tolist()},
        progress=descent,
    )
    search = None
    if random_points:
        search = random_search(
            on_unit,
            len(variables.paths),
            arguments,
            points=random_points,
            seed=seed,
            tolerance=chosen.tolerance,
            devices=devices,
            progress=searching,
        )
    return TuneResult(
        start=plain(start),
        values=plain(minimum.unit),
        units={variable.path: variable.unit for variable in variables.variables},
        start_feasible=all(bool(np.all(value <= chosen.tolerance)) for value in minimum.start_constraints.values()),
        minimum=minimum,
        search=search,
        search_values=plain(search.unit) if search is not None and search.feasible else None,
        objective_unit=unit,
    )


def year_weights(dry_bulb: Float[np.ndarray, "hour"], ambients: Float[np.ndarray, "ambient"]) -> np.ndarray:
    """Shares of the year by ambient (ambient,): weights of linear interpolation over the hours, which sum to one.

    `ambients` rise; hours outside them count for the nearest.
    """
    rows = np.eye(len(ambients))
    return np.array([np.mean(np.interp(dry_bulb, ambients, row)) for row in rows])


def year_parts(
    dry_bulb: Float[np.ndarray, "hour"], count: int
) -> tuple[Float[np.ndarray, "ambient"], Float[np.ndarray, "ambient"]]:
    """The mean dry bulbs [K] of at most `count` parts of the year, from cold to hot, and their shares of its hours.

    What is linear within a part is summed exactly. Where a machine starts within one, the sum misses at most half the
    part's share times its mean deviation times the change of slope, about p w²/8 with hours of density p in a part of
    width w. Widths that fall with the cube root of the density (de Boor's equal distribution of p w³) keep that small
    wherever the start lies, so that designs may move it, and smallest in the tails, where a machine of few hours runs.

    Source: C. de Boor, Good approximation by splines with variable knots II, Lecture Notes in Mathematics 363 (1974).
    """
    edges = np.linspace(dry_bulb.min(), dry_bulb.max(), _HISTOGRAM + 1)
    hours = np.histogram(dry_bulb, edges)[0]
    measure = np.concatenate([[0.0], np.cumsum(np.cbrt(hours))])
    between = np.interp(np.linspace(0.0, measure[-1], count + 1)[1:-1], measure, edges)
    part = np.searchsorted(between, dry_bulb)
    hours, total = np.bincount(part, minlength=count), np.bincount(part, dry_bulb, minlength=count)
    held = hours > 0
    return total[held] / hours[held], hours[held] / len(dry_bulb)


def weighted_ambients(
    site: Site, ambients: int | Sequence[float], dry_bulb: Float[np.ndarray, "hour"] | None = None
) -> tuple[Float[np.ndarray, "ambient"], Float[np.ndarray, "ambient"]]:
    """The dry bulbs [K] at which `tune` solves the site, and their shares of the year; arguments as there.

    To parts of the year are added the design day, and the hottest hour where that is hotter: neither has a share, but
    every limit counts there.
    """
    hours = np.asarray(dry_bulb_year(site.climate) if dry_bulb is None else dry_bulb, float)
    if not isinstance(ambients, int):
        points = np.asarray(ambients, float)
        if np.any(np.diff(points) <= 0.0):
            raise ValueError(f"the ambients have to rise; they are {points.tolist()}")
        return points, year_weights(hours, points)
    points, shares = year_parts(hours, ambients)
    design = float(parameter(site, DRY_BULB))
    limits = np.setdiff1d([design, max(design, hours.max())], points)
    rising = np.argsort(np.concatenate([points, limits]))
    return np.concatenate([points, limits])[rising], np.concatenate([shares, np.zeros(len(limits))])[rising]


def case_digest(site: Site, points: Float[np.ndarray, "ambient"], weights: Float[np.ndarray, "ambient"]) -> str:
    """What the checkpoint of a tuning says of its case: enough to refuse another one before anything is solved."""
    return digest(site_digest(site), points, weights)


def tune(
    site: Site,
    variables: DesignVariables | Mapping[str, Any] | Iterable[Any],
    *,
    ambients: int | Sequence[float] = DEFAULT_AMBIENTS,
    dry_bulb: Float[np.ndarray, "hour"] | None = None,
    settings: Settings | None = None,
    random_points: int = 1000,
    seed: int = 0,
    checkpoint: str | os.PathLike[str] | None = None,
    resume: bool = False,
    devices: Sequence[jax.Device] | None = None,
    progress: Callable[[TuneProgress], None] | None = None,
) -> TuneResult:
    """Tune a site to the least yearly cost with every temperature, voltage and loading limit held.

    **Arguments**

    - `site`: the site, whose own values are the start
    - `variables`: dotted paths of numbers of the site with their ranges, see `DesignVariables.build`
    - `ambients`: how many parts of the year are solved, see `year_parts`, to which the design day is added; or dry
      bulbs [K], rising, between which the year is read by linear interpolation
    - `dry_bulb`: the hours of the year [K]; default the site's parametric year
    - the others: see `run`

    **Raises**: `KeyError` with the path that names no number of the site; and as `run`.
    """
    chosen = DesignVariables.build(variables)
    points, weights = weighted_ambients(site, ambients, dry_bulb)
    dtype = parameter(site, DRY_BULB).dtype

    def cost(values: dict[str, Array], arguments: Any) -> tuple[Float[Array, ""], dict[str, Array]]:
        site, start, ambients, weights = arguments
        return yearly_cost(with_parameters(site, values), ambients, weights, initial=start)

    return run(
        cost,
        chosen,
        present_values(site, chosen.paths),
        (site, solved(site).value, jnp.asarray(points, dtype), jnp.asarray(weights, dtype)),
        case=case_digest(site, points, weights),
        settings=settings,
        random_points=random_points,
        seed=seed,
        checkpoint=checkpoint,
        resume=resume,
        devices=devices,
        progress=progress,
        unit="USD a year",
    )
