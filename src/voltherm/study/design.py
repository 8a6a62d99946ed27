"""Design variables and the samplers that fill their ranges: Sobol, grid and list.

    x = lower + u (upper - lower),   u in the unit cube

| symbol | meaning | unit |
|---|---|---|
| u | position in the unit cube, one coordinate per variable | 1 |
| x | value of the variable | that of the variable |

A variable that lists its values takes ``values[floor(u n)]`` under Sobol sampling. Every sampler gives all points from
its arguments alone, so point number 4711 is the same whoever computes it and whenever.

Source: Sobol (1967), scrambled as in Owen (1998), by `scipy.stats.qmc`.
"""

import dataclasses
import hashlib
import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

SAMPLERS = ("sobol", "grid", "list")


@dataclasses.dataclass(frozen=True)
class DesignVariable:
    """One number that a study moves: the dotted path of the number, and its range or its list of values.

    `unit` is the unit of the range and of the values, SI as everywhere inside.
    """

    path: str
    minimum: float = math.nan
    maximum: float = math.nan
    values: tuple[float, ...] = ()
    unit: str = "1"

    def __post_init__(self) -> None:
        if self.values:
            if not all(math.isfinite(value) for value in self.values):
                raise ValueError(f"{self.path}: every value has to be a finite number, not {self.values}")
        elif not self.minimum < self.maximum or not math.isfinite(self.maximum - self.minimum):
            raise ValueError(
                f"{self.path}: needs a list of values, or a minimum below its maximum; "
                f"it has {self.minimum:g} and {self.maximum:g}"
            )

    @property
    def lower(self) -> float:
        """Lowest value."""
        return min(self.values) if self.values else self.minimum

    @property
    def upper(self) -> float:
        """Highest value."""
        return max(self.values) if self.values else self.maximum


@dataclasses.dataclass(frozen=True)
class DesignVariables:
    """The variables of a study, in the order of the columns of every array of points."""

    variables: tuple[DesignVariable, ...]

    def __post_init__(self) -> None:
        if not self.variables:
            raise ValueError("a study needs at least one variable")
        repeated = sorted({path for path in self.paths if self.paths.count(path) > 1})
        if repeated:
            raise ValueError(f"a variable stands once in a study; repeated: {', '.join(repeated)}")

    @classmethod
    def build(cls, variables: "DesignVariables | Mapping[str, Any] | Iterable[Any]") -> "DesignVariables":
        """From plain Python.

        **Arguments**: `variables`, one of

        - a mapping from path to `(minimum, maximum)`
        - an iterable of mappings with the keys `path`, `minimum`, `maximum`, `values`, `unit`
        - an iterable of `DesignVariable`
        """
        if isinstance(variables, DesignVariables):
            return variables
        if isinstance(variables, Mapping):
            return cls(
                tuple(
                    DesignVariable(path, float(minimum), float(maximum))
                    for path, (minimum, maximum) in variables.items()
                )
            )
        entries: Iterable[Any] = variables
        return cls(tuple(_variable(entry) for entry in entries))

    @property
    def paths(self) -> tuple[str, ...]:
        """Dotted paths, in order."""
        return tuple(variable.path for variable in self.variables)

    @property
    def lower(self) -> Float[np.ndarray, "variable"]:
        """Lowest values."""
        return np.array([variable.lower for variable in self.variables])

    @property
    def upper(self) -> Float[np.ndarray, "variable"]:
        """Highest values."""
        return np.array([variable.upper for variable in self.variables])

    def to_unit(self, values: Float[np.ndarray, "*design variable"]) -> Float[np.ndarray, "*design variable"]:
        """Positions in the unit cube; values outside their range are moved to its edge. Host side."""
        span = np.where(self.upper > self.lower, self.upper - self.lower, 1.0)
        return np.clip((values - self.lower) / span, 0.0, 1.0)

    def from_unit(self, unit: Float[Array, "*design variable"]) -> Float[Array, "*design variable"]:
        """Values at positions in the unit cube; traced and differentiable. Lists count as ranges here."""
        lower, upper = (
            jnp.broadcast_to(jnp.asarray(bound, unit.dtype), unit.shape) for bound in (self.lower, self.upper)
        )
        return lower + unit * (upper - lower)

    def described(self) -> list[dict[str, Any]]:
        """Plain description for a manifest."""
        return [
            {
                "path": v.path,
                "unit": v.unit,
                **({"values": list(v.values)} if v.values else {"minimum": v.minimum, "maximum": v.maximum}),
            }
            for v in self.variables
        ]


def _variable(entry: DesignVariable | Mapping[str, Any]) -> DesignVariable:
    if isinstance(entry, DesignVariable):
        return entry
    unknown = sorted(set(entry) - {"path", "minimum", "maximum", "values", "unit"})
    if unknown:
        raise ValueError(f"a variable has no {', '.join(unknown)}; it has path, minimum, maximum, values and unit")
    return DesignVariable(
        path=str(entry["path"]),
        minimum=float(entry["minimum"]) if entry.get("minimum") is not None else math.nan,
        maximum=float(entry["maximum"]) if entry.get("maximum") is not None else math.nan,
        values=tuple(float(value) for value in entry.get("values") or ()),
        unit=str(entry.get("unit") or "1"),
    )


def sample(
    variables: DesignVariables, *, sampler: str = "sobol", designs: int | None = None, seed: int = 0
) -> Float[np.ndarray, "design variable"]:
    """All points of a study.

    **Arguments**

    - `sampler`: ``sobol`` (scrambled by `seed`), ``grid`` (every combination; the last variable runs fastest) or
      ``list`` (the values of all variables taken together, line by line)
    - `designs`: how many points Sobol gives (default 1,024). A grid takes the lists as they are and gives every range
      the same number of evenly spaced points, as many as keep the whole at or below `designs`. A list takes the first
      `designs` of its lines.

    **Returns**: values, in float64.

    **Raises**: `ValueError` where the sampler cannot serve these variables.
    """
    if sampler not in SAMPLERS:
        raise ValueError(f"there is no sampler {sampler!r}; there are {', '.join(SAMPLERS)}")
    if designs is not None and designs < 1:
        raise ValueError(f"a study needs at least one design, not {designs}")
    if sampler == "sobol":
        return _sobol(variables, designs or 1024, seed)
    return _grid(variables, designs) if sampler == "grid" else _list(variables, designs)


def _sobol(variables: DesignVariables, designs: int, seed: int) -> Float[np.ndarray, "design variable"]:
    # slow to import, and only this sampler needs it
    from scipy.stats import qmc

    # a whole power of two, of which a shorter study takes the beginning: more designs keep the first ones
    exponent = max(math.ceil(math.log2(designs)), 0)
    unit = qmc.Sobol(len(variables.variables), scramble=True, rng=seed).random_base2(exponent)[:designs]
    columns = []
    for variable, position in zip(variables.variables, unit.T, strict=True):
        if variable.values:
            count = len(variable.values)
            columns.append(np.asarray(variable.values)[np.minimum((position * count).astype(int), count - 1)])
        else:
            columns.append(variable.minimum + position * (variable.maximum - variable.minimum))
    return np.stack(columns, axis=1)


def _grid(variables: DesignVariables, designs: int | None) -> Float[np.ndarray, "design variable"]:
    listed = math.prod(len(variable.values) for variable in variables.variables if variable.values)
    ranges = [variable for variable in variables.variables if not variable.values]
    points = 0
    if ranges:
        if designs is None:
            raise ValueError(f"a grid over the range of {ranges[0].path} needs `designs`, or a list of its values")
        points = round((designs / listed) ** (1.0 / len(ranges)))
        points -= listed * points ** len(ranges) > designs
        if points < 2:
            raise ValueError(
                f"{designs} designs are too few for a grid: it needs {listed * 2 ** len(ranges)} for the two ends of "
                "every range; ask for more, or sample with sobol"
            )
    axes = [
        variable.values or tuple(np.linspace(variable.minimum, variable.maximum, points))
        for variable in variables.variables
    ]
    return np.array(list(itertools.product(*axes)), dtype=float)


def _list(variables: DesignVariables, designs: int | None) -> Float[np.ndarray, "design variable"]:
    lengths = {variable.path: len(variable.values) for variable in variables.variables}
    if len(set(lengths.values())) > 1 or 0 in lengths.values():
        told = ", ".join(f"{path} {length}" for path, length in lengths.items())
        raise ValueError(f"the sampler list needs the same number of values for every variable; there are {told}")
    return np.array([variable.values for variable in variables.variables], dtype=float).T[:designs]


def digest(*parts: Sequence[Any] | np.ndarray | bytes | str) -> str:
    """SHA-256 over texts, bytes and arrays (their type and shape included), for manifests."""
    total = hashlib.sha256()
    for part in parts:
        if isinstance(part, bytes | str):
            total.update(part.encode() if isinstance(part, str) else part)
        else:
            array = np.ascontiguousarray(part)
            total.update(f"{array.dtype.str}{array.shape}".encode())
            total.update(array.tobytes())
    return total.hexdigest()
