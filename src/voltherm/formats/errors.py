"""What can go wrong with what a user hands over, each with the exit code of the command line.

0 ok, 1 bug, 2 usage or configuration, 3 not converged, 4 validation missed, 5 environment, 130 interrupted.
"""

import dataclasses
from collections.abc import Iterable


class VolthermError(Exception):
    """A failure that a sentence explains: shown without a traceback, and the process ends with `exit_code`."""

    exit_code = 1


@dataclasses.dataclass(frozen=True, order=True)
class Problem:
    """One mistake in a file: where it is, and what is wrong and what would be right."""

    file: str
    line: int
    path: str
    message: str

    def __str__(self) -> str:
        path = f" {self.path}:" if self.path else ""
        return f"{self.file}:{self.line}:{path} {self.message}"

    def as_dict(self) -> dict[str, str | int]:
        """Plain mapping for JSON."""
        return dataclasses.asdict(self)


class ConfigurationError(VolthermError):
    """Everything that is wrong with a configuration, in the order of files and lines."""

    exit_code = 2

    def __init__(self, problems: Iterable[Problem]):
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class FileFormatError(VolthermError):
    """A data file that is missing, truncated or not of the kind it is taken for; the message begins with its name."""

    exit_code = 2


class NotConvergedError(VolthermError):
    """A case without a solution; the message says which element cannot be satisfied."""

    exit_code = 3


class ValidationMissedError(VolthermError):
    """Validation cases whose error is above their tolerance."""

    exit_code = 4


class EnvironmentFaultError(VolthermError):
    """The machine lacks something: a library, a device, room on the disk, a right to write."""

    exit_code = 5
