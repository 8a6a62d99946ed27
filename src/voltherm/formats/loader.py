"""From files to checked configurations: inheritance, overrides, and every mistake in one go.

A case may begin with ``base: other.yaml``, a file of the same folder or below it, whose values it replaces one by one;
overrides ``path=value`` come last. A file with a section ``sweep`` or ``tune`` is a study, which names its case. What
comes out are plain numbers in SI units; nothing here imports jax.
"""

import dataclasses
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from voltherm.formats.checks import check_together
from voltherm.formats.errors import ConfigurationError, Problem
from voltherm.formats.near_files import folder_of, named_file, tidy
from voltherm.formats.schema import Field, Reading, Section, by_path, fields, namespace, suggestion
from voltherm.formats.schema_site import FIELDS, SITE, STUDY_PATHS
from voltherm.formats.schema_study import SWEEP, TUNE_COLD_PLATE, TUNE_SITE, VARIABLE, study_document
from voltherm.formats.source import OVERRIDE, Entry, read_entry
from voltherm.formats.units import SI_NAMES, UnitError, parse, parse_list

_OVERRIDE = re.compile(r"([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)\s*=\s*(.*)", re.DOTALL)
_DEEPEST_BASE = 5
_LARGEST_GRID = 100_000_000


@dataclasses.dataclass(frozen=True)
class Value:
    """One number or name of a document: its path, field, value in SI, where it was written, and the half-width of its
    tolerance in SI, 0 without one."""

    path: str
    field: Field
    value: Any
    file: str
    line: int
    tolerance: float = 0.0

    @property
    def text(self) -> str:
        """The value with its unit and tolerance, rounded."""
        return self.field.shown_with(self.value, self.tolerance)

    @property
    def exact(self) -> str:
        """The value with its unit and tolerance, to the last digit."""
        return self.field.shown_with(self.value, self.tolerance, digits=17)


@dataclasses.dataclass(frozen=True)
class Document:
    """A checked file: its `kind` (``site``, ``sweep`` or ``tune``), `path` and `name`, and its values in order."""

    kind: str
    path: Path
    name: str
    values: tuple[Value, ...]

    @property
    def tolerances(self) -> dict[str, float]:
        """Half-widths in SI of all numbers that have a tolerance, by dotted path."""
        return {value.path: value.tolerance for value in self.values if value.tolerance > 0.0}


@dataclasses.dataclass(frozen=True)
class Study:
    """A checked study: the values of its section, its variables as `voltherm.study.DesignVariables.build` takes them,
    and its case as `configuration` gives it (None for the calibration of a cold plate)."""

    document: Document
    settings: SimpleNamespace
    variables: tuple[dict[str, Any], ...]
    case: "tuple[SimpleNamespace, Document] | None"


def configuration(path: str | Path, overrides: Sequence[str] = ()) -> tuple[SimpleNamespace, Document]:
    """The case in a file, checked.

    **Arguments**: `overrides`: texts such as ``secondary.supply_temperature=42 degC``.

    **Returns**: the configuration for `voltherm.site.build`, nested attributes with numbers in SI; and the document.

    **Raises**: `ConfigurationError` with every mistake.
    """
    file = Path(path)
    reading = Reading()
    entry = _inherited(file, str(path), reading, folder_of(file))
    for study in ("sweep", "tune"):
        if study in entry.items():
            line = entry.items()[study].line
            message = f"this file is a study: `voltherm {study} {path}` runs it, and its 'case' is the site"
            raise ConfigurationError([Problem(str(path), line, study, message)])
    _override(entry, overrides, SITE, reading)
    return _site(entry, file, reading)


def _site(entry: Entry, file: Path, reading: Reading) -> tuple[SimpleNamespace, Document]:
    reading.section(SITE, entry)
    check_together(reading)
    _finish(reading)
    return namespace(SITE, reading.values), _document("site", file, FIELDS, reading)


def from_values(texts: Mapping[str, Any]) -> SimpleNamespace:
    """The configuration that texts by dotted path describe, such as those kept with results; checked like a file.

    **Raises**: `ConfigurationError` with every mistake.
    """
    entry = Entry({}, "case", 1)
    reading = Reading()
    for path, text in texts.items():
        _put(entry, path, Entry(str(text), "case", 1))
    return _site(entry, Path("case"), reading)[0]


def study(path: str | Path, overrides: Sequence[str] = ()) -> Study:
    """The study in a file and the case it names, checked together.

    Overrides that begin with ``sweep.`` or ``tune.`` change the study, all others its case.

    **Raises**: `ConfigurationError` with every mistake in both files.
    """
    file = Path(path)
    reading = Reading()
    entry = read_entry(file, str(path))
    kind = next((kind for kind in ("sweep", "tune") if kind in entry.items()), None)
    if kind is None:
        message = "not a study: it has neither a section 'sweep' nor a section 'tune'"
        raise ConfigurationError([Problem(str(path), 1, "", message)])
    own = [text for text in overrides if text.strip().startswith(f"{kind}.")]
    section = SWEEP
    if kind == "tune":
        chosen = entry.items()[kind].items().get("kind")
        section = TUNE_COLD_PLATE if chosen is not None and chosen.value == "cold_plate" else TUNE_SITE
    document = study_document(section)
    _override(entry, own, document, reading)
    variables = entry.items()[kind].items().pop("variables", None) if section is not TUNE_COLD_PLATE else None
    reading.section(document, entry)
    for path in reading.tolerances:
        reading.report(path, "has a tolerance, but this is a setting of the study: numbers of its case can have one")
    chosen_variables: tuple[dict[str, Any], ...] = ()
    if section is not TUNE_COLD_PLATE:
        chosen_variables = _variables(variables, kind, reading)
        _against_sampler(reading, kind, chosen_variables)
    case = None
    problems, left_out = reading.problems, 0
    named = reading.values.get(f"{kind}.case")
    if named is not None:
        above = folder_of(file).parent
        target, wrong = named_file(file, named, above, "outside the folder above this file: name a case near it")
        if wrong:
            reading.report(f"{kind}.case", wrong)
        else:
            try:
                case = configuration(tidy(target), [text for text in overrides if text not in own])
            except ConfigurationError as error:
                problems, left_out = [*problems, *error.problems], error.left_out
    if kind == "sweep" and case is not None and not problems:
        _ends_as_cases(reading, chosen_variables, case[0])
    if problems:
        raise ConfigurationError(problems, left_out)
    settings = getattr(namespace(document, reading.values), kind)
    return Study(_document(kind, file, fields(document), reading), settings, chosen_variables, case)


def _ends_as_cases(reading: Reading, variables: Sequence[Mapping[str, Any]], case: SimpleNamespace) -> None:
    """A design may not be what a case may not be: lowest and highest of each variable, the rest as in the case."""
    values = by_path(case)
    for number, variable in enumerate(variables, start=1):
        field = STUDY_PATHS[variable["path"]]
        ends = variable.get("values") or (variable["minimum"], variable["maximum"])
        for value in sorted({min(ends), max(ends)}):
            design = Reading(values={**values, variable["path"]: value}, places={"": reading.places[""]})
            check_together(design)
            for problem in design.problems:
                reading.report(
                    f"sweep.variables[{number}]", f"at {field.shown(value)} of {variable['path']}: {problem.message}"
                )


def kind_of(path: str | Path) -> str:
    """``site``, ``sweep`` or ``tune``, by the sections of a file."""
    sections = read_entry(Path(path), str(path)).items()
    return next((kind for kind in ("sweep", "tune") if kind in sections), "site")


def _inherited(file: Path, shown: str, reading: Reading, root: Path, depth: int = 0) -> Entry:
    entry = read_entry(file, shown)
    base = entry.items().pop("base", None)
    if base is None:
        return entry

    def refuse(message: str) -> Entry:
        reading.problems.append(Problem(base.file, base.line, "base", message))
        return entry

    if not isinstance(base.value, str):
        return refuse("the name of one file is needed here")
    target, wrong = named_file(file, base.value, root, "outside the folder of this case: name a file in it or below it")
    if wrong:
        return refuse(wrong)
    if depth >= _DEEPEST_BASE:
        return refuse(f"more than {_DEEPEST_BASE} files stand behind each other, or in a circle")
    below = _inherited(target, str(Path(shown).parent / base.value), reading, root, depth + 1)
    return _merged(below, entry)


def _merged(below: Entry, above: Entry) -> Entry:
    if not isinstance(below.value, dict) or not isinstance(above.value, dict):
        return above
    merged = dict(below.value)
    for name, entry in above.value.items():
        merged[name] = _merged(merged[name], entry) if name in merged else entry
    return Entry(merged, above.file, above.line)


def _override(entry: Entry, overrides: Sequence[str], section: Section, reading: Reading) -> None:
    known = fields(section)
    for number, text in enumerate(overrides, start=1):
        match = _OVERRIDE.fullmatch(text.strip())
        if match is None:
            problem = (
                f"'{text}' is not an override: write it as path=value, such as 'secondary.supply_temperature=42 degC'"
            )
            reading.problems.append(Problem(OVERRIDE, number, "", problem))
            continue
        path, value = match.groups()
        if path not in known:
            message = f"there is no number of that path: {suggestion(path, list(known))}"
            reading.problems.append(Problem(OVERRIDE, number, path, message))
            continue
        _put(entry, path, Entry(value.strip(), OVERRIDE, number))


def _put(entry: Entry, path: str, value: Entry) -> None:
    *sections, last = path.split(".")
    for name in sections:
        if not isinstance(entry.value, dict):
            return
        entry = entry.value.setdefault(name, Entry({}, value.file, value.line))
    if isinstance(entry.value, dict):
        entry.value[last] = value


def _variables(entry: Entry | None, kind: str, reading: Reading) -> tuple[dict[str, Any], ...]:
    where = f"{kind}.variables"
    if entry is None:
        reading.report(where, "is missing: a list of variables, each with path and minimum and maximum, or values")
        return ()
    reading.places[where] = entry
    if not isinstance(entry.value, list) or not entry.value:
        reading.report(where, "a list of variables is needed here, each with path and minimum and maximum, or values")
        return ()
    found: list[dict[str, Any]] = []
    for number, item in enumerate(entry.value, start=1):
        variable = _variable(item, f"{where}[{number}]", kind, reading)
        if variable is None:
            continue
        if any(variable["path"] == other["path"] for other in found):
            reading.report(f"{where}[{number}]", f"'{variable['path']}' stands twice: keep one of them")
            continue
        found.append(variable)
    return tuple(found)


def _variable(item: Entry, where: str, kind: str, reading: Reading) -> dict[str, Any] | None:
    before = len(reading.problems)
    reading.places[where] = item
    reading.section(VARIABLE, _joined(item), where)
    written = item.items()
    path = reading.values.get(f"{where}.path")
    if path is None:
        return None
    field = STUDY_PATHS.get(path)
    if field is None:
        fixed = FIELDS.get(path)
        reason = (
            "cannot be moved by a study, for it shapes the model or is not one number"
            if fixed
            else "is no number of a case"
        )
        hint = "" if fixed else f": {suggestion(path, list(STUDY_PATHS))}"
        reading.report(f"{where}.path", f"'{path}' {reason}{hint}")
        return None
    texts = {
        name: str(_joined(item).items()[name].value) for name in ("minimum", "maximum", "values") if name in written
    }
    if kind == "tune" and "values" in texts:
        reading.report(f"{where}.values", "a tuned number moves in a range: write minimum and maximum")
    elif "values" in texts and len(texts) > 1:
        reading.report(f"{where}.values", "write either values, or minimum and maximum")
    elif "values" not in texts and len(texts) < 2:
        reading.report(where, f"write minimum and maximum of {path}{'' if kind == 'tune' else ', or its values'}")
    numbers: dict[str, Any] = {}
    low, high = field.limits()
    for name, text in texts.items():
        try:
            several = parse_list(text, field.dimension) if name == "values" else (parse(text, field.dimension),)
        except UnitError as error:
            reading.report(f"{where}.{name}", str(error))
            continue
        for value in several:
            if (low is not None and value < low) or (high is not None and value > high):
                allowed = f"from {field.minimum} to {field.maximum}"
                reading.report(f"{where}.{name}", f"{field.shown(value)} is outside what {path} may be, {allowed}")
        numbers[name] = list(several) if name == "values" else several[0]
    if "minimum" in numbers and "maximum" in numbers and not numbers["minimum"] < numbers["maximum"]:
        reading.report(f"{where}.minimum", f"{texts['minimum']} is not below the maximum, {texts['maximum']}")
    if len(reading.problems) > before:
        return None
    return {"path": path, "unit": SI_NAMES[field.dimension], **numbers}


def _joined(item: Entry) -> Entry:
    """The variable with lists of values as one text."""
    if not isinstance(item.value, dict):
        return item
    plain = {}
    for name, entry in item.value.items():
        if isinstance(entry.value, list) and all(isinstance(each.value, str) for each in entry.value):
            entry = dataclasses.replace(entry, value=_one_text([str(each.value) for each in entry.value]))
        plain[name] = entry
    return dataclasses.replace(item, value=plain)


def _one_text(texts: list[str]) -> str:
    """``["30 degC", "40 degC"]`` as ``30 40 degC``, where all have the same unit."""
    units = {text.strip().partition(" ")[2].strip() for text in texts}
    if len(units) != 1:
        return "; ".join(texts)
    return f"{' '.join(text.strip().partition(' ')[0] for text in texts)} {units.pop()}".strip()


def _against_sampler(reading: Reading, kind: str, variables: tuple[dict[str, Any], ...]) -> None:
    sampler = reading.values.get("sweep.sampler")
    if kind != "sweep" or not variables:
        return
    lengths = [len(variable.get("values", ())) for variable in variables]
    if sampler == "list" and (len(set(lengths)) != 1 or 0 in lengths):
        reading.report(
            "sweep.sampler", "a list takes the values of all variables line by line: give each as many values"
        )
    if sampler == "grid":
        _against_grid(reading, lengths)


def _against_grid(reading: Reading, lengths: list[int]) -> None:
    """A grid takes lists as they are, and needs both ends of every range."""
    listed, ranges = math.prod(length for length in lengths if length), lengths.count(0)
    least, designs = listed * 2**ranges, reading.values.get("sweep.designs")
    if ranges and designs is not None and designs < least:
        reading.report(
            "sweep.designs",
            f"{designs:,} designs are too few for a grid, which takes both ends of every range and every value listed: "
            f"at least {least:,}, or the sampler sobol",
        )
    elif not ranges and listed > _LARGEST_GRID:
        reading.report(
            "sweep.sampler",
            f"a grid of all values listed has {listed:,} designs: at most {_LARGEST_GRID:,}, or the sampler sobol",
        )


def _finish(reading: Reading) -> None:
    if reading.problems:
        raise ConfigurationError(reading.problems)


def _document(kind: str, file: Path, known: dict[str, Field], reading: Reading) -> Document:
    values = tuple(
        Value(
            path,
            field,
            reading.values[path],
            reading.places[path].file,
            reading.places[path].line,
            reading.tolerances.get(path, 0.0),
        )
        for path, field in known.items()
        if path in reading.values and path in reading.places
    )
    return Document(kind, file, str(reading.values.get("name", file.stem)), values)
