"""Sweeps: one function over many designs, in chunks that a killed sweep does not lose.

    table[d] = f(x_d),   d = 0 ... designs - 1

`run` is the machinery for any function of a design; `sweep` applies it to a site. A design that fails keeps its row:
its outputs are NaN and its ``result`` says why.
"""

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from voltherm import __version__
from voltherm.numerics import ResultCode, sentence
from voltherm.site.sections import Site
from voltherm.study.chunks import ChunkPlan, DesignFunction, Evaluator
from voltherm.study.design import DesignVariables, digest, sample
from voltherm.study.site_functions import SITE_COLUMNS, present_values, site_digest, solve_design
from voltherm.study.store import Columns, MemoryStore, SweepStore

FORMAT = "voltherm sweep 1"
DEFAULT_CHUNK = 64


@dataclasses.dataclass(frozen=True)
class SweepProgress:
    """How far a sweep is: designs in all, done (those found finished included) and failed among those of this run."""

    designs: int
    done: int
    failed: int


@dataclasses.dataclass(frozen=True)
class SweepResult:
    """What a sweep did.

    - `counts`: designs by result code, `ResultCode.CONVERGED` first
    - `reused`, `computed`: chunks found finished and chunks evaluated now
    - `files`: the merged table, as files; empty for a sweep in memory
    - `notices`: sentences about what the user should know
    - `store`: where the chunks are
    """

    plan: ChunkPlan
    counts: dict[ResultCode, int]
    reused: int
    computed: int
    files: tuple[Path, ...]
    notices: tuple[str, ...]
    store: SweepStore

    @property
    def failed(self) -> int:
        """Designs without a solution."""
        return self.plan.designs - self.counts.get(ResultCode.CONVERGED, 0)

    def table(self, names: Iterable[str] | None = None) -> Columns:
        """The table in memory, arrays (design,) by name: of all columns, or of those in `names`."""
        wanted = None if names is None else set(names)
        chunks = [
            {name: column for name, column in self.store.read_chunk(chunk).items() if wanted is None or name in wanted}
            for chunk in range(self.plan.count)
        ]
        return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]}

    def described(self) -> list[str]:
        """One sentence for every result code that occurs."""
        return [
            f"{count} of {self.plan.designs} designs: {sentence(code, 'the design')}"
            for code, count in self.counts.items()
        ]


def run(
    function: DesignFunction,
    arguments: Any,
    variables: DesignVariables,
    points: np.ndarray,
    *,
    case: str,
    chunk: int = DEFAULT_CHUNK,
    store: SweepStore | None = None,
    resume: bool = False,
    columns: Mapping[str, tuple[str, str]] | None = None,
    description: Mapping[str, Any] | None = None,
    devices: Sequence[jax.Device] | None = None,
    progress: Callable[[SweepProgress], None] | None = None,
    notice: Callable[[str], None] | None = None,
) -> SweepResult:
    """Evaluate `function` at all points, in chunks.

    **Arguments**

    - `function`, `arguments`: see `voltherm.study.chunks.DesignFunction`
    - `variables`, `points`: the variables and their values (design, variable)
    - `case`: digest of everything else the numbers depend on; a sweep of another case is not resumed
    - `chunk`: designs in a chunk, and lanes of the compiled program
    - `store`: default in memory
    - `resume`: keep what the store holds of this same sweep
    - `columns`: unit and meaning of outputs by name, for the files
    - `description`: more entries of the manifest, such as the sampler and its seed
    - `progress`: called after every round of chunks, one chunk a device
    - `notice`: called with a sentence as soon as there is something to tell

    **Returns**: a `SweepResult`. An interruption at any moment leaves every finished chunk in the store.
    """
    plan = ChunkPlan(len(points), chunk)
    store = MemoryStore() if store is None else store
    notices: list[str] = []

    def tell(text: str) -> None:
        notices.append(text)
        if notice is not None:
            notice(text)

    manifest = store.open(_manifest(plan, variables, points, case, columns, description), resume=resume)
    try:
        # what the store refuses is refused before anything is solved or compiled
        finished = store.finished()
        pending = [number for number in range(plan.count) if number not in finished]
        done, failed = sum(_length(plan, number) for number in finished), 0
        if pending:
            evaluator = Evaluator(function, arguments, lanes=manifest["lanes"], devices=devices, notice=tell)
            together = len(evaluator.devices)
            for first in range(0, len(pending), together):
                numbers = pending[first : first + together]
                answers = evaluator([plan.padded(number, points) for number in numbers])
                if evaluator.lanes != manifest["lanes"]:
                    manifest = manifest | {"lanes": evaluator.lanes}
                    store.update(manifest)
                for number, answer in zip(numbers, answers, strict=True):
                    rows = _rows(plan, number, variables, points, answer)
                    store.write_chunk(number, rows)
                    done += len(rows["result"])
                    failed += int(np.sum(rows["result"] != ResultCode.CONVERGED))
                if progress is not None:
                    progress(SweepProgress(plan.designs, done, failed))
        files = store.merge(plan.count)
        counts: Counter[int] = Counter()
        for number in range(plan.count):
            counts.update(store.read_chunk(number)["result"].tolist())
    finally:
        store.close()
    return SweepResult(
        plan=plan,
        counts={ResultCode(code): counts[code] for code in sorted(counts)},
        reused=len(finished),
        computed=len(pending),
        files=files,
        notices=tuple(notices),
        store=store,
    )


def _manifest(
    plan: ChunkPlan,
    variables: DesignVariables,
    points: np.ndarray,
    case: str,
    columns: Mapping[str, tuple[str, str]] | None,
    description: Mapping[str, Any] | None,
) -> dict[str, Any]:
    units = {variable.path: (variable.unit, f"design variable {variable.path}") for variable in variables.variables}
    return {
        "format": FORMAT,
        "case": case,
        "variables": variables.described(),
        "designs": plan.designs,
        "points": digest(points),
        "chunk": plan.size,
        **dict(description or {}),
        "dtype": jnp.result_type(float).name,
        "platform": jax.default_backend(),
        "voltherm": __version__,
        "jax": jax.__version__,
        "columns": {
            name: {"units": unit, "long_name": meaning}
            for name, (unit, meaning) in {**units, **dict(columns or {})}.items()
        },
        "lanes": plan.size,
    }


def _length(plan: ChunkPlan, number: int) -> int:
    rows = plan.rows(number)
    return rows.stop - rows.start


def _rows(plan: ChunkPlan, number: int, variables: DesignVariables, points: np.ndarray, answer: Columns) -> Columns:
    """The columns of a chunk: design number, variables, outputs, result; without the filling."""
    rows = plan.rows(number)
    length = rows.stop - rows.start
    values = {path: points[rows, column] for column, path in enumerate(variables.paths)}
    return {"design": np.arange(rows.start, rows.stop, dtype=np.int64), **values} | {
        name: column[:length] for name, column in answer.items()
    }


def sweep(
    site: Site,
    variables: DesignVariables | Mapping[str, Any] | Iterable[Any],
    *,
    sampler: str = "sobol",
    designs: int | None = None,
    seed: int = 0,
    chunk: int = DEFAULT_CHUNK,
    store: SweepStore | None = None,
    resume: bool = False,
    devices: Sequence[jax.Device] | None = None,
    progress: Callable[[SweepProgress], None] | None = None,
    notice: Callable[[str], None] | None = None,
) -> SweepResult:
    """The figures of `voltherm.site.outputs` over many designs of a site, each from its own cold start.

    **Arguments**

    - `site`: the site; what is not a variable keeps its value
    - `variables`: dotted paths of numbers of the site with their ranges or values, see `DesignVariables.build`
    - `sampler`, `designs`, `seed`: see `voltherm.study.design.sample`
    - the others: see `run`

    **Returns**: a `SweepResult`.

    **Raises**: `KeyError` with the path that names no number of the site; `ValueError` where the sampler cannot serve
    the variables.
    """
    chosen = DesignVariables.build(variables)
    points = sample(chosen, sampler=sampler, designs=designs, seed=seed)
    # a path that names no number is told before a store is opened
    present_values(site, chosen.paths)
    return run(
        solve_design(chosen.paths),
        site,
        chosen,
        points,
        case=site_digest(site),
        chunk=chunk,
        store=store,
        resume=resume,
        columns=SITE_COLUMNS,
        description={"sampler": sampler, "seed": seed},
        devices=devices,
        progress=progress,
        notice=notice,
    )
