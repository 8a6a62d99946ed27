"""Numbers of the configuration as an engineer wrote them: value with unit, and what the number means.

Units and meanings are those of `voltherm.formats.schema_site`, so a report and `voltherm describe` say the same.
"""

import re
from typing import Any

import numpy as np

from voltherm.formats.schema_site import FIELDS
from voltherm.formats.units import tolerance_text
from voltherm.site.sections import Site

_DIGITS = 5
_RAISED = {"2": "²", "3": "³"}


def value_text(path: str, value: Any) -> str:
    """A value (SI) of the configuration as text in its unit; a plain number where the schema does not know the path."""
    field = FIELDS.get(path)
    if field is None:
        return f"{value:.{_DIGITS}g}"
    return _typeset(field.shown(value, _DIGITS))


def uncertainty_text(path: str, standard_uncertainty: float) -> str:
    """A standard uncertainty (SI) as text in the unit of its number, to two digits."""
    field = FIELDS.get(path)
    if field is None:
        return f"{standard_uncertainty:.2g}"
    return _typeset(tolerance_text(standard_uncertainty, field.dimension, field.unit, 2))


def _typeset(text: str) -> str:
    return re.sub(r"(?<=[a-z])[23](?![0-9])", lambda match: _RAISED[match[0]], text).replace("degC", "°C")


def meaning(path: str) -> str:
    """What the number at a path means; empty where the schema does not know it."""
    field = FIELDS.get(path)
    return "" if field is None else field.meaning


def written(site: Site) -> list[tuple[str, str, str]]:
    """Every value of a site's configuration: path, value with unit, meaning."""
    found = []
    for path, field in FIELDS.items():
        value: Any = site
        for name in path.split("."):
            value = getattr(value, name, None)
        if value is None:
            continue
        plain = value if isinstance(value, str | int | float) else np.asarray(value).tolist()
        found.append((path, value_text(path, plain), field.meaning))
    return found
