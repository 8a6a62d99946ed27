"""The program: its commands, and what every command's end means for the shell."""

import functools
import sys
import traceback
from collections.abc import Callable
from typing import Annotated, Any

import typer

from voltherm import __version__
from voltherm.cli import (
    check,
    compare,
    describe,
    doctor,
    init,
    interruption,
    report,
    run,
    schema,
    simulate,
    sweep,
    tune,
    validate,
)
from voltherm.cli.folders import LateFaultError
from voltherm.cli.output import print_json, problem_console
from voltherm.formats.errors import ConfigurationError, VolthermError

_EXIT_CODES = (
    "Exit codes: 0 ok, 1 bug, 2 usage or configuration, 3 not converged, 4 validation missed, 5 environment, "
    "6 limit passed (run --strict)."
)

application = typer.Typer(
    name="voltherm",
    help="Heat, coolant flow and power of AI data-centre campuses, solved together.",
    epilog=_EXIT_CODES,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _guarded(command: Callable[..., None]) -> Callable[..., None]:
    """The command with every ending told in one place: a sentence on stderr, and the exit code."""

    @functools.wraps(command)
    def guarded(**arguments: Any) -> None:
        try:
            command(**arguments)
        except VolthermError as error:
            _tell(error, as_json=bool(arguments.get("json")))
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt:
            # a command called from Python; in a process of its own `interruption` ends it
            problem_console().print(interruption.SENTENCE, style="yellow")
            raise typer.Exit(interruption.EXIT_CODE) from None
        except BrokenPipeError:
            # whoever read the output has enough of it
            sys.stderr.close()
            raise typer.Exit(0) from None
        except MemoryError:
            problem_console().print("this machine has too little memory: take a smaller chunk or case", style="red")
            raise typer.Exit(5) from None
        except (typer.Exit, typer.Abort):
            raise
        # the last resort of a program: whatever was not foreseen is a bug, and says so
        except Exception:
            traceback.print_exc()
            problem_console().print("this is a bug of voltherm; please report it with the lines above", style="red")
            raise typer.Exit(1) from None

    return guarded


def _tell(error: VolthermError, *, as_json: bool) -> None:
    if isinstance(error, ConfigurationError):
        console = problem_console()
        for problem in error.problems:
            console.print(str(problem), soft_wrap=True)
        count, more = len(error.problems) + error.left_out, ""
        if error.left_out:
            more = f", {error.left_out:,} of them not shown"
        console.print(f"{count:,} {'mistake' if count == 1 else 'mistakes'}{more}", style="red")
        if as_json:
            left_out = {"left_out": error.left_out} if error.left_out else {}
            print_json({"problems": [problem.as_dict() for problem in error.problems]} | left_out)
        return
    problem_console().print(str(error), style="red", soft_wrap=True)
    # one JSON document is all that a reader of stdout gets
    if as_json and not isinstance(error, LateFaultError):
        print_json({"error": str(error), "exit_code": error.exit_code})


def _show_version(wanted: bool) -> bool:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit
    return wanted


@application.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and end.")
    ] = False,
) -> None:
    """Heat, coolant flow and power of AI data-centre campuses, solved together."""


for _name, _command in (
    ("init", init.init),
    ("check", check.check),
    ("describe", describe.describe),
    ("run", run.run),
    ("simulate", simulate.simulate),
    ("sweep", sweep.sweep),
    ("tune", tune.tune),
    ("validate", validate.validate),
    ("report", report.report),
    ("compare", compare.compare),
    ("schema", schema.schema),
    ("doctor", doctor.doctor),
):
    application.command(_name)(_guarded(_command))
