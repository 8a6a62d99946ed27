"""What an answer comes down to for whoever decides: a supply to run, and what two supplies cost in a year.

    recommended = min(highest allowed, T* - 2 u(T*)),   rounded down to half a kelvin
    cost of a year = p_e (E_facility),                  of it cooling p_e E_cooling

| symbol | meaning | unit |
| --- | --- | --- |
| T*, u | highest supply that the chips allow, standard uncertainty: T* - 2 u holds with about 98 % | K |
| p_e | price of electricity | USD/J |
| E | energy of the year | J |
"""

import math

from voltherm.report.quantities import ZERO_CELSIUS, number, share, temperature
from voltherm.report.uncertainty import band_of
from voltherm.site.year import Year
from voltherm.study.answer import Answer
from voltherm.study.limits import violated
from voltherm.study.uncertainty import CHIP_SUPPLY

_STEP = 0.5  # K
_ROUNDED = 1e-3  # K: an end of a search that lies so little below a half is that half


def recommended_supply(answer: Answer) -> float | None:
    """The warmest supply [K] that every chip holds with about 98 %, and that passes no limit; None where there is none,
    or where no number has a tolerance."""
    band, allowed = band_of(answer, CHIP_SUPPLY), answer.allowed
    if allowed is None or band is None or violated(allowed.constraints):
        return None
    return _rounded_down(min(allowed.set_point, band.value - band.half_width))


def recommendation(answer: Answer) -> tuple[str, str]:
    """The recommended supply and why, in words."""
    supply, allowed = recommended_supply(answer), answer.allowed
    if allowed is None:
        return "none", "no set point serves" if answer.unheld is not None else "the highest supply was not found"
    if supply is None:
        passed = ", ".join(each.name for each in violated(allowed.constraints))
        if passed:
            return "none", f"limits are passed there whatever the supply: {passed}"
        return "none", "no number of the case has a tolerance to judge by"
    highest = supply >= _rounded_down(allowed.set_point)
    text = "what the maker and the chips allow" if highest else "the chips hold it with about 98 %"
    return temperature(supply), f"{text}; the set point is {_side(answer.point.set_point - supply)}"


def _rounded_down(supply: float) -> float:
    return _STEP * math.floor((supply - ZERO_CELSIUS + _ROUNDED) / _STEP) + ZERO_CELSIUS


def _side(beyond: float) -> str:
    if abs(beyond) < _STEP / 2.0:
        return "there"
    return f"{number(abs(beyond))} K {'above' if beyond > 0.0 else 'below'} it"


def money(answer: Answer, joules: float) -> str:
    """What an energy costs, in millions or thousands where it is much."""
    return _amount(joules * float(answer.site.economics.electricity_price))


def _amount(cost: float) -> str:
    if cost >= 1e6:
        return f"{number(cost / 1e6, 2)} million USD"
    return f"{number(cost / 1e3, 0)} thousand USD" if cost >= 1e5 else f"{number(cost, 0)} USD"


def cost_rows(answer: Answer) -> list[tuple[str, str, str]]:
    """Electricity of the year at the set point and at the highest supply; nothing where there is no year."""
    year, warmer = answer.year, answer.allowed_year
    if year is None:
        return []
    rows = [("Electricity of the year", money(answer, _whole(year)), f"{_cooling(answer, year)}, at the set point")]
    if warmer is not None and answer.allowed is not None:
        less = (_whole(year) - _whole(warmer)) * float(answer.site.economics.electricity_price)
        word = "less" if less >= 0.0 else "more"
        work = answer.allowed.figures["work"] / answer.point.figures["work"] - 1.0
        done = f"{share(abs(work))} {'more' if work > 0.0 else 'less'} work on the hot day" if work else "the same work"
        rows.append(
            (
                f"At {temperature(answer.allowed.set_point)} all year",
                f"{_amount(abs(less))} {word}",
                f"{_cooling(answer, warmer)}; {done}",
            )
        )
    return rows


def _whole(year: Year) -> float:
    return year.energy["facility_power"]


def _cooling(answer: Answer, year: Year) -> str:
    return f"of it cooling {money(answer, year.energy['cooling_power'])}"
