"""``voltherm simulate``: the case in time, after heat rejection is lost."""

from typing import TYPE_CHECKING, Annotated

import typer

from voltherm.cli.options import Case, Devices, Json, Output, Overrides, output_folder
from voltherm.cli.output import print_json, progress, result_console, simple_table

if TYPE_CHECKING:
    from voltherm.formats.results import Results
    from voltherm.site.transient import RideThrough


def simulate(
    case: Case,
    overrides: Overrides = None,
    duration: Annotated[str | None, typer.Option("--duration", help="Simulated time, such as '2 h'.")] = None,
    step: Annotated[str | None, typer.Option("--step", help="Time step, such as '15 s'.")] = None,
    output: Output = None,
    json: Json = False,
    device: Devices = None,
) -> None:
    """Follow a case in time from its steady state, after all outdoor heat rejection is lost."""
    from voltherm.formats.loader import configuration

    given = {"ride_through.duration": duration, "ride_through.step": step}
    texts = [*(overrides or ()), *(f"{path}={text}" for path, text in given.items() if text is not None)]
    configured, document = configuration(case, texts)
    from voltherm.cli.environment import prepare

    prepare(device)
    from voltherm.cli.studies import translated
    from voltherm.formats.errors import ConfigurationError, Problem
    from voltherm.formats.results import write_results
    from voltherm.site import build
    from voltherm.site.transient import StepTooLongError
    from voltherm.site.transient import simulate as run_simulation
    from voltherm.study.site_functions import solved

    site = build(configured)
    with translated(), progress() as report:
        report("steady state", 0, 2)
        state = solved(site).value
        report("simulation", 1, 2)
        try:
            course = run_simulation(site, state)
        except StepTooLongError as error:
            # only the solved state knows the flow in the pipes
            place = next(value for value in document.values if value.path == "ride_through.step")
            raise ConfigurationError([Problem(place.file, place.line, place.path, str(error))]) from error
        report("simulation", 2, 2)
    file = write_results(output_folder(output, case) / "simulation.h5", _results(document.name, course))
    figures = {
        "seconds_to_limit": course.seconds_to_limit,
        "first_limit": course.first_limit,
        "seconds_per_kelvin": course.seconds_per_kelvin,
        "energy_residual": course.energy_residual,
    }
    if json:
        print_json({"name": document.name, **figures, "file": file})
        return
    minutes = course.seconds_to_limit / 60.0
    reached = course.first_limit != "none"
    simulated = f"{course.time[-1] / 60.0:.4g} min simulated"
    rows = [
        ("first limit", f"{course.first_limit} after {minutes:.1f} min" if reached else f"none in {simulated}"),
        ("facility water warms by 1 K in", f"{course.seconds_per_kelvin:.0f} s"),
        ("hottest GPU at the end", f"{course.gpu_temperature[-1] - 273.15:.1f} degC"),
        ("largest imbalance of stored heat", f"{course.energy_residual:.1e} of the heat of a step"),
        ("file", str(file)),
    ]
    result_console().print(simple_table(f"{document.name}: all heat rejection lost", ("", ""), rows, left=2))


def _results(name: str, course: "RideThrough") -> "Results":
    import dataclasses

    import numpy as np

    from voltherm.formats.answer_fields import Described, described
    from voltherm.formats.results import Results, Variable

    variables = {}
    for field in dataclasses.fields(course):
        trace = described(type(course), field)
        if isinstance(trace, Described):
            values = np.asarray(getattr(course, field.name))
            variables["time_since_loss" if field.name == "time" else field.name] = Variable(
                values, ("time",), trace.unit, trace.meaning
            )
    attributes = {
        "title": name,
        "kind": "simulation",
        "first_limit": course.first_limit,
        "seconds_to_limit": course.seconds_to_limit,
        "seconds_per_kelvin": course.seconds_per_kelvin,
        "energy_residual": course.energy_residual,
    }
    return Results(attributes, variables)
