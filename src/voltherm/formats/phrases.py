"""Values that are lists of short phrases: what is lost and restored in time, and the course of the load.

    ride_through:
      events:
        - {at: 0 s, lose: facility pumps}
        - {at: 45 s, restore: facility pumps, ramp: 20 s}
      load: "100 % at 0 s; 60 % at 10 min"

Every item may be a mapping or its phrase (`facility pumps restored at 45 s over 20 s`), and the whole list one text
with semicolons, as `--set` takes it and as it is kept with results.
"""

import dataclasses
import itertools
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from voltherm.formats.units import UnitError, parse, quantity

SERVICES = (
    "heat rejection",
    "facility pumps",
    "CDU pumps",
    "fans",
    "chillers",
    "air handlers",
    "UPS",
    "utility power",
)
"""What can be lost, in the order of `voltherm.site.events.SERVICES`, which imports jax."""

_EVENT = re.compile(r"(?P<service>.+?)\s+(?P<verb>lost|restored)\s+at\s+(?P<at>.+?)(?:\s+over\s+(?P<ramp>.+))?")
_POINT = re.compile(r"(?P<value>.+?)\s+at\s+(?P<at>.+)")
_USUAL = -1.0  # ramp of the machines, where none is written
_LONGEST = 300  # characters of one phrase: far beyond any; a phrase is searched in the square of its length


@dataclasses.dataclass(frozen=True)
class Phrases:
    """One kind of list: keys of an item written as a mapping with their meaning, its phrase, and what that means.

    - `keys`: all keys, with their meaning; `needed`: those that have to stand
    - `phrase`: texts by key as a phrase; `parse`: a phrase as numbers in SI; `shown`: numbers as a phrase. The first
      two raise `UnitError`.
    - `most`: items of a list; `check`: what is wrong with the whole list, or nothing
    """

    keys: Mapping[str, str]
    needed: tuple[str, ...]
    example: str
    phrase: Callable[[Mapping[str, str]], str]
    parse: Callable[[str], tuple[float, ...]]
    shown: Callable[[Sequence[float], int], str]
    most: int
    check: Callable[[tuple[tuple[float, ...], ...]], str | None] = lambda values: None


def _time(text: str) -> float:
    value = parse(text, "time")
    if not (math.isfinite(value) and 0.0 <= value <= 864000.0):
        raise UnitError(f"'{text}' is no time from 0 s to 864000 s after the start")
    return value


def _event_phrase(texts: Mapping[str, str]) -> str:
    lost, restored = texts.get("lose"), texts.get("restore")
    if (lost is None) == (restored is None):
        raise UnitError(f"write either 'lose' or 'restore', with one of: {', '.join(SERVICES)}")
    if restored is None:
        if "ramp" in texts:
            raise UnitError("a ramp belongs to what is restored: pumps that are lost coast down by themselves")
        return f"{lost} lost at {texts['at']}"
    return f"{restored} restored at {texts['at']}{' over ' + texts['ramp'] if 'ramp' in texts else ''}"


def _event(text: str) -> tuple[float, ...]:
    match = _EVENT.fullmatch(text) if len(text) < _LONGEST else None
    if match is None:
        raise UnitError(
            f"'{text[:80]}' is no event: write such as 'facility pumps lost at 0 s' or "
            "'facility pumps restored at 45 s over 20 s'"
        )
    service, verb, at, ramp = match.group("service", "verb", "at", "ramp")
    if service not in SERVICES:
        from voltherm.formats.schema import suggestion  # the schema reads these phrases

        raise UnitError(f"'{service[:80]}' is nothing that can be lost: {suggestion(service, list(SERVICES))}")
    if verb == "lost" and ramp is not None:
        raise UnitError("a ramp belongs to what is restored: pumps that are lost coast down by themselves")
    over = _USUAL if ramp is None else _time(ramp)
    return (_time(at), float(SERVICES.index(service)), float(verb == "restored"), over)


def _event_shown(event: Sequence[float], digits: int = 6) -> str:
    at, service, works, ramp = event
    over = "" if ramp == _USUAL else f" over {quantity(ramp, 'time', 's', digits)}"
    verb = "restored" if works else "lost"
    return f"{SERVICES[int(service)]} {verb} at {quantity(at, 'time', 's', digits)}{over}"


EVENTS = Phrases(
    {
        "at": "when, from the start",
        "lose": "what is lost",
        "restore": "what comes back",
        "ramp": "until it gives all it can",
    },
    ("at",),
    "facility pumps lost at 0 s; facility pumps restored at 45 s over 20 s",
    _event_phrase,
    _event,
    _event_shown,
    100,
)


def _point_phrase(texts: Mapping[str, str]) -> str:
    return f"{texts['factor']} at {texts['at']}"


def _point(text: str) -> tuple[float, ...]:
    match = _POINT.fullmatch(text) if len(text) < _LONGEST else None
    if match is None:
        raise UnitError(f"'{text[:80]}' is no point of a course: write such as '60 % at 10 min'")
    factor = parse(match["value"], "share")
    if not 0.0 <= factor <= 1.5:
        raise UnitError(f"{match['value']} is no factor on the load: from 0 % to 150 %")
    return (_time(match["at"]), factor)


def _point_shown(point: Sequence[float], digits: int = 6) -> str:
    return f"{quantity(point[1], 'share', '%', digits)} at {quantity(point[0], 'time', 's', digits)}"


def _rising(points: tuple[tuple[float, ...], ...]) -> str | None:
    fallen = next((after for before, after in itertools.pairwise(points) if after[0] <= before[0]), None)
    if fallen is None:
        return None
    return f"the times of a course rise: '{_point_shown(fallen)}' stands behind a later or equal one"


LOAD = Phrases(
    {"at": "when, from the start", "factor": "on the configured load factor"},
    ("at", "factor"),
    "100 % at 0 s; 60 % at 10 min",
    _point_phrase,
    _point,
    _point_shown,
    1000,
    _rising,
)


def shown(kind: Phrases, values: Iterable[Sequence[float]], digits: int = 6) -> str:
    """The whole list as one text."""
    return "; ".join(kind.shown(value, digits) for value in values)
