"""Units of configurations: text such as ``40 L/min`` to SI and back.

    SI value = factor x number + offset

A dimension lists the units it may be written in. A temperature has an offset and a temperature difference has none, so
the two are different dimensions. So are an absolute pressure, which says that it counts from vacuum (``3 bara``), and a
pressure drop or rise (``3 bar``); a gauge pressure is refused. A share is never a bare number, a plain number always
is. Several numbers may share one unit: ``10 25 50 %``.

Behind a quantity may stand a tolerance, ``10 mm2K/W +- 50 %`` or ``87 degC +- 2 K``: its half-width, as a difference
in a unit of the quantity or as a share of it. What is measured in % has points of a per cent: ``12 % +- 3 %`` is 9 to
15 %.
What a half-width stands for is said in `voltherm.study.uncertainty`.

Source: factors after NIST Special Publication 811 (2008), appendix B.
"""

import dataclasses
import difflib
import math
import re

_INCH, _FOOT, _US_GALLON, _PSI = 0.0254, 0.3048, 3.785411784e-3, 6894.757293168
_MINUTE, _HOUR, _DAY, _YEAR = 60.0, 3600.0, 86400.0, 31536000.0


@dataclasses.dataclass(frozen=True)
class Unit:
    """SI value = `factor` x number + `offset`."""

    factor: float
    offset: float = 0.0


def _named(factors: dict[str, float]) -> dict[str, Unit]:
    return {name: Unit(factor) for name, factor in factors.items()}


DIMENSIONS: dict[str, dict[str, Unit]] = {
    "number": {"": Unit(1.0)},
    "share": _named({"%": 0.01}),
    "per unit": _named({"pu": 1.0, "%": 0.01}),
    "temperature": {
        "degC": Unit(1.0, 273.15),
        "K": Unit(1.0),
        "degF": Unit(5.0 / 9.0, 459.67 * 5.0 / 9.0),
    },
    "temperature difference": _named({"K": 1.0}),
    "pressure": _named({"Pa": 1.0, "kPa": 1e3, "MPa": 1e6, "bar": 1e5, "mbar": 100.0, "hPa": 100.0, "psi": _PSI}),
    "absolute pressure": _named(
        {"kPa(a)": 1e3, "Pa(a)": 1.0, "MPa(a)": 1e6, "bara": 1e5, "mbara": 100.0, "psia": _PSI}
    ),
    "length": _named({"m": 1.0, "mm": 1e-3, "um": 1e-6, "cm": 1e-2, "km": 1e3, "in": _INCH, "ft": _FOOT}),
    "area": _named({"m2": 1.0, "cm2": 1e-4, "mm2": 1e-6, "in2": _INCH**2, "ft2": _FOOT**2}),
    "volume": _named({"m3": 1.0, "L": 1e-3, "gal": _US_GALLON, "ft3": _FOOT**3}),
    "mass flow": _named({"kg/s": 1.0, "kg/h": 1.0 / _HOUR, "t/h": 1e3 / _HOUR, "lb/s": 0.45359237}),
    "volume flow": _named(
        {
            "m3/s": 1.0,
            "m3/h": 1.0 / _HOUR,
            "L/s": 1e-3,
            "L/min": 1e-3 / _MINUTE,
            "gpm": _US_GALLON / _MINUTE,
            "cfm": _FOOT**3 / _MINUTE,
        }
    ),
    "flow per power": _named({"L/min/kW": 1e-6 / _MINUTE, "gpm/kW": _US_GALLON / _MINUTE / 1e3, "m3/s/W": 1.0}),
    "velocity": _named({"m/s": 1.0, "ft/s": _FOOT}),
    "valve coefficient": _named({"m3/h": 1.0, "Cv": 0.865}),
    "power": _named({"W": 1.0, "kW": 1e3, "MW": 1e6, "GW": 1e9, "hp": 745.69987158227}),
    "apparent power": _named({"VA": 1.0, "kVA": 1e3, "MVA": 1e6, "GVA": 1e9}),
    "voltage": _named({"V": 1.0, "kV": 1e3}),
    "current": _named({"A": 1.0, "kA": 1e3}),
    "frequency": _named({"Hz": 1.0}),
    "time": _named({"s": 1.0, "min": _MINUTE, "h": _HOUR, "day": _DAY}),
    "heat capacity": _named({"J/K": 1.0, "kJ/K": 1e3, "MJ/K": 1e6}),
    "thermal resistance": _named({"K/W": 1.0, "K/kW": 1e-3}),
    "area resistance": _named({"m2K/W": 1.0, "cm2K/W": 1e-4, "mm2K/W": 1e-6}),
    "line resistance": _named({"ohm/m": 1.0, "ohm/km": 1e-3}),
    "line capacitance": _named({"F/m": 1.0, "uF/km": 1e-9, "nF/km": 1e-12}),
    "energy price": _named({"USD/J": 1.0, "USD/MWh": 1.0 / 3.6e9, "USD/kWh": 1.0 / 3.6e6}),
    "volume price": _named({"USD/m3": 1.0, "USD/L": 1e3}),
    "area price": _named({"USD/m2": 1.0}),
    "share a year": _named({"%/year": 0.01}),
}
"""Units by dimension; the first is the one an example is written in, where none is given."""

SI_NAMES = {
    "number": "1",
    "share": "1",
    "per unit": "1",
    "temperature": "K",
    "temperature difference": "K",
    "pressure": "Pa",
    "absolute pressure": "Pa",
    "length": "m",
    "area": "m2",
    "volume": "m3",
    "mass flow": "kg s-1",
    "volume flow": "m3 s-1",
    "flow per power": "m3 J-1",
    "velocity": "m s-1",
    "valve coefficient": "m3 h-1",
    "power": "W",
    "apparent power": "V A",
    "voltage": "V",
    "current": "A",
    "frequency": "Hz",
    "time": "s",
    "heat capacity": "J K-1",
    "thermal resistance": "K W-1",
    "area resistance": "m2 K W-1",
    "line resistance": "ohm m-1",
    "line capacitance": "F m-1",
    "energy price": "USD J-1",
    "volume price": "USD m-3",
    "area price": "USD m-2",
    "share a year": "year-1",
}
"""Unit of the SI value of every dimension, as files of results write it."""

_NUMBER = r"[+-]?(?:\d+(?:_\d{3})*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
_QUANTITY = re.compile(rf"({_NUMBER}(?:[\s,]+{_NUMBER})*)\s*(.*)", re.DOTALL)
_SPELLINGS = {"°": "deg", "²": "2", "³": "3", "µ": "u", "μ": "u", "Ω": "ohm", "·": "", "*": "", "^": ""}


_TOLERANCE = re.compile(r"\+/?-|±")
_DIFFERENCE = {"temperature": "temperature difference", "absolute pressure": "pressure"}
"""Dimension of a difference of two quantities, where it is another."""

_SIMILAR = 0.75  # ratio of difflib: a unit that is less alike is another one
_LARGEST_FRACTION = 1.5
"""A bare share up to this is taken for a fraction of one: 0.12, 1.05."""

_GAUGE = re.compile(r"(M?Pa|kPa|bar|psi)_?\(?g\)?")


class UnitError(ValueError):
    """A text that is not a quantity of the dimension; the message says what would be right."""


def _spelled(unit: str) -> str:
    for sign, plain in _SPELLINGS.items():
        unit = unit.replace(sign, plain)
    return unit.replace(" ", "")


def _unit(unit: str, dimension: str, text: str) -> Unit:
    known = DIMENSIONS[dimension]
    wanted = known.get(_spelled(unit))
    if wanted is not None:
        return wanted
    choice = ", ".join(known)
    if dimension == "number":
        raise UnitError(f"'{text}' has a unit, but this is a plain number: write '{text.removesuffix(unit).strip()}'")
    if not unit and dimension == "share":
        raise UnitError(_share_without_unit(text))
    if not unit:
        raise UnitError(f"'{text}' has no unit: write {_a(dimension)} such as '{text} {next(iter(known))}' ({choice})")
    if dimension in ("pressure", "absolute pressure"):
        _refuse_gauge(_spelled(unit), dimension, text.removesuffix(unit).strip())
    elsewhere = [name for name, units in DIMENSIONS.items() if _spelled(unit) in units]
    if elsewhere:
        hint = " (a difference has no zero point)" if dimension == "temperature difference" else ""
        raise UnitError(f"'{unit}' is a unit of {elsewhere[0]}; {_a(dimension)} is needed here{hint}, in {choice}")
    near = difflib.get_close_matches(_spelled(unit), known, n=1, cutoff=_SIMILAR)
    folded = [name for name in known if name.casefold() == _spelled(unit).casefold()]
    best = (folded or near or [""])[0]
    meant = f"did you mean '{best}'? " if best else ""
    raise UnitError(f"unit '{unit}' is not known: {meant}{_a(dimension)} is written in {choice}")


def _share_without_unit(text: str) -> str:
    """A bare number may be a fraction of one or percent already: only its writer knows."""
    numbers = [float(number) for number in re.findall(_NUMBER, text)]
    percent = " ".join(f"{100.0 * number:.12g}" for number in numbers)
    if numbers and max(abs(number) for number in numbers) <= _LARGEST_FRACTION:
        return f"'{text}' has no unit: write '{percent} %' if it is a fraction of one, as it seems (shares are in %)"
    return f"'{text}' has no unit: write '{text} %' if it is in percent, or '{percent} %' if it is a fraction of one"


def _a(dimension: str) -> str:
    return f"{'an' if dimension[0] in 'aeiou' else 'a'} {dimension}"


def _refuse_gauge(unit: str, dimension: str, numbers: str) -> None:
    choice = ", ".join(DIMENSIONS[dimension])
    if _GAUGE.fullmatch(unit):
        raise UnitError(
            f"'{unit}' is a gauge pressure, which counts from the air's: add that of the air and write one that counts "
            f"from vacuum, in {choice}"
            if dimension == "absolute pressure"
            else f"'{unit}' is a gauge pressure; {_a(dimension)} is needed here, in {choice}"
        )
    if dimension == "absolute pressure" and unit in DIMENSIONS["pressure"]:
        named = next(name for name in DIMENSIONS[dimension] if name in (f"{unit}a", f"{unit}(a)"))
        raise UnitError(
            f"'{unit}' does not say whether it counts from vacuum or from the air's pressure: an absolute pressure is "
            f"needed here, such as '{numbers} {named}', in {choice}"
        )


def parse_list(text: str, dimension: str) -> tuple[float, ...]:
    """SI values of one number, or of several with one unit behind them. **Raises** `UnitError`."""
    plain, tolerance = split_tolerance(text)
    if tolerance is not None:
        raise UnitError(f"'{text.strip()}' has a tolerance, which is not read here: write '{plain}'")
    match = _QUANTITY.fullmatch(text.strip())
    if match is None:
        example = f"1 {next(iter(DIMENSIONS[dimension]))}".strip()
        raise UnitError(f"'{text}' is not a number with a unit: write {_a(dimension)} such as '{example}'")
    numbers, unit_text = match.groups()
    unit = _unit(unit_text.strip(), dimension, text.strip())
    values = tuple(float(number) * unit.factor + unit.offset for number in re.split(r"[\s,]+", numbers))
    if not all(math.isfinite(value) for value in values):
        raise UnitError(f"'{text}' is not finite")
    return values


def parse(text: str, dimension: str) -> float:
    """SI value of one quantity, such as ``40 degC`` of a temperature. **Raises** `UnitError`."""
    values = parse_list(text, dimension)
    if len(values) != 1:
        raise UnitError(f"'{text}' holds {len(values)} numbers where one is needed")
    return values[0]


def split_tolerance(text: str) -> tuple[str, str | None]:
    """What stands before ``+-`` (or ``±``), and what behind it; None where there is no such sign."""
    sign = _TOLERANCE.search(text)
    if sign is None:
        return text.strip(), None
    return text[: sign.start()].strip(), text[sign.end() :].strip()


def ends_in_tolerance(text: str) -> bool:
    """Whether a text ends as a quantity with its tolerance does: ``+-`` and a number."""
    _, tolerance = split_tolerance(text)
    return tolerance is not None and re.match(_NUMBER, tolerance) is not None


def parse_tolerance(text: str, value: float, dimension: str) -> float:
    """SI half-width that a tolerance, such as ``50 %`` or ``2 K``, gives a quantity of SI value `value`.

    **Raises** `UnitError`.
    """
    if not text:
        raise UnitError("nothing stands behind '+-': write a tolerance such as '+- 10 %'")
    if _TOLERANCE.search(text):
        raise UnitError(f"two tolerances stand here, '{text}': write one")
    of = _DIFFERENCE.get(dimension, dimension)
    relative = unit_of(text) == "%" and "%" not in DIMENSIONS[of]
    if relative and dimension == "temperature":
        raise UnitError("a temperature has no share, for its zero is a convention: write kelvins, such as '+- 2 K'")
    if relative and value == 0.0:
        raise UnitError(
            f"a share of 0 is 0: write a tolerance in {', '.join(filter(None, DIMENSIONS[of])) or 'numbers'}"
        )
    try:
        half_width = parse(text, "share") * abs(value) if relative else parse(text, of)
    except UnitError as error:
        share = "" if dimension == "temperature" or "%" in DIMENSIONS[of] else "; or a share of the value, in %"
        raise UnitError(f"tolerance: {error}{share}") from error
    if half_width < 0.0:
        raise UnitError(f"'{text}' is negative: a tolerance goes to both sides, write '+- {text.lstrip('-+ ')}'")
    return half_width


def tolerance_text(half_width: float, dimension: str, unit: str, digits: int = 6) -> str:
    """A half-width in SI as text, in the unit of its quantity where a difference may have it."""
    of = _DIFFERENCE.get(dimension, dimension)
    plain = unit.removesuffix("(a)")
    return quantity(half_width, of, plain if plain in DIMENSIONS[of] else None, digits)


def unit_of(text: str) -> str:
    """The unit a quantity is written in; empty where there is none."""
    match = _QUANTITY.fullmatch(text.strip())
    return _spelled(match.group(2)) if match else ""


_LARGEST_PLAIN = 1e9


def quantity(value: float, dimension: str, unit: str | None = None, digits: int = 6) -> str:
    """An SI value as text in `unit`, by default the first of its dimension."""
    name = next(iter(DIMENSIONS[dimension])) if unit is None else unit
    chosen = DIMENSIONS[dimension][name]
    text = f"{(value - chosen.offset) / chosen.factor:.{digits}g}"
    # of few digits, a number of hundreds would be written with an exponent
    plain = f"{float(text):.0f}" if "e+" in text and abs(float(text)) < _LARGEST_PLAIN else text
    return f"{plain} {name}".rstrip()
