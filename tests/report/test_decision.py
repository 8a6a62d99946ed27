"""What is recommended follows from the band of the chips, and money from the energies of the year."""

import dataclasses

import pytest

from voltherm.report.decision import cost_rows, recommendation, recommended_supply
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
    assert "what the maker and the chips allow; the set point is 6.5 K below it" in recommendation(
        _known(answer, 330.0, 1.0)
    )


def test_nothing_is_recommended_without_tolerances_or_an_answer(answer, unanswered):
    assert recommendation(dataclasses.replace(answer, uncertainty=None))[0] == "none"
    assert recommendation(unanswered) == ("none", "no set point serves")


def test_costs_are_energies_at_the_price_of_the_case(answer):
    price = float(answer.site.economics.electricity_price)
    whole, warmer = cost_rows(answer)
    assert whole[1] == f"{answer.year.energy['facility_power'] * price:,.0f} USD"
    assert whole[2] == f"of it cooling {answer.year.energy['cooling_power'] * price:,.0f} USD, at the set point"
    less = (answer.year.energy["facility_power"] - answer.allowed_year.energy["facility_power"]) * price
    assert warmer[:2] == (
        "At 46.9 °C all year",
        f"{abs(less) / 1e3:,.0f} thousand USD {'less' if less >= 0 else 'more'}",
    )
    tenfold = {name: 1e3 * joules for name, joules in answer.year.energy.items()}
    large = dataclasses.replace(answer, year=dataclasses.replace(answer.year, energy=tenfold))
    assert cost_rows(large)[0][1] == f"{tenfold['facility_power'] * price / 1e6:,.2f} million USD"
    assert cost_rows(dataclasses.replace(answer, year=None, allowed_year=None)) == []
