"""The plain part of MATPOWER's `.m` files: fields of one struct, each assigned once.

    function mpc = NAME
    mpc.FIELD = NUMBER;   mpc.FIELD = 'TEXT';   mpc.FIELD = [ROWS];   mpc.FIELD = {TEXTS};

A `.m` file is a program, and nothing in it is ever run. Comments, block comments, continued lines (`...`), commas and
several statements on a line are read as MATLAB reads them; a byte-order mark is skipped. Whatever else stands there,
such as the conversion of ohms to per unit that some distribution cases have behind their tables, would give wrong
impedances without a word, so it is refused with its line.

matpowercaseframes reads the same files with one pattern per field. It joins rows that share a line, reads `1, 2` as
`1. 2.` or as text, loses what follows `...`, takes what stands in block comments, and the first of two assignments.

Source: MATPOWER User's Manual, appendix B (case format version 2).
"""

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from voltherm.formats.errors import FileFormatError

LARGEST = 100_000_000
"""Bytes; the largest published case, of 82,000 buses, has 23 million."""

_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[+-]?[Ii]nf|NaN|nan")
_FUNCTION = re.compile(r"function\s+(\w+)\s*=\s*\w+(?:\s*\(\s*\))?\s*;?$")
_FIRST_VERSION = re.compile(r"function\s*\[\s*baseMVA\b")
_FIELD = re.compile(r"([A-Za-z]\w*)\.([A-Za-z]\w*(?:\.[A-Za-z]\w*)*)\s*=(?!=)\s*")
_TEXT = re.compile(r"'(?:[^']++|'')*+'|\"[^\"]*+\"")
_CODE = re.compile(r"""(?:[^%'"]++|'(?:[^']++|'')*+'|"[^"]*+")*+""")
_SCALAR = re.compile(rf"({_NUMBER.pattern}|{_TEXT.pattern})\s*(?:[;,]|$)")
_SEPARATOR = re.compile(r"\s*,\s*|\s+")
_ARITHMETIC = re.compile(r"[\d.eE+\-*/^() ]+")
_CLOSING = {"[": "]", "{": "}"}
_SHOWN = 60


@dataclasses.dataclass(frozen=True)
class Assigned:
    """What a field was given: the `line` it begins on, and its `rows` with their lines; a scalar is one row."""

    line: int
    rows: tuple[tuple[int, str], ...]


class CaseText:
    """The fields of a case, by name.

    **Raises**: `FileFormatError` with file, line and what is wrong.
    """

    def __init__(self, path: Path):
        self.path = path
        self.fields: dict[str, Assigned] = {}
        self._struct = ""
        self._lines = _lines(path, _text(path))
        for number, code in self._lines:
            self._statements(number, code)

    def _statements(self, number: int, code: str) -> None:
        while code := code.lstrip("; \t,"):
            function = _FUNCTION.match(code)
            if function and not self._struct:
                self._struct = function.group(1)
                return
            if _FIRST_VERSION.match(code):
                raise _refused(
                    self.path, number, "is a case of format version 1: load it in MATPOWER and save it with savecase"
                )
            if code.rstrip(" ;") == "end" and self.fields:
                return
            field = _FIELD.match(code)
            if field is None:
                raise _refused(self.path, number, _is_code(code))
            number, code = self._assignment(number, field, code[field.end() :])

    def _assignment(self, number: int, field: re.Match[str], value: str) -> tuple[int, str]:
        """Keep one field; returns the line where it ends, and what follows it there."""
        struct, name = field.groups()
        self._struct = self._struct or struct
        if struct != self._struct:
            raise _refused(self.path, number, f"'{_short(struct)}' is not the case, which is '{_short(self._struct)}'")
        if name in self.fields:
            message = f"{_short(name)} is assigned twice, first on line {self.fields[name].line}: keep one of them"
            raise _refused(self.path, number, message)
        if value[:1] in _CLOSING:
            rows, last, rest = self._rows(number, name, value)
        else:
            scalar = _SCALAR.match(value)
            if scalar is None:
                written = re.split("[;,]", value, maxsplit=1)[0].strip()
                if _ARITHMETIC.fullmatch(written):
                    message = f"'{_short(written)}' is arithmetic, which is not worked out here"
                    raise _refused(self.path, number, f"{message}: write the value of {_short(name)}")
                raise _refused(self.path, number, _is_code(f"{struct}.{name} = {value}"))
            rows, last, rest = [(number, scalar.group(1))], number, value[scalar.end() :]
        self.fields[name] = Assigned(number, tuple(rows))
        return last, rest

    def _rows(self, number: int, name: str, value: str) -> tuple[list[tuple[int, str]], int, str]:
        opening, code, first = value[0], value[1:], number
        closing = _CLOSING[opening]
        rows: list[tuple[int, str]] = []
        while True:
            # brackets and semicolons in texts are none
            plain = _TEXT.sub(lambda text: "_" * len(text.group()), code) if "'" in code or '"' in code else code
            end = plain.find(closing)
            inner = plain if end < 0 else plain[:end]
            if opening in inner:
                raise _refused(self.path, number, f"a bracket opens in {_short(name)}, which began on line {first}")
            rows += [(number, row.strip()) for row in inner.split(";") if row.strip()]
            if end >= 0:
                break
            number, code = next(self._lines, (0, ""))
            if not number:
                raise _refused(self.path, first, f"{_short(name)} is not closed with '{closing}'; is the file cut off?")
        rest = code[end + 1 :].lstrip()
        if rest and rest[0] not in ";,":
            raise _refused(self.path, number, f"'{_short(rest)}' behind {_short(name)} is code, not data")
        return rows, number, rest

    def number(self, name: str) -> float:
        """A field that is one number."""
        found = self._field(name)
        if len(found.rows) != 1 or not _NUMBER.fullmatch(found.rows[0][1]):
            raise _refused(self.path, found.line, f"{name} has to be one number")
        return float(found.rows[0][1])

    def table(self, name: str) -> np.ndarray:
        """A field that is a table of numbers (row, column)."""
        found = self._field(name)
        rows: list[list[float]] = []
        for line, text in found.rows:
            row = [self._cell(line, name, cell) for cell in _SEPARATOR.split(text.rstrip(", \t"))]
            if rows and len(row) != len(rows[0]):
                message = f"row {len(rows) + 1} of {name} has {len(row)} columns, those above have {len(rows[0])}"
                raise _refused(self.path, line, message)
            rows.append(row)
        return np.array(rows) if rows else np.zeros((0, 0))

    def _cell(self, line: int, name: str, text: str) -> float:
        try:
            if "_" in text:
                raise ValueError(text)
            return float(text)
        except ValueError:
            pass
        if not text:
            raise _refused(self.path, line, f"a column of {name} is empty between its commas")
        raise _refused(
            self.path, line, f"'{_short(text)}' in {name} is not a number: arithmetic and names have to be worked out"
        )

    def _field(self, name: str) -> Assigned:
        if name not in self.fields:
            raise FileFormatError(f"{self.path}: has no {name}; is this a MATPOWER case?")
        return self.fields[name]


def _lines(path: Path, text: str) -> Iterator[tuple[int, str]]:
    """Lines with their numbers, without comments; continued ones are joined under the number of the first."""
    depth, first, joined = 0, 0, ""
    for number, line in enumerate(text.split("\n"), start=1):
        stripped = line.strip()
        if stripped in ("%{", "%}"):
            depth = depth + 1 if stripped == "%{" else max(depth - 1, 0)
            continue
        if depth or not stripped:
            continue
        code, continued = _without_comment(path, number, line)
        first, joined = (first, f"{joined} {code}") if joined else (number, code)
        if not continued:
            if joined.strip():
                yield first, joined.strip()
            joined = ""
    if joined.strip():
        yield first, joined.strip()


def _without_comment(path: Path, number: int, line: str) -> tuple[str, bool]:
    """A line's code, and whether the next line continues it."""
    code = line
    if "%" in line or "'" in line or '"' in line:
        found = _CODE.match(line)
        code = found.group() if found else ""
        if len(code) < len(line) and line[len(code)] != "%" and "..." not in code:
            raise _refused(path, number, f"a quote is not closed: '{_short(line[len(code) :])}'")
    before, dots, _ = code.partition("...")
    # dots in a text continue nothing
    if dots and _TEXT.sub("", before).count("'") % 2 == 0:
        return before, True
    return code, False


def _text(path: Path) -> str:
    try:
        if path.exists() and not path.is_file():
            raise FileFormatError(f"{path}: is not a file")
        with path.open("rb") as stream:
            raw = stream.read(LARGEST + 1)
    except OSError as error:
        raise FileFormatError(f"{path}: cannot be read: {error.strerror or error}") from error
    if len(raw) > LARGEST:
        raise FileFormatError(f"{path}: is larger than {LARGEST // 1_000_000} MB: this is not a MATPOWER case")
    if b"\0" in raw:
        raise FileFormatError(f"{path}: is not plain text; is this a MATPOWER case?")
    # accents in comments come in many encodings and mean nothing here
    text = raw.decode("utf-8-sig", errors="replace")
    if not text.strip():
        raise FileFormatError(f"{path}: the file is empty")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _is_code(statement: str) -> str:
    return (
        f"'{_short(statement)}' is code, not data: evaluate it (save the case from MATPOWER with savecase) "
        "so that the tables hold their final per-unit values"
    )


def _short(text: str) -> str:
    """Enough of a text to find it, without what a terminal would obey."""
    shown = "".join(character if character.isprintable() else "�" for character in text.strip().rstrip(";"))
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]} …"


def _refused(path: Path, line: int, message: str) -> FileFormatError:
    return FileFormatError(f"{path}:{line}: {message}")
