"""``voltherm tune``: the least yearly cost of a case, or the law of a cold plate."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from voltherm.cli.folders import drawing, output_folder, writing
from voltherm.cli.options import Devices, Json, Output, Overrides, Resume, StudyFile
from voltherm.cli.output import print_json, progress, result_console, simple_table

if TYPE_CHECKING:
    from voltherm.formats.loader import Study
    from voltherm.study.tune import TuneResult


def tune(
    study: StudyFile,
    overrides: Overrides = None,
    output: Output = None,
    resume: Resume = False,
    json: Json = False,
    device: Devices = None,
) -> None:
    """Find the least yearly cost with every limit held, or fit a cold plate to its table."""
    from voltherm.cli.studies import read_study

    read = read_study(study, overrides, "tune")
    from voltherm.cli.environment import prepare

    folder = output_folder(output, study)
    if read.settings.kind == "cold_plate":
        prepare(device)
        _cold_plate(read, folder, as_json=json)
        return
    checkpoint = folder / "checkpoint"
    if resume:
        from voltherm.formats.checkpoint_header import inspect_checkpoint

        # judged before jax is imported, as far as the file of the study tells
        known = {"variables": list(read.variables), "settings": {"iterations": read.settings.iterations}}
        inspect_checkpoint(checkpoint, known)
    prepare(device, every_core=True)
    _site(read, folder, checkpoint, resume=resume, as_json=json)


def _site(read: "Study", folder: Path, checkpoint: Path, *, resume: bool, as_json: bool) -> None:
    from voltherm.cli.studies import case_of, translated
    from voltherm.study import tune as run_tune
    from voltherm.study.augmented_lagrangian import Settings
    from voltherm.study.tune import TuneProgress, case_digest, weighted_ambients

    settings, site = read.settings, case_of(read)
    if resume:
        from voltherm.formats.checkpoint_header import inspect_checkpoint

        inspect_checkpoint(checkpoint, {"case": case_digest(site, *weighted_ambients(site, settings.ambients))})
    with translated(), progress() as report:

        def show(now: TuneProgress) -> None:
            report(now.stage, now.done, now.total)

        result = run_tune(
            site,
            read.variables,
            ambients=settings.ambients,
            settings=Settings(iterations=settings.iterations),
            random_points=settings.random_search,
            seed=settings.seed,
            checkpoint=checkpoint,
            resume=resume,
            progress=show,
        )
    with writing() as write:
        files = write(lambda: _written(read, result, folder), folder)
        _told(read, result, files, as_json=as_json)
    if not result.feasible:
        from voltherm.formats.errors import NotConvergedError

        raise NotConvergedError("no design within the ranges was found that holds every limit: widen them")


def _told(read: "Study", result: "TuneResult", files: list[Path], *, as_json: bool) -> None:
    from voltherm.formats.schema_site import FIELDS

    if as_json:
        print_json(
            {
                "objective": result.objective,
                "start_objective": result.start_objective,
                "search_objective": result.search.objective if result.search else None,
                "gain_over_start": result.gain_over_start,
                "gain_over_search": result.gain_over_search,
                "feasible": result.feasible,
                "active": result.active,
                "start": result.start,
                "values": result.values,
                "units": result.units,
                "files": files,
            }
        )
    else:
        rows = [
            (path, FIELDS[path].shown(result.start[path]), FIELDS[path].shown(value))
            for path, value in result.values.items()
        ]
        console = result_console()
        console.print(simple_table(read.document.name, ("number", "start", "tuned"), rows))
        for sentence in result.described():
            console.print(sentence, soft_wrap=True)
        for file in files:
            console.print(str(file), soft_wrap=True)


def _written(read: "Study", result: "TuneResult", folder: Path) -> list[Path]:
    import numpy as np

    from voltherm.formats.changed_case import write_changed_case
    from voltherm.formats.results import Results, Variable, write_results
    from voltherm.formats.schema_site import FIELDS

    history = result.minimum.history
    variables = {
        "objective": Variable(history["objective"], ("iteration",), "USD year-1", "yearly cost"),
        "violation": Variable(
            history["violation"], ("iteration",), "1", "largest constraint, held where not above zero"
        ),
        "position": Variable(history["unit"], ("iteration", "variable"), "1", "design in the unit cube of the ranges"),
        "path": Variable(np.array(list(result.values)), ("variable",), "1", "number of the case"),
        "unit": Variable(np.array(list(result.units.values())), ("variable",), "1", "unit of its values"),
        "start": Variable(np.array(list(result.start.values())), ("variable",), "unit", "value at the start"),
        "tuned": Variable(np.array(list(result.values.values())), ("variable",), "unit", "value found"),
    }
    attributes: dict[str, Any] = {
        "title": read.document.name,
        "kind": "tune",
        "objective": result.objective,
        "start_objective": result.start_objective,
        "feasible": int(result.feasible),
        "active": list(result.active),
    }
    files = [write_results(folder / "tune.h5", Results(attributes, variables))]
    if read.case is not None:
        changes = {path: FIELDS[path].shown(value, 9) for path, value in result.values.items()}
        case = read.case[1]
        files.append(write_changed_case(folder / "case", case, changes, file="tuned.yaml", name=f"{case.name}, tuned"))

    def draw() -> str:
        from voltherm.report.figures_tune import tune_figure

        return tune_figure(result)

    return [*files, *drawing(folder / "tune.svg", draw)]


def _cold_plate(read: "Study", folder: Path, *, as_json: bool) -> None:
    import numpy as np

    from voltherm.formats.results import Results, Variable, write_results
    from voltherm.study.calibration import calibrate_cold_plate

    flow, resistance = np.array(read.settings.flow), np.array(read.settings.resistance)
    if len(flow) != len(resistance) or len(flow) < 3:
        from voltherm.formats.errors import ConfigurationError, Problem

        place = next(value for value in read.document.values if value.path == "tune.resistance")
        message = f"{len(resistance)} resistances for {len(flow)} flows: as many of each are needed, and at least 3"
        raise ConfigurationError([Problem(place.file, place.line, "tune.resistance", message)])
    with progress() as report:
        limit = read.settings.iterations
        _, fit = calibrate_cold_plate(
            flow, resistance, iterations=limit, progress=lambda done, error: report("fit", done, limit)
        )
    variables = {
        "flow": Variable(flow, ("point",), "m3 s-1", "volume flow of the table"),
        "resistance": Variable(resistance, ("point",), "K W-1", "resistance of the table"),
        "difference": Variable(fit.residual, ("point",), "1", "law less table, relative"),
    }
    attributes = {"title": read.document.name, "kind": "cold plate", **fit.parameters, "largest": fit.largest}
    with writing() as write:
        results = Results(attributes, variables)
        files = write(lambda: [write_results(folder / "cold_plate.h5", results)], folder)
        if as_json:
            shown = {name: getattr(fit, name) for name in ("parameters", "standard_errors", "largest")}
            print_json({**shown, "files": files})
        else:
            rows = [
                (name, f"{value:.6g}", f"{100 * fit.standard_errors[name]:.2f} %")
                for name, value in fit.parameters.items()
            ]
            console = result_console()
            console.print(simple_table(read.document.name, ("parameter", "value", "standard error"), rows))
            console.print(f"largest difference from the table: {100 * fit.largest:.2f} %")
            for file in files:
                console.print(str(file), soft_wrap=True)
    if not fit.converged:
        from voltherm.formats.errors import NotConvergedError

        raise NotConvergedError(f"the fit did not settle within {read.settings.iterations} iterations")
