"""The constraints of a point in words: limits that bind or are violated, set points, equipment at its end."""

from voltherm.report.quantities import difference, number, temperature
from voltherm.report.uncertainty import interval, margin_digits, value_within
from voltherm.study.answer import Answer, Point
from voltherm.study.limits import MEMORY_LIMIT, SUPPLY_LIMIT, Constraint
from voltherm.study.uncertainty import CHIP_SUPPLY

_JUNCTION = "junction temperature"
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
    return min((each for each in point.constraints if _JUNCTION in each.name), key=lambda each: each.margin)


def binding_limit(point: Point) -> Constraint:
    """The limit that ends a search for the highest supply: a junction, memory or the maker's limit of the supply."""
    ends = [each for each in point.constraints if each.name in (MEMORY_LIMIT, SUPPLY_LIMIT) or _JUNCTION in each.name]
    return min(ends, key=lambda each: each.margin)


def binding_name(constraint: Constraint) -> str:
    """What binds, in words."""
    return _MAKER if constraint.name == SUPPLY_LIMIT else constraint.name


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
    if chip.margin < 0.0:
        return f"{name} is too high: {chip.element} passes its limit by {difference(-chip.margin, digits)}."
    reached = temperature(point.figures["supply_temperature"])
    beyond = f", {difference(-end.margin, 1)} above {_MAKER}" if end.name == SUPPLY_LIMIT and end.violated else ""
    if any(floats(each) for each in point.constraints):
        return f"{name} is not held that day: the supply floats to {reached}{beyond}{at_end}. {_left(chip, digits)}"
    if beyond:
        return f"{name} is too high: it is{beyond.removeprefix(',')}. {_left(chip, digits)}"
    return f"{name} is held that day. {_left(chip, digits)}"


def _left(chip: Constraint, digits: int) -> str:
    return f"{chip.element} keeps {difference(chip.margin, digits)} to its limit."


def headline_sentence(answer: Answer) -> str:
    """The answer in one sentence."""
    ambient = temperature(float(answer.site.climate.dry_bulb))
    what = "the building" if answer.site.building.count == 1 else "the campus"
    chips = answer.chip_supply
    if answer.allowed is None:
        if chips is not None:
            maker = temperature(float(answer.site.limits.supply_maximum))
            return (
                f"At {ambient} outside no supply temperature of {what} keeps {_MAKER}, {maker}; its chips would allow "
                f"{_chip_supply(answer, chips)}."
            )
        return f"At {ambient} outside no supply temperature keeps every chip of {what} within its limit."
    end = binding_limit(answer.allowed)
    outside = f"At {ambient} outside {what} can run on a supply of up to"
    if end.name == SUPPLY_LIMIT:
        alone = "" if chips is None else f"; its chips alone would allow {_chip_supply(answer, chips)}"
        return f"{outside} {temperature(answer.allowed.set_point)}, which is {_MAKER}{alone}."
    return f"{outside} {_chip_supply(answer, answer.allowed.set_point)}; the {end.name} binds, first at {end.element}."


def _chip_supply(answer: Answer, value: float) -> str:
    """The highest supply that the chips allow, with its band where it has one."""
    found, band = value_within(answer, CHIP_SUPPLY) or temperature(value), interval(answer, CHIP_SUPPLY)
    return f"{found} ({band})" if band else found


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
