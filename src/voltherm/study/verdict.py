"""The findings of an answer: those of its operating points told once each, with where they hold.

Points: the hot day at the set point, the hot day at the highest supply, and the coldest hour of the year.
"""

import dataclasses
from collections.abc import Iterator

from voltherm.site.findings import Finding
from voltherm.study.answer import Answer, Point
from voltherm.study.limits import violated

SET_POINT, HIGHEST, COLDEST = "set point", "highest supply", "coldest hour"


@dataclasses.dataclass(frozen=True)
class Verdict:
    """A finding where it is worst, and every point of the answer at which it holds."""

    finding: Finding
    where: tuple[str, ...]


def points(answer: Answer) -> Iterator[tuple[str, Point]]:
    """The operating points of an answer that are judged, by name."""
    for name, point in ((SET_POINT, answer.point), (HIGHEST, answer.allowed), (COLDEST, answer.coldest)):
        if point is not None:
            yield name, point


_AMONG_CONSTRAINTS = ("coolant flow", "supply temperature", "memory temperature")
"""Kinds of findings whose limit is a constraint, too."""


def forbids(finding: Finding) -> bool:
    """Whether a maker, a material or physics forbids what is found, and no constraint says so already."""
    return finding.severity != "practice" and finding.kind not in _AMONG_CONSTRAINTS


def forbidden(point: Point) -> tuple[Finding, ...]:
    """What is forbidden at a point, beyond its constraints."""
    return tuple(each for each in point.findings if forbids(each))


def limits_held(answer: Answer) -> bool:
    """Whether there is a highest supply, and no limit is passed at any point of the answer: neither a constraint, nor
    a finding that is unphysical or passes a limit."""
    found = [point for _, point in points(answer)]
    passed = any(violated(point.constraints) or forbidden(point) for point in found)
    return answer.allowed is not None and not passed


def verdicts(answer: Answer) -> tuple[Verdict, ...]:
    """Every finding of an answer, the worst first."""
    worst: dict[tuple[str, str, bool, bool], Finding] = {}
    where: dict[tuple[str, str, bool, bool], list[str]] = {}
    for name, point in points(answer):
        for found in point.findings:
            # what is forbidden at one point may be poor practice alone at another
            key = found.kind, found.subject, found.value < found.limit, forbids(found)
            where.setdefault(key, []).append(name)
            if key not in worst or found.rank < worst[key].rank:
                worst[key] = found
    ordered = sorted(worst, key=lambda key: worst[key].rank)
    return tuple(Verdict(worst[key], tuple(dict.fromkeys(where[key]))) for key in ordered)


def unphysical(answer: Answer) -> tuple[str, ...]:
    """What no physical state can show, one sentence each; empty where the answer is physical."""
    return tuple(
        f"{', '.join(each.where)}: {each.finding.sentence}"
        for each in verdicts(answer)
        if each.finding.severity == "unphysical"
    )
