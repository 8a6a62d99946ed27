"""What can go wrong with what a user hands over, each with the exit code of the command line.

0 ok, 1 bug, 2 usage or configuration, 3 not converged, 4 validation missed, 5 environment, 130 interrupted.
"""

import dataclasses
import re
from collections.abc import Iterable

MOST_PROBLEMS = 100
"""How many mistakes of a file are told one by one."""
_LONGEST_MESSAGE, _LONGEST_PROBLEM, _LONGEST_NAME = 2_000, 500, 300
_ENDS = 0.6  # how much of what is kept of a long text is its beginning; what would be right stands at the end
_OBEYED = re.compile(
    r"[^\n\x20-\x7e\xa0-\U0010ffff]|[\ud800-\udfff\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)


def shown(text: str, most: int = _LONGEST_MESSAGE) -> str:
    """A text that came from elsewhere, as a terminal may show it.

    What a terminal would obey, what reorders a line and what no file can hold becomes U+FFFD; of a long text the middle
    is left out, and how much of it.
    """
    if len(text) <= most and text.isprintable():
        return text
    if len(text) > most:
        start = round(_ENDS * most)
        text = f"{text[:start]} … ({len(text) - most:,} characters left out) … {text[start - most :]}"
    return _OBEYED.sub("\N{REPLACEMENT CHARACTER}", text)


class VolthermError(Exception):
    """A failure that a sentence explains: shown without a traceback, and the process ends with `exit_code`."""

    exit_code = 1

    def __init__(self, message: str = ""):
        super().__init__(shown(message))


@dataclasses.dataclass(frozen=True, order=True)
class Problem:
    """One mistake in a file: where it is, and what is wrong and what would be right."""

    file: str
    line: int
    path: str
    message: str

    def __post_init__(self) -> None:
        for name, most in (("file", _LONGEST_NAME), ("path", _LONGEST_NAME), ("message", _LONGEST_PROBLEM)):
            text = getattr(self, name)
            if len(text) > most or not text.isprintable():
                object.__setattr__(self, name, shown(text, most).replace("\n", " "))

    def __str__(self) -> str:
        path = f" {self.path}:" if self.path else ""
        return f"{self.file}:{self.line}:{path} {self.message}"

    def as_dict(self) -> dict[str, str | int]:
        """Plain mapping for JSON."""
        return dataclasses.asdict(self)


class ConfigurationError(VolthermError):
    """What is wrong with a configuration, in the order of files and lines.

    Of very many mistakes `problems` holds the first; `left_out` says how many more there are.
    """

    exit_code = 2

    def __init__(self, problems: Iterable[Problem], left_out: int = 0):
        found = sorted(set(problems))
        self.problems = tuple(found[:MOST_PROBLEMS])
        self.left_out = left_out + len(found) - len(self.problems)
        lines = [str(problem) for problem in self.problems]
        if self.left_out:
            lines.append(f"and {self.left_out:,} more mistakes")
        # every line is cut already, and all of them are wanted
        Exception.__init__(self, "\n".join(lines))


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
