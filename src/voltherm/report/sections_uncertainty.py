"""The tables of the summary that say how well an answer is known, and what moves it."""

from voltherm.report.configuration import uncertainty_text, value_text
from voltherm.report.section import Section
from voltherm.report.uncertainty import band_rows, not_known
from voltherm.study.answer import Answer
from voltherm.study.sensitivity import Sensitivity


def band_sections(answer: Answer) -> list[Section]:
    """The figures with their uncertainty, where numbers have tolerances."""
    header, rows = band_rows(answer)
    if answer.uncertainty is None or not rows:
        return []
    note = (
        "To first order, from the exact gradients and the tolerances of the configuration: the standard uncertainty of "
        "a number is half its tolerance, a band is two of the figure's to both sides, and the numbers are taken as "
        "independent."
    )
    found = answer.uncertainty
    if found.samples:
        note += f" Each of the {found.samples} samples is solved anew, with numbers drawn from their tolerances."
    if found.unserved:
        note += f" In {found.unserved} of them no set point keeps every chip, which counts as the lowest supply."
    if found.failed:
        note += f" {found.failed} of them have no steady state and are left out."
    return [
        Section(
            "uncertainty", "The answer with its uncertainty", header, rows, note, words=frozenset((len(header) - 1,))
        )
    ]


def sensitivity_sections(answer: Answer) -> list[Section]:
    """What moves the smallest chip margin: numbers with a tolerance, where there are any, then the others."""
    return [*_tolerances(answer), _sensitivities(answer)]


def _tolerances(answer: Answer) -> list[Section]:
    known = not_known(answer)
    if not known:
        return []
    rows = tuple(
        (each.path, value_text(each.path, each.value), f"+{uncertainty_text(each.path, each.step)}", _kelvins(each))
        for each in known
    )
    note = "A step is the standard uncertainty, half of the tolerance. From the exact gradient at the set point."
    header = ("number of the configuration", "value", "standard uncertainty", "margin changes by")
    return [Section("tolerances", "What is not known and moves the smallest chip margin most", header, rows, note)]


def _kelvins(found: Sensitivity) -> str:
    return f"{found.effect:+.3f} K"


def _sensitivities(answer: Answer) -> Section:
    others = [each for each in answer.sensitivities if not each.toleranced]
    known = len(others) < len(answer.sensitivities)
    rows = tuple(
        (each.path, value_text(each.path, each.value), f"+{each.step_text}", _kelvins(each)) for each in others
    )
    return Section(
        "sensitivities",
        f"What{' else' if known else ''} moves the smallest chip margin most",
        ("number of the configuration", "value", "step", "margin changes by"),
        rows,
        "From the exact gradient at the set point on the hot day, one reverse pass over every number of the site. "
        f"{'Numbers without a tolerance, by' if known else 'By'} equal steps, which say nothing of how well they are "
        "known; limits and the margin kept, which count kelvin for kelvin, are left out.",
    )
