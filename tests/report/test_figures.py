"""Figures hold their shape whatever has to be written into them: warnings of the layout are errors here."""

import dataclasses

import pytest

from tests.report.fabricated import fabricated_answer, small_site
from voltherm.numerics import ResultCode, sentence
from voltherm.report.figures_hall import hall_figure
from voltherm.report.figures_response import response_figure
from voltherm.report.figures_ride_through import ride_through_figure
from voltherm.site import with_parameters
from voltherm.study.answer import Answer


@pytest.mark.parametrize("seconds", [20.0, 2000.0, 3590.0])
@pytest.mark.parametrize("ends", [True, False])
def test_a_long_reason_leaves_the_plot_its_room(answer: Answer, seconds: float, ends: bool):
    why = sentence(ResultCode.SINGULAR, "the hydraulics of the loops")
    ride = dataclasses.replace(
        answer.ride_through, first_limit=why, ended=why if ends else "", seconds_to_limit=seconds
    )
    text = ride_through_figure(dataclasses.replace(answer, ride_through=ride))
    assert ("end of the course" in text) is ends


def test_a_course_of_one_step(answer: Answer):
    ride = answer.ride_through
    first = {name: value[:1] for name, value in vars(ride).items() if getattr(value, "ndim", 0) == 1}
    short = dataclasses.replace(ride, **first | {"time": ride.time[1:2]}, window=(15.0, 15.0))
    assert "<svg" in ride_through_figure(dataclasses.replace(answer, ride_through=short))


@pytest.mark.parametrize("day", [263.15, 318.15])
def test_a_hot_day_at_the_edge_of_the_plot(answer: Answer, day: float):
    there = with_parameters(answer.site, {"climate.dry_bulb": day})
    assert "hot day" in response_figure(dataclasses.replace(answer, site=there))


def test_a_building_of_many_halls(project_root):
    many = fabricated_answer(small_site(project_root, "building.halls=40", "building.rows_per_hall=1"))
    assert "H40" in hall_figure(many, many.point)
