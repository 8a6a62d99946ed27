"""Where commands write: probed before anything is computed, and what cannot be written is told after the answer."""

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from voltherm.cli.output import problem_console
from voltherm.formats.errors import EnvironmentFaultError


def output_folder(output: Path | None, file: Path) -> Path:
    """The folder asked for, or ``out/`` with the name of the file; made where it is missing.

    **Raises**: `EnvironmentFaultError` where nothing can be written there.
    """
    folder = output if output is not None else Path("out") / file.stem
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise _fault(folder, error) from error
    return folder


def _fault(folder: Path, error: OSError) -> EnvironmentFaultError:
    return EnvironmentFaultError(f"{error.filename or folder}: cannot be written: {error.strerror or error}")


class LateFaultError(EnvironmentFaultError):
    """A fault that is told after the result has been printed: it prints nothing more on stdout."""


class Writer:
    """Writes files and keeps the fault of those that cannot be written, so that their contents are still printed."""

    def __init__(self) -> None:
        self.fault: EnvironmentFaultError | None = None

    def __call__(self, work: Callable[[], list[Path]], folder: Path) -> list[Path]:
        """The files that `work` wrote; none where it failed."""
        try:
            return work()
        except EnvironmentFaultError as error:
            self.fault = error
        except OSError as error:
            self.fault = _fault(folder, error)
        return []


def drawing(file: Path, draw: Callable[[], str]) -> list[Path]:
    """The file of a drawing; none, with a notice, where matplotlib is not installed."""
    try:
        text = draw()
    except ImportError:
        problem_console().print(f"no {file.name}: matplotlib is not installed (pip install 'voltherm[report]')")
        return []
    file.write_text(text, encoding="utf-8")
    return [file]


@contextlib.contextmanager
def writing() -> Iterator[Writer]:
    """What is written in the block may fail; that is raised once the block, which prints, has ended."""
    writer = Writer()
    yield writer
    if writer.fault is not None:
        raise LateFaultError(str(writer.fault)) from writer.fault
