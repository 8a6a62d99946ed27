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

from voltherm.report.limits import equipment_at_end, floats, passed_at, what_ends
from voltherm.report.quantities import ZERO_CELSIUS, number, share, temperature
from voltherm.report.uncertainty import band_of
from voltherm.site.year import Year
from voltherm.study.answer import Answer
from voltherm.study.uncertainty import CHIP_SUPPLY
from voltherm.study.verdict import unphysical

_STEP = 0.5  # K
_ROUNDED = 1e-3  # K: an end of a search that lies so little below a half is that half


def recommended_supply(answer: Answer) -> float | None:
    """The warmest supply [K] that every chip holds with about 98 %, that the plant reaches, and that passes no limit;
    None where there is none, or where no number has a tolerance."""
    supply, allowed = _by_the_bands(answer), answer.allowed
    if supply is None or allowed is None or passed_at(allowed) or unphysical(answer):
        return None
    return supply if supply >= _coldest(answer) - _ROUNDED else None


def _by_the_bands(answer: Answer) -> float | None:
    band, allowed = band_of(answer, CHIP_SUPPLY), answer.allowed
    if allowed is None or band is None:
        return None
    return _rounded_down(min(allowed.set_point, band.value - band.half_width))


def _coldest(answer: Answer) -> float:
    """The coldest supply [K] that an exhausted plant reaches; minus infinity where it has range left, for a supply that
    a CDU alone lets float falls with its set point."""
    point, chillers = answer.point, float(answer.site.chillers.count)
    machines = ["dry cooler fans"] + (["trim chiller capacity"] if chillers > 0.0 else [])
    exhausted = any(floats(each) for each in point.constraints) and set(machines) <= set(equipment_at_end(point))
    return point.figures["supply_temperature"] if exhausted else -math.inf


def recommendation(answer: Answer) -> tuple[str, str]:
    """The recommended supply and why, in words."""
    supply, allowed = recommended_supply(answer), answer.allowed
    if allowed is None:
        return "none", "no set point serves" if answer.unheld is not None else "the highest supply was not found"
    if supply is None:
        passed, wanted = passed_at(allowed), _by_the_bands(answer)
        if passed:
            return "none", f"passed at the highest supply: {'; '.join(passed)}"
        if unphysical(answer):
            return "none", "the answer is not physical"
        if wanted is not None:
            held = f"the chips hold {temperature(wanted)} with about 98 %"
            return "none", f"{held}, and the plant reaches no less than {temperature(_coldest(answer))}"
        if answer.uncertainty is not None:
            return "none", "what the chips alone allow was not found"
        return "none", "no number of the case has a tolerance to judge by"
    highest = supply >= _rounded_down(allowed.set_point)
    text = what_ends(answer, allowed) if highest else "the chips hold it with about 98 %"
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
        less = _saved(answer, year, warmer, "facility_power")
        cooling = _saved(answer, year, warmer, "cooling_power")
        work = answer.allowed.figures["work"] / answer.point.figures["work"] - 1.0
        done = f"{share(abs(work))} {'more' if work > 0.0 else 'less'} work on the hot day" if work else "the same work"
        rows.append(
            (
                f"At {temperature(answer.allowed.set_point)} all year",
                _less(less),
                f"cooling {_less(cooling)}, racks and losses {_less(less - cooling)}; {done}",
            )
        )
    return rows


def _saved(answer: Answer, year: Year, warmer: Year, name: str) -> float:
    """What the warmer year takes less of an energy, in USD."""
    return (year.energy[name] - warmer.energy[name]) * float(answer.site.economics.electricity_price)


def _less(cost: float) -> str:
    return f"{_amount(abs(cost))} {'less' if cost >= 0.0 else 'more'}"


def _whole(year: Year) -> float:
    return year.energy["facility_power"]


def _cooling(answer: Answer, year: Year) -> str:
    return f"of it cooling {money(answer, year.energy['cooling_power'])}"
