"""``voltherm sweep``: many designs of a case."""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voltherm import __version__
from voltherm.cli.folders import drawing, output_folder, writing
from voltherm.cli.options import Devices, Json, Output, Overrides, Resume, StudyFile
from voltherm.cli.output import print_json, problem_console, progress, result_console, simple_table

if TYPE_CHECKING:
    from voltherm.formats.loader import Study
    from voltherm.formats.sweep_store import SweepFolder
    from voltherm.site import Site
    from voltherm.study.store import Columns
    from voltherm.study.sweep import SweepResult
    from voltherm.study.sweep_summary import SweepSummary

_TOLD = ("cooling_power", "pue", "junction_margin", "supply_margin")
"""Figures that are shown of the best designs."""


def sweep(
    study: StudyFile,
    overrides: Overrides = None,
    output: Output = None,
    resume: Resume = False,
    json: Json = False,
    device: Devices = None,
) -> None:
    """Solve many designs of a case, in chunks that survive any end of the process."""
    from voltherm.cli.studies import read_study

    read = read_study(study, overrides, "sweep")
    from voltherm.cli.environment import prepare
    from voltherm.formats.sweep_store import SweepFolder

    store = SweepFolder(output_folder(output, study))
    with contextlib.closing(store):
        # what the folder holds is judged before jax is imported, as far as the file of the study tells
        store.inspect(_known(read), resume=resume)
        prepare(device, every_core=True)
        from voltherm.cli.studies import case_of
        from voltherm.study.sweep_summary import NEEDED, summarised

        site = case_of(read)
        result = _swept(read, site, store, resume=resume)
        paths = [variable["path"] for variable in read.variables]
        table = result.table((*NEEDED, *_TOLD, *paths))
        found = summarised(site, table)
    with writing() as write:
        drawn = write(lambda: _drawn(read, table, found, store.folder), store.folder)
        _told(read, result, table, found, [*result.files, *drawn], as_json=json)


def _told(
    read: "Study",
    result: "SweepResult",
    table: "Columns",
    found: "SweepSummary",
    files: list[Path],
    *,
    as_json: bool,
) -> None:
    if as_json:
        print_json(
            {
                "designs": result.plan.designs,
                "failed": result.failed,
                "counts": result.counts,
                "feasible": int(found.feasible.sum()),
                "broken": dict(found.broken),
                "best": [_design(read, table, design) for design in found.best],
                "nearest": [_design(read, table, design) | {"passes_most": text} for design, text in found.nearest],
                "chunks_reused": result.reused,
                "chunks_computed": result.computed,
                "files": files,
            }
        )
        return
    rows = [(code.name, f"{count:,}") for code, count in result.counts.items()]
    console = result_console(whole_lines=True)
    console.print(simple_table(f"{result.plan.designs:,} designs", ("result", "designs"), rows))
    for sentence in result.described():
        console.print(sentence, soft_wrap=True)
    console.print(simple_table(*_best(read, table, found), left=1))
    if found.broken:
        broken = ", ".join(f"{name} in {count:,}" for name, count in found.broken.items())
        console.print(f"limits that are passed: {broken}", soft_wrap=True)
    console.print(f"chunks: {result.computed} computed, {result.reused} found finished")
    for file in files:
        console.print(str(file), soft_wrap=True)


def _known(read: "Study") -> dict[str, Any]:
    """What the file of a sweep says of its manifest."""
    settings = read.settings
    known = {
        "variables": list(read.variables),
        "chunk": settings.chunk,
        "sampler": settings.sampler,
        "seed": settings.seed,
        "voltherm": __version__,
    }
    return known | ({"designs": settings.designs} if settings.sampler == "sobol" else {})


def _drawn(read: "Study", table: "Columns", found: "SweepSummary", folder: Path) -> list[Path]:
    from voltherm.formats.schema_site import FIELDS
    from voltherm.formats.units import DIMENSIONS

    values = {}
    for variable in read.variables:
        path = variable["path"]
        unit = DIMENSIONS[FIELDS[path].dimension][FIELDS[path].unit]
        values[path] = (table[path] - unit.offset) / unit.factor, FIELDS[path].unit

    def draw() -> str:
        from voltherm.report.figures_sweep import sweep_figure

        return sweep_figure(values, table["cooling_power"], found.feasible, found.best)

    return drawing(folder / "sweep.svg", draw)


def _design(read: "Study", table: "Columns", design: int) -> dict[str, Any]:
    names = (*(variable["path"] for variable in read.variables), *_TOLD)
    return {"design": design} | {name: float(table[name][design]) for name in names}


def _best(read: "Study", table: "Columns", found: "SweepSummary") -> tuple[str, tuple[str, ...], list[tuple[str, ...]]]:
    """The best feasible designs, or those that come nearest, as a table: their variables, and what they come to."""
    from voltherm.formats.schema_site import FIELDS
    from voltherm.report.quantities import difference, number, power

    paths = [variable["path"] for variable in read.variables]
    forms = {"cooling_power": power, "pue": lambda value: number(value, 4)}
    shown = found.best or tuple(design for design, _ in found.nearest)
    rows = [(path, *(FIELDS[path].shown(float(table[path][design]), 4) for design in shown)) for path in paths]
    for name in _TOLD:
        form = forms.get(name, lambda value: difference(value, 2))
        rows.append((name.replace("_", " "), *(form(float(table[name][design])) for design in shown)))
    if found.nearest:
        rows.append(("passes most", *(text for _, text in found.nearest)))
    feasible = int(found.feasible.sum())
    title = f"{feasible:,} designs hold every limit; the {'least cooling' if feasible else 'nearest'} first"
    return title, ("design", *(f"{design:,}" for design in shown)), rows


def _swept(read: "Study", site: "Site", store: "SweepFolder", *, resume: bool) -> "SweepResult":
    from voltherm.cli.studies import translated
    from voltherm.study import sweep as run_sweep
    from voltherm.study.sweep import SweepProgress

    settings = read.settings
    with translated(), progress() as report:

        def show(now: SweepProgress) -> None:
            report(f"designs ({now.failed} failed)" if now.failed else "designs", now.done, now.designs)

        return run_sweep(
            site,
            read.variables,
            sampler=settings.sampler,
            designs=settings.designs,
            seed=settings.seed,
            chunk=settings.chunk,
            store=store,
            resume=resume,
            progress=show,
            notice=lambda sentence: problem_console().print(sentence, soft_wrap=True),
        )
