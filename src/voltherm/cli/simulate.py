"""``voltherm simulate``: the case in time, while something is lost and restored."""

from typing import TYPE_CHECKING, Annotated

import typer

from voltherm.cli.folders import drawing, output_folder, writing
from voltherm.cli.options import Case, Devices, Json, Output, Overrides
from voltherm.cli.output import print_json, progress, result_console, simple_table

if TYPE_CHECKING:
    from voltherm.formats.results import Results
    from voltherm.site.ride_through import RideThrough

_FIGURES = (
    "events",
    "seconds_to_limit",
    "first_limit",
    "seconds_to_limits",
    "seconds_to_throttling",
    "seconds_per_kelvin",
    "energy_residual",
)


def simulate(
    case: Case,
    overrides: Overrides = None,
    events: Annotated[
        list[str] | None,
        typer.Option(
            "--event",
            metavar="EVENT",
            help="What is lost or restored, in place of the case's events: 'facility pumps lost at 0 s', 'facility "
            "pumps restored at 45 s over 20 s'.",
        ),
    ] = None,
    duration: Annotated[str | None, typer.Option("--duration", help="Simulated time, such as '2 h'.")] = None,
    step: Annotated[str | None, typer.Option("--step", help="Longest time step, such as '15 s'.")] = None,
    output: Output = None,
    json: Json = False,
    device: Devices = None,
) -> None:
    """Follow a case in time from its steady state, while heat rejection, pumps, fans, chillers or the UPS are lost."""
    from voltherm.formats.loader import configuration

    given = {
        "ride_through.duration": duration,
        "ride_through.step": step,
        "ride_through.events": "; ".join(events) if events else None,
    }
    texts = [*(overrides or ()), *(f"{path}={text}" for path, text in given.items() if text is not None)]
    configured, document = configuration(case, texts)
    folder = output_folder(output, case)
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
    results = _results(document.name, course)
    with writing() as write:
        files = write(lambda: [write_results(folder / "simulation.h5", results)], folder)
        file = str(files[0]) if files else None

        def draw() -> str:
            from voltherm.report.figures_ride_through import course_figure

            return course_figure(course, float(site.rack.gpu.junction_limit), float(course.time[-1]))

        drawn = write(lambda: drawing(folder / "simulation.svg", draw), folder)
        if json:
            told = {"name": document.name, **{name: getattr(course, name) for name in _FIGURES}}
            print_json({**told, "file": file, "files": [*files, *drawn]})
        else:
            _print(document.name, course, ", ".join(map(str, [*files, *drawn])) or "none: see below")


def _print(name: str, course: "RideThrough", file: str) -> None:
    import math

    from voltherm.report.quantities import duration

    simulated = f"{duration(float(course.time[-1]))} simulated"
    reached = math.isfinite(course.seconds_to_limit)
    warming = (
        f"{course.seconds_per_kelvin:.0f} s"
        if math.isfinite(course.seconds_per_kelvin)
        else "no time: it does not warm"
    )
    rows = [
        *(("event" if number == 0 else "", text) for number, text in enumerate(course.events.split("; "))),
        (
            "first limit",
            f"{course.first_limit} after {duration(course.seconds_to_limit)}" if reached else f"none in {simulated}",
        ),
        *((name, f"after {duration(seconds)}") for name, seconds in course.later_limits.items()),
        (
            "chips throttle",
            f"after {duration(course.seconds_to_throttling)}"
            if math.isfinite(course.seconds_to_throttling)
            else "never",
        ),
        *([("the course ends", course.ended)] if course.ended else []),
        ("facility water warms by 1 K in", warming),
        ("hottest GPU at the end", f"{course.gpu_temperature[-1] - 273.15:.1f} degC"),
        ("largest imbalance of stored heat", f"{course.energy_residual:.1e} of the heat of a step"),
        ("file", file),
    ]
    console = result_console()
    console.print(simple_table(f"{name}: what is lost", ("", ""), rows, left=2))
    header = ("at", "", "GPU", "supply", "air", "facility", "row", "work")
    console.print(simple_table("The course [degC, kg/s, %]", header, _course(course), left=2))


def _course(course: "RideThrough") -> list[tuple[str, ...]]:
    """The state at the start, at every event, where a limit is reached, and at the end."""
    import math

    import numpy as np

    from voltherm.report.quantities import ZERO_CELSIUS, duration, number

    moments = {0.0: ["start"]}
    for text in filter(None, course.events.split("; ")):
        what, _, at_when = text.partition(" at ")
        moments.setdefault(float(at_when.split(" ")[0]), []).append(what)
    if math.isfinite(course.seconds_to_limit):
        moments.setdefault(course.seconds_to_limit, []).append(course.first_limit)
    for limit, seconds in course.later_limits.items():
        moments.setdefault(seconds, []).append(limit)
    if math.isfinite(course.seconds_to_throttling):
        moments.setdefault(course.seconds_to_throttling, []).append("chips throttle")
    moments.setdefault(float(course.time[-1]), []).append("end")
    rows: list[tuple[str, ...]] = []
    for when in sorted(moments):
        if when > course.time[-1]:
            continue

        def at(values: np.ndarray, when: float = when) -> float:
            return float(np.interp(when, course.time, values))

        rows.append(
            (
                duration(when),
                ", ".join(moments[when]),
                number(at(course.gpu_temperature) - ZERO_CELSIUS),
                number(at(course.supply) - ZERO_CELSIUS),
                number(at(course.inlet_air) - ZERO_CELSIUS),
                number(at(course.facility_flow), 0),
                number(at(course.row_flow)),
                number(100.0 * at(course.work)),
            )
        )
    return rows


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
            variables["time_since_start" if field.name == "time" else field.name] = Variable(
                values, ("time",), trace.unit, trace.meaning
            )
    attributes = {"title": name, "kind": "simulation", **{figure: getattr(course, figure) for figure in _FIGURES}}
    return Results(attributes, variables)
