"""YAML files as trees of text that remember where every value was written.

Only mappings, lists and scalars are read. Tags, anchors, aliases and merge keys, which can call code or blow a small
file up, are refused; so are repeated keys, files above one megabyte and deep nesting. A scalar stays the text that was
written: what it means is decided by the schema, so ``no`` is a name and ``1e3`` a number only where one is needed.
"""

import dataclasses
from pathlib import Path

import yaml

from voltherm.formats.errors import ConfigurationError, Problem

LARGEST = 1_000_000
"""Bytes."""
OVERRIDE = "--set"
"""Where a value stands that the command line gives, in place of a file."""
_DEEPEST = 12
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclasses.dataclass
class Entry:
    """A value with its place: text, a list of entries, or a mapping from key to entry."""

    value: "str | list[Entry] | dict[str, Entry]"
    file: str
    line: int

    def items(self) -> "dict[str, Entry]":
        """The entries of a mapping; none where this is something else."""
        return self.value if isinstance(self.value, dict) else {}


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark is not None else 1


class _Reader:
    def __init__(self, text: str, file: str):
        self.file = file
        self.problems: list[Problem] = []
        self.events = iter(yaml.parse(text, Loader=_Loader))

    def _problem(self, event: yaml.Event, path: str, message: str) -> None:
        self.problems.append(Problem(self.file, _line(event), path, message))

    def document(self) -> Entry:
        next(self.events)  # start of the stream
        event = next(self.events)
        if isinstance(event, yaml.StreamEndEvent):
            raise ConfigurationError(
                [Problem(self.file, 1, "", "the file is empty: `voltherm init` writes a whole case")]
            )
        entry = self._entry(next(self.events), "", 0)
        next(self.events)  # end of the document
        event = next(self.events)
        if not isinstance(event, yaml.StreamEndEvent):
            self._problem(event, "", "a second document begins here: a configuration is one document")
        if not isinstance(entry.value, dict):
            self.problems.append(Problem(self.file, entry.line, "", "a configuration is a mapping of sections"))
        if self.problems:
            raise ConfigurationError(self.problems)
        return entry

    def _entry(self, event: yaml.Event, path: str, depth: int) -> Entry:
        line = _line(event)
        if depth > _DEEPEST:
            raise ConfigurationError([Problem(self.file, line, "", f"nested more than {_DEEPEST} levels deep")])
        if isinstance(event, yaml.AliasEvent):
            self._problem(event, path, f"alias '*{event.anchor}' is not allowed: write the value out")
            return Entry("", self.file, line)
        anchor, tag = getattr(event, "anchor", None), getattr(event, "tag", None)
        if anchor:
            self._problem(event, path, f"anchor '&{anchor}' is not allowed: write the value out where it is needed")
        if tag:
            self._problem(event, path, f"tag '{tag}' is not allowed: a configuration holds plain text and numbers")
        if isinstance(event, yaml.ScalarEvent):
            return Entry(event.value, self.file, line)
        if isinstance(event, yaml.SequenceStartEvent):
            return Entry(self._list(path, depth), self.file, line)
        return Entry(self._mapping(path, depth), self.file, line)

    def _list(self, path: str, depth: int) -> list[Entry]:
        found: list[Entry] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            found.append(self._entry(event, f"{path}[{len(found) + 1}]", depth + 1))
        return found

    def _mapping(self, path: str, depth: int) -> dict[str, Entry]:
        found: dict[str, Entry] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key = self._entry(event, path, depth + 1).value
            name = key if isinstance(key, str) else ""
            where = f"{path}.{name}" if path else name
            if not isinstance(key, str) or not name:
                self._problem(event, path, "a key has to be a name")
            elif name == "<<":
                self._problem(event, path, "merge keys are not allowed: write the values out")
            elif name in found:
                self._problem(event, where, f"stands twice, first on line {found[name].line}: keep one of them")
            entry = self._entry(next(self.events), where, depth + 1)
            # a section begins with its name, not with the line below it
            entry.line = _line(event) if isinstance(entry.value, dict) else entry.line
            found.setdefault(name, entry)
        return found


def read_entry(path: Path, shown: str | None = None) -> Entry:
    """The tree of a YAML file; `shown` is how problems name the file.

    **Raises**: `ConfigurationError` with all that is wrong with the file's form.
    """
    name = str(path) if shown is None else shown

    def refuse(message: str, line: int = 1) -> ConfigurationError:
        return ConfigurationError([Problem(name, line, "", message)])

    try:
        if not path.is_file():
            raise refuse("is a folder, not a file" if path.is_dir() else "there is no such file")
        with path.open("rb") as stream:
            raw = stream.read(LARGEST + 1)
    except OSError as error:
        raise refuse(f"cannot be read: {error.strerror}") from error
    if len(raw) > LARGEST:
        raise refuse("is larger than 1 MB: this is not a configuration")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise refuse(f"is not text in UTF-8 (byte {error.start + 1})", raw[: error.start].count(b"\n") + 1) from error
    try:
        return _Reader(text, name).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise refuse(_explained(error, text, line), line) from error
    except yaml.YAMLError as error:
        raise refuse(f"is not YAML: {' '.join(str(error).split())}") from error


def _explained(error: yaml.MarkedYAMLError, text: str, line: int) -> str:
    lines = text.splitlines()
    written = lines[line - 1] if line <= len(lines) else ""
    if "\t" in written[: len(written) - len(written.lstrip())]:
        return "indented with a tab: YAML is indented with spaces"
    if "]" in written and not written.rstrip().endswith("]"):
        return 'text behind a list: write several numbers with one unit as "1 2 3 kPa"'
    return f"is not YAML: {error.problem or error.context}"
