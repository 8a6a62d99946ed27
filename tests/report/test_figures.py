"""Figures hold their shape whatever has to be written into them: warnings of the layout are errors here."""

import dataclasses
import re

import equinox as eqx
import numpy as np
import pytest

from tests.report.fabricated import fabricated_answer, small_site
from voltherm.numerics import ResultCode, sentence
from voltherm.report.figures_hall import hall_figure
from voltherm.report.figures_loop import _groups, loop_figure
from voltherm.report.figures_one_line import one_line_caption, one_line_figure
from voltherm.report.figures_response import response_figure
from voltherm.report.figures_ride_through import ride_through_figure
from voltherm.report.figures_sweep import sweep_figure
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


def test_many_halls_are_drawn_together_and_do_not_overprint():
    assert _groups(4, 2) == [[0], [1], [2], [3]]
    assert _groups(12, 11) == [[0], list(range(1, 11)), [11]]
    assert _groups(12, 4) == [[0], [1, 2, 3], [4], [5, 6, 7, 8, 9, 10], [11]]
    assert _groups(16, 0) == [[0], list(range(1, 15)), [15]]


def test_twelve_halls(project_root):
    site = small_site(project_root, "building.halls=12", "building.rows_per_hall=8", "electrical.feeders=16")
    many = fabricated_answer(site)
    drawing = loop_figure(many, many.point)
    assert "H2 … H11" in drawing
    assert "10 halls, 80 CDUs" in drawing
    assert "Hall H7" not in drawing
    feeding = one_line_figure(many, many.point)
    assert "7 more" in feeding
    assert "42 more" in feeding
    assert "Of 17 feeders the first, last and most loaded are drawn" in one_line_caption(many, many.point)


def test_racks_that_are_alike_look_alike(answer):
    """Colours stand for the margin from zero up, and not for a hundredth of a kelvin between racks."""
    hottest = answer.point.state.buildings.racks.gpu_temperature
    alike = 350.0 + 0.04 * np.linspace(0.0, 1.0, hottest.size).reshape(hottest.shape)
    state = eqx.tree_at(lambda state: state.buildings.racks.gpu_temperature, answer.point.state, alike)
    drawing = hall_figure(answer, dataclasses.replace(answer.point, state=state))
    assert "margin of the hottest GPU [K]" in drawing
    cells = re.findall(r"fill: (#[0-9a-f]{6})", drawing[drawing.index("QuadMesh") :])
    assert len(set(cells[:6])) == 1


def test_a_sweep_is_drawn_with_every_variable_and_unsolved_designs_left_out():
    values = {
        "secondary.supply_temperature": (np.array([30.0, 35.0, 40.0]), "degC"),
        "facility.pumps": (np.array([1.0, 2.0, 3.0]), ""),
    }
    drawing = sweep_figure(values, np.array([1e6, np.nan, 3e6]), np.array([True, False, False]), (0,))
    for text in ("secondary.supply_temperature [degC]", "facility.pumps", "cooling power [MW]", "a limit is passed"):
        assert text in drawing
    nothing = sweep_figure(values, np.full(3, np.nan), np.zeros(3, bool), ())
    assert "every limit is held" in nothing
