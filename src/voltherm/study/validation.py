"""Validation: the package held against reference data, one folder per case.

A case is a folder with `case.yaml`, the reference data it names and a README that tells its story:

```yaml
domain: coolant
title: Cold plate against the published resistance table
source: Author (year), table 2
check: voltherm.study.checks.coolant.cold_plate_table   # a function of this package; a case file can run nothing else
arguments: {table: resistance.csv}                      # handed to the function by name
tolerances:
  - {quantity: thermal resistance, tolerance: 0.05, unit: "1"}
```

A case that holds a whole site against its reference also names shipped configurations, and the overrides that make each
of its sites; the check is handed them as `sites`, by name:

```yaml
configuration: configs/campus/abilene_building.yaml     # from the folder that holds validation/
sites: {building: [], one_hall: ["building.halls=1"]}
```

The function is called as `check(folder, **arguments)` and returns a mapping from each quantity to its error, a number
in the unit of the tolerance. A row passes when `abs(error) <= tolerance`. A quantity that the function does not return,
an exception, a NaN, and a quantity without a tolerance are failed rows with their reason: nothing is left out silently.
"""

import difflib
import importlib
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

if TYPE_CHECKING:
    from voltherm.site.sections import Site

Load = Callable[[Path, Sequence[str]], "Site"]
"""Makes a site from a configuration file and overrides: `voltherm.load`, which studies do not import themselves."""

_CHECK = re.compile(r"voltherm\.study\.checks\.[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")


class Tolerance(BaseModel):
    """Largest error allowed in one quantity, in `unit`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    quantity: str = Field(min_length=1)
    tolerance: float = Field(ge=0.0, allow_inf_nan=False)
    unit: str = Field(min_length=1)


class Case(BaseModel):
    """Contents of one `case.yaml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    domain: str = Field(min_length=1)
    title: str = Field(min_length=1)
    source: str = Field(min_length=1)
    check: str = Field(pattern=f"^{_CHECK.pattern}$")
    arguments: dict[str, Any] = Field(default_factory=dict)
    configuration: str = ""
    sites: dict[str, list[str]] = Field(default_factory=dict)
    tolerances: list[Tolerance] = Field(min_length=1)


@dataclass(frozen=True)
class Row:
    """One line of the validation table.

    `error` and `tolerance` are in `unit`; `error` is NaN where the check gave none, and `reason` then says why.
    `reference` is the source of the reference numbers.
    """

    case: str
    domain: str
    quantity: str
    error: float
    tolerance: float
    unit: str
    passed: bool
    reference: str
    reason: str = ""

    def as_dict(self) -> dict[str, object]:
        """Plain mapping for JSON: a number that is not finite becomes None, `reason` stands on failed rows only."""
        plain: dict[str, object] = {
            "case": self.case,
            "domain": self.domain,
            "quantity": self.quantity,
            "error": self.error if math.isfinite(self.error) else None,
            "tolerance": self.tolerance if math.isfinite(self.tolerance) else None,
            "unit": self.unit,
            "passed": self.passed,
            "reference": self.reference,
        }
        return plain if self.passed else plain | {"reason": self.reason}


def default_folder() -> Path:
    """The `validation` folder of the source tree this package runs from, else the one in the current folder."""
    source_tree = Path(__file__).resolve().parents[3] / "validation"
    return source_tree if source_tree.is_dir() else Path.cwd() / "validation"


def discover(folder: Path, names: Sequence[str] | None = None) -> list[str]:
    """Names of the cases under `folder` (`site/rack_reference`), sorted.

    `names` keeps those that match a case, its last part or a leading folder (`site`); an unknown one raises ValueError.
    """
    cases = sorted(path.parent.relative_to(folder).as_posix() for path in folder.rglob("case.yaml"))
    if not names:
        return cases
    chosen: set[str] = set()
    for name in names:
        matching = {case for case in cases if _matches(case, name.strip("/"))}
        if not matching:
            near = difflib.get_close_matches(name, [*cases, *(case.split("/")[-1] for case in cases)], n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"known cases: {', '.join(cases) or 'none'}"
            raise ValueError(f"no validation case '{name}' in {folder}; {hint}")
        chosen |= matching
    return [case for case in cases if case in chosen]


def _matches(case: str, name: str) -> bool:
    return case == name or case.startswith(f"{name}/") or case.rsplit("/", 1)[-1] == name


def case_file(folder: Path, name: str) -> Path:
    """A file of the case, by the name its `case.yaml` gives; one outside the case's folder is refused."""
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise ValueError(f"'{name}' lies outside the case's own folder")
    if not path.is_file():
        raise FileNotFoundError(f"'{name}' is not in the case's folder")
    return path


def load_case(folder: Path) -> Case:
    """Read and check `case.yaml` in `folder`; raises ValueError with every mistake in it."""
    path = folder / "case.yaml"
    try:
        return Case.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except yaml.YAMLError as error:
        raise ValueError(f"{path}: not valid YAML: {error}") from error
    except ValidationError as error:
        mistakes = "; ".join(
            f"{'.'.join(str(part) for part in mistake['loc']) or 'case'}: {mistake['msg']}"
            for mistake in error.errors()
        )
        raise ValueError(f"{path}: {mistakes}") from error


def load_check(dotted: str) -> Callable[..., Mapping[str, float]]:
    """The function a case names, which has to be defined in a module of `voltherm.study.checks`."""
    if not _CHECK.fullmatch(dotted):
        raise ValueError(f"'{dotted}' is not a function of voltherm.study.checks")
    module_name, name = dotted.rsplit(".", 1)
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise ValueError(f"there is no module {module_name}: {error}") from error
    function = vars(module).get(name)
    # what a module merely imported is not one of its checks
    if not callable(function) or getattr(function, "__module__", None) != module_name:
        raise ValueError(f"{module_name} defines no function '{name}'")
    return function


def load_sites(folder: Path, case: Case, load: Load | None) -> dict[str, "Site"]:
    """The sites that a case asks for, from a configuration beside the validation `folder`."""
    if not case.sites:
        return {}
    if load is None:
        raise ValueError("the case builds sites from a configuration, and no reader of configurations was given")
    path = case_file(folder.parent, case.configuration)
    return {name: load(path, overrides) for name, overrides in case.sites.items()}


def run_case(folder: Path, name: str, *, load: Load | None = None) -> list[Row]:
    """Rows of the case `name` under `folder`, one per tolerance; never raises for what the case does.

    **Arguments**: `load`: reads configurations for cases that build sites; without it those are failed rows.
    """
    try:
        case = load_case(folder / name)
    except (ValueError, OSError) as error:
        return [_failed(name, name.split("/")[0], "case", math.nan, "1", "", str(error))]
    try:
        sites = load_sites(folder, case, load)
        arguments = case.arguments | ({"sites": sites} if sites else {})
        errors = dict(load_check(case.check)(folder / name, **arguments))
    # whatever a check raises belongs in the table: the other cases still have to be run and shown
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        return [
            _failed(name, case.domain, item.quantity, item.tolerance, item.unit, case.source, reason)
            for item in case.tolerances
        ]
    rows = [_compare(name, case, item, errors) for item in case.tolerances]
    stated = {item.quantity for item in case.tolerances}
    unstated = "the check returns this quantity, but case.yaml states no tolerance for it"
    rows += [
        _failed(name, case.domain, quantity, math.nan, "1", case.source, unstated)
        for quantity in errors
        if quantity not in stated
    ]
    return rows


def _compare(name: str, case: Case, item: Tolerance, errors: Mapping[str, float]) -> Row:
    if item.quantity not in errors:
        reason = f"the check returned no '{item.quantity}', only: {', '.join(errors) or 'nothing'}"
        return _failed(name, case.domain, item.quantity, item.tolerance, item.unit, case.source, reason)
    error = float(errors[item.quantity])
    passed = abs(error) <= item.tolerance  # False for NaN
    reason = "" if passed else ("not a number" if math.isnan(error) else "the error is above the tolerance")
    return Row(name, case.domain, item.quantity, error, item.tolerance, item.unit, passed, case.source, reason)


def _failed(name: str, domain: str, quantity: str, tolerance: float, unit: str, reference: str, reason: str) -> Row:
    return Row(name, domain, quantity, math.nan, tolerance, unit, False, reference, reason)


def run(folder: Path, names: Sequence[str] | None = None, *, load: Load | None = None) -> list[Row]:
    """Run the cases under `folder`, all or those in `names`, and return the rows of the table in order of case."""
    return [row for name in discover(folder, names) for row in run_case(folder, name, load=load)]
