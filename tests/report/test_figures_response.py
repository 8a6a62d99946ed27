"""Ambients without a steady state are left out of the headline plot and said, never drawn as zero."""

import dataclasses

import numpy as np
import pytest

from voltherm.numerics import ResultCode
from voltherm.report.figures_response import failed_spans, first_trim, response_caption, response_figure
from voltherm.site.year import Response
from voltherm.study.answer import Answer


def _failed(curve: Response, *lanes: int) -> Response:
    """The curve with some of its ambients without a steady state."""
    result = np.asarray(curve.result).copy()
    result[list(lanes)] = ResultCode.MAXIMUM_ITERATIONS
    figures = {name: np.where(result == ResultCode.CONVERGED, values, np.nan) for name, values in curve.figures.items()}
    return dataclasses.replace(curve, figures=figures, result=result)


def test_spans_end_half_way_to_the_solved_neighbours(answer: Answer):
    curve = answer.curve
    assert failed_spans(curve) == []
    # 5 K apart, from -10 to 45 degC
    spans = np.array(failed_spans(_failed(curve, 0, 4, 5, 11))) - 273.15
    np.testing.assert_allclose(spans, [[-10.0, -7.5], [7.5, 17.5], [42.5, 45.0]])


def test_trim_starts_between_solved_ambients(answer: Answer):
    curve = answer.curve
    assert first_trim(curve) == pytest.approx(308.15)
    # it is found from the side where they work: one without a state in between does not matter
    assert first_trim(_failed(curve, 9)) == pytest.approx(308.15)
    assert first_trim(_failed(curve, 10)) == pytest.approx(308.15)
    assert first_trim(_failed(curve, 10, 11)) is None


def test_failed_ambients_are_marked_and_nothing_is_drawn_there(answer: Answer, monkeypatch: pytest.MonkeyPatch):
    from matplotlib.axes import Axes

    drawn = []
    plain = Axes.stackplot
    monkeypatch.setattr(Axes, "stackplot", lambda self, x, y, **rest: drawn.append(y) or plain(self, x, y, **rest))
    wrong = dataclasses.replace(answer, curve=_failed(answer.curve, 10, 11))
    text = response_figure(wrong)
    assert text.count("no steady state") == 2
    powers = np.asarray(drawn[0])
    assert np.all(np.isnan(powers[:, 10:]))
    assert np.all(powers[:, :10] > 0.0)
    caption = response_caption(wrong)
    assert "from 37.5 °C to 45.0 °C outside the set point has no steady state" in caption
    assert "no steady state" not in response_figure(answer)
    assert "has no steady state" not in response_caption(answer)


def test_a_whole_curve_may_fail(answer: Answer):
    nothing = dataclasses.replace(answer, curve=_failed(answer.curve, *range(12)))
    assert "no steady state" in response_figure(nothing)


def test_where_warmer_water_costs_more_is_said(answer: Answer):
    assert "the highest supply takes up to" not in response_caption(answer)
    warmer = answer.allowed_curve
    extra = np.where((warmer.dry_bulb > 290.0) & (warmer.dry_bulb < 302.0), 3e5, 0.0)
    figures = {
        **warmer.figures,
        "cooling_power": warmer.figures["cooling_power"] + extra,
        "air_chiller_power": warmer.figures["air_chiller_power"] + extra,
    }
    told = response_caption(dataclasses.replace(answer, allowed_curve=dataclasses.replace(warmer, figures=figures)))
    assert "the highest supply takes up to 300 kW more than the set point: the air-side chillers condense" in told
