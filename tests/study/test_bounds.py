"""Physical bounds are checked in every period of an answer, and named where they break."""

import dataclasses

import numpy as np
import pytest

from tests.report.fabricated import fabricated_answer, small_site
from voltherm.study.answer import Answer
from voltherm.study.bounds import broken_bounds


@pytest.fixture(scope="module")
def answer(project_root) -> Answer:
    return fabricated_answer(small_site(project_root))


def test_a_sound_answer_breaks_none(answer: Answer):
    # two ambients of its response have no steady state: they are no breach
    assert np.isnan(answer.allowed_curve.figures["facility_power"][-1])
    assert broken_bounds(answer) == ()


@pytest.mark.parametrize("value", [1.0, 0.5, float("nan")])
@pytest.mark.parametrize(("name", "period"), [("point", "hot day at the set point"), ("allowed", "hot day at the hi")])
def test_points(answer: Answer, name: str, period: str, value: float):
    point = getattr(answer, name)
    figures = {**point.figures, "facility_power": value * point.figures["it_power"]}
    wrong = dataclasses.replace(answer, **{name: dataclasses.replace(point, figures=figures)})
    assert broken_bounds(wrong)[0].startswith(f"{period}")
    assert "PUE must be above 1" in broken_bounds(wrong)[0]


def test_year(answer: Answer):
    energy = {**answer.year.energy, "it_power": 2.0 * answer.year.energy["facility_power"]}
    wrong = dataclasses.replace(answer, year=dataclasses.replace(answer.year, energy=energy))
    [sentence] = broken_bounds(wrong)
    assert sentence.startswith("year at the set point: the facility takes in no more")


@pytest.mark.parametrize("value", [1.9e6, float("nan")])
def test_one_ambient(answer: Answer, value: float):
    power = answer.curve.figures["facility_power"].copy()
    power[3] = value
    figures = {**answer.curve.figures, "facility_power": power}
    wrong = dataclasses.replace(answer, curve=dataclasses.replace(answer.curve, figures=figures))
    assert broken_bounds(wrong)[0].startswith("5.0 °C outside at the set point: ")


def test_without_a_highest_supply(project_root):
    assert broken_bounds(fabricated_answer(small_site(project_root), allowed=False)) == ()
