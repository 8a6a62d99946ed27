"""Numbers of an answer in the units that engineers read: °C, kW, MW, MWh, L/min, kPa, %.

Inside voltherm everything is SI; this module is the one place where a report leaves it. A value that is not finite
becomes a dash, never "nan".
"""

import math

ZERO_CELSIUS = 273.15
JOULES_PER_MEGAWATT_HOUR = 3.6e9
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DASH = "–"
_FEW_MINUTES = 180.0  # s


def number(value: float, digits: int = 1) -> str:
    """`value` with thousands separated and `digits` decimals; a dash where it is not finite; no negative zero."""
    if not math.isfinite(value):
        return _DASH
    text = f"{value:,.{digits}f}"
    return text.removeprefix("-") if float(text.replace(",", "")) == 0.0 else text


def significant(value: float, digits: int = 4) -> str:
    """`value` to so many significant digits, in scientific notation where it is very large or small."""
    return f"{value:.{digits}g}" if math.isfinite(value) else _DASH


def temperature(kelvin: float, digits: int = 1) -> str:
    """A temperature in °C."""
    return f"{number(kelvin - ZERO_CELSIUS, digits)} °C"


def difference(kelvin: float, digits: int = 1) -> str:
    """A temperature difference in K."""
    return f"{number(kelvin, digits)} K"


def power(watts: float) -> str:
    """A power in MW from 10 MW up, in kW below."""
    if not math.isfinite(watts):
        return _DASH
    return f"{number(watts / 1e6, 2)} MW" if abs(watts) >= 1e7 else f"{number(watts / 1e3, 0)} kW"


def megawatts(watts: float) -> str:
    """A power in MW, for columns that mix large and small."""
    return f"{number(watts / 1e6, 2)} MW"


def energy(joules: float) -> str:
    """An energy in MWh."""
    return f"{number(joules / JOULES_PER_MEGAWATT_HOUR, 0)} MWh"


def share(fraction: float, digits: int = 1) -> str:
    """A share in %."""
    return f"{number(100.0 * fraction, digits)} %"


def per_unit(value: float) -> str:
    """A voltage in p.u."""
    return f"{number(value, 4)} p.u."


def flow_per_power(value: float) -> str:
    """A volume flow over a power in L/min per kW."""
    return f"{number(value * 6e7, 2)} L/min/kW"


def residual(value: float) -> str:
    """A relative residual."""
    return f"{value:.1e}" if math.isfinite(value) else _DASH


def duration(seconds: float) -> str:
    """A time in minutes, in seconds below three of them, in hours from two hours up."""
    if not math.isfinite(seconds):
        return _DASH
    if seconds < _FEW_MINUTES:
        return f"{number(seconds, 0)} s"
    return f"{number(seconds / 3600.0)} h" if seconds >= 7200.0 else f"{number(seconds / 60.0)} min"
