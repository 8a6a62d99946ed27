"""The tolerances of a document as studies of a site take them: each with the range that its number never leaves."""

import math

from voltherm.formats.loader import Document
from voltherm.study.uncertainty import Tolerance


def tolerances(document: Document) -> dict[str, Tolerance]:
    """Tolerances in SI of all numbers of a document that have one, by dotted path."""
    found = {}
    for value in document.values:
        if value.tolerance > 0.0:
            low, high = value.field.limits()
            found[value.path] = Tolerance(
                value.tolerance, -math.inf if low is None else low, math.inf if high is None else high
            )
    return found
