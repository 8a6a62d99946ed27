"""The constraints of a point in words: limits that bind or are violated, set points, equipment at its end."""

from collections.abc import Sequence

from voltherm.numerics import ResultCode
from voltherm.report.quantities import difference, number, temperature
from voltherm.report.uncertainty import interval, margin_digits, value_within
from voltherm.study.answer import Answer, Point
from voltherm.study.limits import JUNCTION, SUPPLY_LIMIT, Constraint, ends_search, violated
from voltherm.study.uncertainty import CHIP_SUPPLY
from voltherm.study.verdict import forbidden, points

_MAKER = "the maker's limit of the racks"


def is_equipment(constraint: Constraint) -> bool:
    """Whether a constraint is the range of a machine and not a limit of the site."""
    return constraint.kind == "equipment"


def limits(point: Point) -> list[Constraint]:
    """The limits of a point, tightest first; the set point counts where it is not held."""
    return [each for each in point.constraints if not is_equipment(each) and (each.kind != "control" or each.binding)]


def equipment_at_end(point: Point) -> list[str]:
    """Names of the equipment that has no range left."""
    return [each.name for each in point.constraints if is_equipment(each) and each.binding]


def tightest_chip(point: Point) -> Constraint:
    """The junction limit with the least margin."""
    return min((each for each in point.constraints if JUNCTION in each.name), key=lambda each: each.margin)


def binding_limit(point: Point) -> Constraint:
    """The limit that ends a search for the highest supply: that with the least margin."""
    return min((each for each in point.constraints if ends_search(each)), key=lambda each: each.margin)


def passed_by(constraint: Constraint) -> str:
    """How far a limit is passed, and where: "the limit of the transformer loading by 20.0 % at TX-07"."""
    name = _MAKER if constraint.name == SUPPLY_LIMIT else f"the limit of the {constraint.name}"
    return f"{name} by {difference_beyond(constraint)} at {constraint.element}"


def outside_at(point: Point) -> list[str]:
    """What is forbidden at a point beyond its constraints, kind by kind: "pump flow (H1-R02-CDU)"."""
    elements: dict[str, list[str]] = {}
    for each in forbidden(point):
        elements.setdefault(each.kind, []).append(each.element)
    return [f"{kind} ({', '.join(names)})" for kind, names in elements.items()]


def passed_at(point: Point) -> list[str]:
    """Every limit that is passed at a point, in words."""
    return [passed_by(each) for each in violated(point.constraints)] + outside_at(point)


def _passes(limits: Sequence[Constraint], outside: list[str]) -> str:
    """That limits are passed, and what else is forbidden, to follow "it"; empty where nothing is."""
    found = [f"passes {_listed([passed_by(each) for each in limits])}"] if limits else []
    return " and ".join(found + ([f"is outside what is allowed for {_listed(outside)}"] if outside else []))


def limits_passed(answer: Answer) -> list[str]:
    """Every limit that is passed at a point of the answer, with where."""
    return [f"{name}: {text}" for name, point in points(answer) for text in passed_at(point)]


def difference_beyond(constraint: Constraint) -> str:
    """By how much a limit is passed: K, or percentage points of its scale."""
    beyond = -constraint.margin
    return difference(beyond, 2) if constraint.unit == "K" else f"{number(100.0 * beyond, 1)} %"


def binding_name(constraint: Constraint) -> str:
    """What binds, in words."""
    return _MAKER if constraint.name == SUPPLY_LIMIT else constraint.name


def why_not_warmer(answer: Answer) -> str:
    """Why the search ended at a supply that serves, where no limit ended it."""
    if answer.searched == ResultCode.MAXIMUM_ITERATIONS:
        return "the search for a warmer one did not end"
    return "no steady state was found just above it"


def what_ends(answer: Answer, allowed: Point) -> str:
    """What ends the highest supply, in words."""
    if answer.searched != ResultCode.CONVERGED:
        return why_not_warmer(answer)
    return f"{binding_name(binding_limit(allowed))} binds"


def floats(constraint: Constraint) -> bool:
    """Whether the supply lies above its set point."""
    return constraint.kind == "control" and constraint.binding


def margin_text(constraint: Constraint) -> str:
    """What is left: K, or percentage points of the scale, with a word where nothing is, and another where less is."""
    if constraint.kind == "control":
        return f"floats {difference(-constraint.margin, 2)} above" if constraint.binding else "held"
    left = difference(constraint.margin, 2) if constraint.unit == "K" else f"{number(100.0 * constraint.margin, 1)} %"
    if constraint.violated:
        return f"{left} (violated)"
    if not constraint.binding:
        return left
    return f"{left} (at its end)" if is_equipment(constraint) else f"{left} (binds)"


def set_point_sentence(answer: Answer) -> str:
    """How the set point fares on the hot day, in one sentence; margins as exactly as their band allows."""
    point, digits = answer.point, margin_digits(answer, 2)
    chip, end = tightest_chip(point), binding_limit(point)
    name = f"The set point of {temperature(point.set_point)}"
    ends = equipment_at_end(point)
    at_end = f", with {_listed(ends)} at the end of their range" if ends else ""
    passed = [each for each in violated(point.constraints) if each is not chip]
    # what the first sentence says of the highest supply is not said again
    outside = (
        [] if answer.allowed is not None and outside_at(answer.allowed) == outside_at(point) else outside_at(point)
    )
    kept = float(answer.site.limits.junction_margin)
    asked = f" of the {difference(kept)} asked for" if kept else ""
    if chip.violated:
        also = f" It {_passes(passed, outside)}, too." if passed or outside else ""
        if chip.margin + kept > 0.0:
            left = f"keeps {difference(chip.margin + kept, digits)}{asked}"
        else:
            left = f"passes its limit by {difference(-chip.margin - kept, digits)}"
        return f"{name} is too high: {chip.element} {left}.{also}{_in_the_coldest_hour(answer)}"
    reached = temperature(point.figures["supply_temperature"])
    beyond = f", {difference(-end.margin, 1)} above {_MAKER}" if end.name == SUPPLY_LIMIT and end.violated else ""
    others = [each for each in passed if not (beyond and each is end)]
    also = f" It {_passes(others, outside)}." if others or outside else ""
    more = f", {difference(chip.margin, digits)} more than asked for" if kept else ""
    # less than nothing by rounding is nothing
    margin = max(chip.margin + kept, 0.0)
    left = f"{chip.element} keeps {difference(margin, digits)} to its limit{more}.{also}"
    left += _in_the_coldest_hour(answer)
    if any(floats(each) for each in point.constraints):
        return f"{name} is not held that day: the supply floats to {reached}{beyond}{at_end}. {left}"
    if beyond:
        return f"{name} is too high: it is{beyond.removeprefix(',')}. {left}"
    return f"{name} is held that day. {left}"


def _in_the_coldest_hour(answer: Answer) -> str:
    """What is passed in the coldest hour of the year and not on the hot day; empty where nothing is."""
    if answer.coldest is None:
        return ""
    known = {each.name for each in violated(answer.point.constraints)}
    limits = [each for each in violated(answer.coldest.constraints) if each.name not in known]
    outside = [text for text in outside_at(answer.coldest) if text not in outside_at(answer.point)]
    return f" In the coldest hour it {_passes(limits, outside)}." if limits or outside else ""


def headline_sentence(answer: Answer) -> str:
    """The answer in one sentence, with what it does not hold."""
    ambient = temperature(float(answer.site.climate.dry_bulb))
    what = "the building" if answer.site.building.count == 1 else "the campus"
    chips = (
        ""
        if answer.chip_supply is None
        else f"; its chips alone would allow {_chip_supply(answer, answer.chip_supply)}"
    )
    if answer.allowed is None:
        if answer.unheld is not None:
            return (
                f"At {ambient} outside no supply temperature of {what} holds every limit: the coldest that its plant "
                f"reaches passes {passed_by(answer.unheld)}{chips}."
            )
        why = f"{why_not_found(answer)}{chips}"
        return f"At {ambient} outside the highest supply temperature of {what} was not found: {why}."
    end = binding_limit(answer.allowed)
    passes = _passes(violated(answer.allowed.constraints), outside_at(answer.allowed))
    but = f" It does not hold every limit there: it {passes}." if passes else ""
    if answer.searched != ResultCode.CONVERGED:
        return (
            f"At {ambient} outside {what} can run on a supply of {temperature(answer.allowed.set_point)}; "
            f"{why_not_warmer(answer)}, so a warmer one may serve{chips}.{but}"
        )
    outside = f"At {ambient} outside {what} can run on a supply of up to"
    if end.name == SUPPLY_LIMIT:
        return f"{outside} {temperature(answer.allowed.set_point)}, which is {_MAKER}{chips}.{but}"
    supply = answer.allowed.set_point
    if JUNCTION not in end.name:
        return f"{outside} {temperature(supply)}; the limit of the {end.name} binds, first at {end.element}.{but}"
    return f"{outside} {_chip_supply(answer, supply)}; the {end.name} binds, first at {end.element}.{but}"


def why_not_found(answer: Answer) -> str:
    """Why there is no highest supply where not even its absence is known."""
    if answer.searched == ResultCode.MAXIMUM_ITERATIONS:
        return "the search did not end"
    return "where it is sought the site has no steady state"


def _chip_supply(answer: Answer, value: float) -> str:
    """The highest supply that the chips allow, with its band where it has one."""
    found, band = value_within(answer, CHIP_SUPPLY) or temperature(value), interval(answer, CHIP_SUPPLY)
    return f"{found} ({band})" if band else found


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
