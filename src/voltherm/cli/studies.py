"""What the commands that run studies share."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from voltherm.formats.errors import (
    ConfigurationError,
    EnvironmentFaultError,
    FileFormatError,
    NotConvergedError,
    Problem,
)
from voltherm.formats.loader import Study
from voltherm.formats.loader import study as load_study

if TYPE_CHECKING:
    from voltherm.site import Site


def read_study(file: Path, overrides: Sequence[str] | None, kind: str) -> Study:
    """The study in a file, which has to be of that kind."""
    read = load_study(file, overrides or ())
    if read.document.kind != kind:
        message = f"this study is a {read.document.kind}: `voltherm {read.document.kind} {file}` runs it"
        raise ConfigurationError([Problem(str(file), 1, "", message)])
    return read


def case_of(study: Study) -> "Site":
    """The site of a study; jax has to be set up before."""
    from voltherm.site import build

    if study.case is None:
        raise ConfigurationError([Problem(str(study.document.path), 1, "", "this study has no case")])
    return build(study.case[0])


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Failures of the studies as those of the command line: a foreign checkpoint 2, no solution 3, the disk 5."""
    from voltherm.site.ride_through import UnsolvedStepError
    from voltherm.site.transient import StepTooLongError
    from voltherm.study.errors import ForeignCheckpointError, NoSteadyStateError

    try:
        yield
    except ForeignCheckpointError as error:
        raise FileFormatError(str(error)) from error
    except (NoSteadyStateError, UnsolvedStepError) as error:
        raise NotConvergedError(str(error)) from error
    except StepTooLongError as error:
        raise ConfigurationError([Problem("the case", 1, "ride_through.step", str(error))]) from error
    except OSError as error:
        raise EnvironmentFaultError(f"{error.filename or 'disk'}: {error.strerror or error}") from error
