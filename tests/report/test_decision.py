"""What is recommended follows from the band of the chips, and money from the energies of the year."""

import dataclasses

import pytest

from voltherm.report.decision import cost_rows, recommendation, recommended_supply
from voltherm.study.limits import Constraint
from voltherm.study.uncertainty import CHIP_SUPPLY, Band, Uncertainty


def _known(answer, value: float, spread: float):
    band = Band(value, spread, {"rack.gpu.interface_resistance": spread})
    return dataclasses.replace(answer, uncertainty=Uncertainty({CHIP_SUPPLY: band}))


@pytest.mark.parametrize(
    ("value", "spread", "recommended"),
    [
        (320.07, 1.0, 317.65),  # 46.92 - 2 = 44.92 °C, rounded down to half a kelvin
        (330.00, 1.0, 319.65),  # the answer itself ends first, at 46.92 °C
        (320.07, 5.0, 309.65),
    ],
)
def test_recommended_is_what_the_chips_hold_surely(answer, value, spread, recommended):
    assert recommended_supply(_known(answer, value, spread)) == pytest.approx(recommended)


def test_a_set_point_above_what_is_recommended_is_said(answer):
    assert recommendation(_known(answer, 320.07, 5.0)) == (
        "36.5 °C",
        "the chips hold it with about 98 %; the set point is 3.5 K above it",
    )
    assert "GPU junction temperature binds; the set point is 6.5 K below it" in recommendation(
        _known(answer, 330.0, 1.0)
    )


def test_nothing_is_recommended_without_tolerances_or_an_answer(answer, unanswered):
    assert recommendation(dataclasses.replace(answer, uncertainty=None))[0] == "none"
    assert recommendation(unanswered) == ("none", "no set point serves")


def test_nothing_is_recommended_where_another_limit_is_passed(answer):
    over = Constraint("transformer loading", "H1-TX-07", -0.2, "1", "limit", False, True)
    allowed = dataclasses.replace(answer.allowed, constraints=(over, *answer.allowed.constraints))
    text, why = recommendation(dataclasses.replace(_known(answer, 320.07, 1.0), allowed=allowed))
    assert text == "none"
    assert "transformer loading" in why
    assert recommended_supply(dataclasses.replace(_known(answer, 320.07, 1.0), allowed=allowed)) is None


def test_costs_are_energies_at_the_price_of_the_case(answer):
    price = float(answer.site.economics.electricity_price)
    whole, cooling = (answer.year.energy[name] * price for name in ("facility_power", "cooling_power"))
    first, warmer = cost_rows(answer)
    assert 1e5 < whole < 1e6
    assert first[1:] == (f"{whole / 1e3:,.0f} thousand USD", f"of it cooling {cooling:,.0f} USD, at the set point")
    less = whole - answer.allowed_year.energy["facility_power"] * price
    assert abs(less) < 1e5
    assert warmer[:2] == ("At 46.9 °C all year", f"{abs(less):,.0f} USD {'less' if less >= 0 else 'more'}")
    thousandfold = {name: 1e3 * joules for name, joules in answer.year.energy.items()}
    large = dataclasses.replace(answer, year=dataclasses.replace(answer.year, energy=thousandfold))
    assert cost_rows(large)[0][1] == f"{whole / 1e3:,.2f} million USD"
    assert cost_rows(dataclasses.replace(answer, year=None, allowed_year=None)) == []
