"""What a configuration may hold: sections, their fields, and for each its dimension, its range and its meaning.

The tables stand in `voltherm.formats.schema_site`, `schema_plant`, `schema_power` and `schema_study`; the names in them
are those of `voltherm.site.sections`. This module reads trees of text against the tables and never stops at the first
mistake.
"""

import dataclasses
import difflib
import re
from types import SimpleNamespace
from typing import Any, Literal

from voltherm.formats.absent import absent
from voltherm.formats.errors import MOST_PROBLEMS, Problem, shown
from voltherm.formats.examples import example_values
from voltherm.formats.phrases import Phrases
from voltherm.formats.phrases import shown as phrases_shown
from voltherm.formats.source import Entry
from voltherm.formats.units import (
    DIMENSIONS,
    UnitError,
    ends_in_tolerance,
    parse,
    parse_list,
    parse_tolerance,
    quantity,
    split_tolerance,
    tolerance_text,
    unit_of,
)

Kind = Literal["quantity", "list", "integer", "text", "choice", "phrases"]
_INTEGER = re.compile(r"[+-]?\d+(?:_\d{3})*", re.ASCII)
_MOST_DIGITS = 30
_MOST_NUMBERS = 1_000
_LONGEST_TEXT = 1_000
_LONGEST_KEY = 60
_SIMILAR = 0.75  # ratio of difflib: "pwer" is as near to "power", "wet_bulb" to "dry_bulb" is not


@dataclasses.dataclass(frozen=True)
class Field:
    """One value of a section.

    - `dimension`: of quantities and lists, see `voltherm.formats.units.DIMENSIONS`
    - `minimum`, `maximum`: as text in the unit to be shown, both allowed; empty for none
    - `below`: what a value below the minimum means, in place of the plain sentence
    - `length`: of a list, 0 for up to 1,000; of a text, its most characters, 0 for up to 1,000
    - `choices`: of a choice
    - `static`: shapes arrays or names things, so no study can move it
    - `default`: as text; None where the field has to be written
    - `phrases`: how the items of a list of phrases are written
    """

    name: str
    meaning: str
    kind: Kind = "quantity"
    dimension: str = "number"
    minimum: str = ""
    maximum: str = ""
    below: str = ""
    length: int = 0
    choices: tuple[str, ...] = ()
    static: bool = False
    default: str | None = None
    phrases: Phrases | None = None

    @property
    def movable(self) -> bool:
        """Whether it is one number that a study can move, and that may have a tolerance."""
        return self.kind == "quantity" and not self.static

    @property
    def unit(self) -> str:
        """The unit values are shown in."""
        return unit_of(self.minimum or self.maximum) or next(iter(DIMENSIONS[self.dimension]))

    def limits(self) -> tuple[float | None, float | None]:
        """Range in SI; None where it is open."""
        low, high = (parse(text, self.dimension) if text else None for text in (self.minimum, self.maximum))
        return low, high

    def shown(self, value: Any, digits: int = 6) -> str:
        """A value in SI as text in the unit of the field."""
        if self.kind == "quantity":
            return quantity(value, self.dimension, self.unit, digits)
        if self.kind == "list":
            numbers = [quantity(one, self.dimension, self.unit, digits).split(" ")[0] for one in value]
            return f"{' '.join(numbers)} {self.unit}".rstrip()
        if self.phrases is not None:
            return phrases_shown(self.phrases, value, digits)
        return str(value)

    def shown_with(self, value: Any, half_width: float, digits: int = 6) -> str:
        """A value as text with its tolerance, both in SI; without one where the half-width is 0."""
        shown = self.shown(value, digits)
        return f"{shown} +- {tolerance_text(half_width, self.dimension, self.unit, digits)}" if half_width else shown

    def example(self, path: str = "") -> str:
        """How a value is written: as in the building that comes with the package, where that has one at `path`."""
        if self.choices:
            return self.choices[0]
        shipped, _ = split_tolerance(example_values().get(path, ""))
        return self.default or shipped or self.minimum or f"1 {self.unit}".strip()


@dataclasses.dataclass(frozen=True)
class Section:
    """A mapping with its fields and sections, in their order. An `optional` one may be left out."""

    name: str
    meaning: str
    members: "tuple[Field | Section, ...]"
    optional: bool = False

    def member(self, name: str) -> "Field | Section | None":
        """The field or section of that name."""
        return next((member for member in self.members if member.name == name), None)


def quantity_field(
    name: str, dimension: str, minimum: str, maximum: str, meaning: str, below: str = "", *, default: str | None = None
) -> Field:
    """A number with a unit."""
    return Field(name, meaning, "quantity", dimension, minimum, maximum, below, default=default)


def fields(section: Section, prefix: str = "") -> dict[str, Field]:
    """All fields below a section by dotted path."""
    found: dict[str, Field] = {}
    for member in section.members:
        path = f"{prefix}{member.name}"
        if isinstance(member, Section):
            found |= fields(member, f"{path}.")
        else:
            found[path] = member
    return found


def suggestion(name: str, known: list[str]) -> str:
    """`did you mean 'x'?`, what is not modelled, or what there is."""
    last = name.rpartition(".")[2]
    near = difflib.get_close_matches(name, known, n=3, cutoff=_SIMILAR) if len(name) <= _LONGEST_KEY else []
    # paths of one section are alike by their beginning alone
    near = [each for each in near if difflib.get_close_matches(last, [each.rpartition(".")[2]], cutoff=_SIMILAR)]
    missing = absent(last[:_LONGEST_KEY])
    if missing and not near:
        return missing
    if near:
        return f"did you mean '{near[0]}'?"
    return f"known here: {', '.join(known)}" if len(known) <= 24 else "`voltherm schema` lists what is known"


@dataclasses.dataclass
class Reading:
    """Values by dotted path as far as they are right, half-widths of tolerances, where they stand, and everything that
    is wrong."""

    values: dict[str, Any] = dataclasses.field(default_factory=dict)
    tolerances: dict[str, float] = dataclasses.field(default_factory=dict)
    places: dict[str, Entry] = dataclasses.field(default_factory=dict)
    problems: list[Problem] = dataclasses.field(default_factory=list)

    def report(self, path: str, message: str) -> None:
        """A problem at a path, or at the nearest section above it that was written."""
        where = path
        while where and where not in self.places:
            where = where.rpartition(".")[0]
        place = self.places[where]
        self.problems.append(Problem(place.file, place.line, path, message))

    def section(self, section: Section, entry: Entry, path: str = "") -> None:
        """Read a mapping against its section."""
        self.places[path] = entry
        if not isinstance(entry.value, dict):
            names = ", ".join(member.name for member in section.members[:4])
            several = (
                ": a list of several kinds is not modelled, all are alike" if isinstance(entry.value, list) else ""
            )
            self.report(path, f"a section with {names} … is needed here{several}")
            return
        known = [member.name for member in section.members]
        for name, child in entry.value.items():
            where = f"{path}.{name}" if path else name
            self.places[where] = child
            member = section.member(name)
            if member is None:
                # what is not told needs no advice, which takes long to find
                told = len(self.problems) < MOST_PROBLEMS
                missing = absent(child.value[:_LONGEST_KEY]) if isinstance(child.value, str) else None
                hint = suggestion(name, known)
                # a misspelt key is told first, whatever its value says
                advice = f": {missing}" if missing and "did you mean" not in hint else f": {hint}"
                advice = advice if told else ""
                self.report(where, f"there is no '{name}' {f'in {path}' if path else 'here'}{advice}")
            elif isinstance(member, Section):
                self.section(member, child, where)
            else:
                self.field(member, child, where)
        for member in section.members:
            where = f"{path}.{member.name}" if path else member.name
            if member.name not in entry.value:
                self._missing(member, where)

    def _missing(self, member: Field | Section, path: str) -> None:
        if isinstance(member, Section):
            if not member.optional:
                self.report(path, f"this section is missing: {member.meaning}")
        elif member.default is None:
            self.report(
                path, f"is missing: write '{member.name}: …', {member.meaning} (such as {member.example(path)})"
            )
        elif member.default:
            self.field(member, Entry(member.default, "default", 0), path)

    def field(self, field: Field, entry: Entry, path: str) -> None:
        """Read one value."""
        if field.phrases is not None:
            self._phrases(field.phrases, entry, path)
            return
        if (
            isinstance(entry.value, list)
            and field.kind == "list"
            and all(isinstance(e.value, str) for e in entry.value)
        ):
            entry = dataclasses.replace(entry, value=" ".join(str(e.value) for e in entry.value))
        if not isinstance(entry.value, str) or not entry.value.strip():
            self.report(path, f"one value is needed here: {field.meaning} (such as {field.example(path)})")
            return
        try:
            text, tolerance = _without_tolerance(field, entry.value.strip())
            self.values[path] = _value(field, text, path)
            half_width = 0.0 if tolerance is None else parse_tolerance(tolerance, self.values[path], field.dimension)
            if half_width > 0.0:
                self.tolerances[path] = half_width
        except UnitError as error:
            self.report(path, _with_absent(str(error), entry.value))

    def _phrases(self, kind: Phrases, entry: Entry, path: str) -> None:
        """Read a list whose items are mappings or phrases, or one text with semicolons."""
        self.places[path] = entry
        items = entry.value
        if isinstance(items, str):
            items = [dataclasses.replace(entry, value=text.strip()) for text in items.split(";") if text.strip()]
        if not isinstance(items, list) or not items:
            self.report(path, f"a list is needed here, such as '{kind.example}'")
            return
        if len(items) > kind.most:
            self.report(path, f"{len(items):,} items: at most {kind.most:,}")
            return
        before, found = len(self.problems), []
        for number, item in enumerate(items, start=1):
            where = f"{path}[{number}]"
            self.places[where] = item
            try:
                found.append(kind.parse(self._phrase(kind, item, where)))
            except UnitError as error:
                self.report(where, str(error))
        message = kind.check(tuple(found))
        if message:
            self.report(path, message)
        if len(self.problems) == before:
            self.values[path] = tuple(found)

    def _phrase(self, kind: Phrases, item: Entry, where: str) -> str:
        if isinstance(item.value, str):
            return item.value.strip()
        members = tuple(
            Field(name, meaning, "text", default=None if name in kind.needed else "")
            for name, meaning in kind.keys.items()
        )
        before = len(self.problems)
        self.section(Section("item", "one item of the list", members), item, where)
        if len(self.problems) > before:
            raise UnitError(f"is no item of this list: write it such as '{kind.example.partition(';')[0]}'")
        texts = {name: self.values.pop(f"{where}.{name}", None) for name in kind.keys}
        return kind.phrase({name: text for name, text in texts.items() if text is not None})


def _with_absent(message: str, value: str) -> str:
    """A message with what is not modelled, where the value asks for it."""
    missing = absent(value[:_LONGEST_KEY])
    return f"{message}; {missing}" if missing and missing not in message else message


def _without_tolerance(field: Field, text: str) -> tuple[str, str | None]:
    """The text of a value and that of its tolerance, where it has one and may have it."""
    # a name may hold such a sign; only what ends like a quantity is taken for one
    if field.kind == "text" and not ends_in_tolerance(text):
        return text, None
    plain, tolerance = split_tolerance(text)
    if tolerance is None:
        return text, None
    if field.kind == "list":
        raise UnitError(f"'{text}' has a tolerance, but these are several numbers: only one number can have it")
    if field.kind in ("text", "choice"):
        raise UnitError(f"'{text}' has a tolerance, but this is no number: write '{plain}'")
    if not field.movable:
        raise UnitError(f"'{text}' has a tolerance, but this number shapes the model and is exact: write '{plain}'")
    return plain, tolerance


def _value(field: Field, text: str, path: str) -> Any:
    if field.kind == "text":
        return _plain_text(text, field.length or _LONGEST_TEXT)
    if field.kind == "choice":
        if text not in field.choices:
            raise UnitError(f"'{text}' is not a choice: {suggestion(text, list(field.choices))}")
        return text
    if field.kind == "integer":
        if not _INTEGER.fullmatch(text):
            raise UnitError(f"'{text}' is not a whole number: write one such as {field.example(path)}")
        if len(text) > _MOST_DIGITS:
            raise UnitError(f"'{text}' has {len(text):,} digits: {_allowed(field)}")
        number = int(text)
        _within(field, number, str(number))
        return number
    values = parse_list(text, field.dimension)
    if field.kind == "list":
        if field.length and len(values) != field.length:
            raise UnitError(f"holds {len(values)} numbers where {field.length} are needed")
        if len(values) > _MOST_NUMBERS:
            raise UnitError(f"holds {len(values):,} numbers: at most {_MOST_NUMBERS:,}")
    elif len(values) != 1:
        raise UnitError(f"'{text}' holds {len(values)} numbers where one is needed (a decimal is written 1.5, not 1,5)")
    unit = unit_of(text)
    for value in values:
        _within(field, value, quantity(value, field.dimension, unit))
    return values if field.kind == "list" else values[0]


def _plain_text(text: str, most: int) -> str:
    if len(text) > most:
        raise UnitError(f"'{text}' has {len(text):,} characters: at most {most:,}")
    if shown(text, most) != text or "\n" in text:
        raise UnitError(f"'{text}' holds a character that does not print: write plain text on one line")
    return text


def _within(field: Field, value: float | int, text: str) -> None:
    low, high = field.limits()
    span = max(abs(bound) for bound in (low or 0.0, high or 0.0, 1e-300))
    if low is not None and value < low - 1e-12 * span:
        raise UnitError(
            f"{text} is {field.below}" if field.below else f"{text} is below {field.minimum}: {_allowed(field)}"
        )
    if high is not None and value > high + 1e-12 * span:
        raise UnitError(f"{text} is above {field.maximum}: {_allowed(field)}")


def _allowed(field: Field) -> str:
    if field.minimum and field.maximum:
        return f"{field.meaning}; from {field.minimum} to {field.maximum}"
    return (
        f"{field.meaning}; at least {field.minimum}" if field.minimum else f"{field.meaning}; at most {field.maximum}"
    )


def namespace(section: Section, values: dict[str, Any], prefix: str = "") -> SimpleNamespace:
    """The values below a section as nested attributes; sections left out are None."""
    made = SimpleNamespace()
    for member in section.members:
        path = f"{prefix}{member.name}"
        if isinstance(member, Field):
            setattr(made, member.name, values.get(path))
        elif member.optional and not any(name.startswith(f"{path}.") for name in values):
            setattr(made, member.name, None)
        else:
            setattr(made, member.name, namespace(member, values, f"{path}."))
    return made


def by_path(configured: SimpleNamespace, prefix: str = "") -> dict[str, Any]:
    """Values of a checked configuration by dotted path, in SI, defaults included."""
    found: dict[str, Any] = {}
    for name, value in vars(configured).items():
        if isinstance(value, SimpleNamespace):
            found |= by_path(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = value
    return found
