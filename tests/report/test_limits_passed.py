"""A limit that is passed is told by everything that judges: headline, tiles, tables, recommendation and exit code."""

import dataclasses

import equinox as eqx
import jax.numpy as jnp
import pytest

from tests.report.fabricated import PUMPS
from tests.report.test_decision import _known
from tests.report.test_summary import _section, _with_findings
from voltherm.numerics import ResultCode
from voltherm.report.decision import recommendation, recommended_supply
from voltherm.report.limits import headline_sentence, set_point_sentence
from voltherm.report.tiles import tiles
from voltherm.study.limits import Constraint
from voltherm.study.verdict import limits_held


@pytest.fixture
def banded(answer):
    """The answer with a band of what the chips allow."""
    return _known(answer, 320.07, 1.0)


def test_a_limit_that_a_finding_passes_reaches_everything_that_judges(answer, banded):
    sweats = dataclasses.replace(
        PUMPS, kind="dew point", element="chilled water", severity="limit", sentence="it sweats"
    )
    wet = _with_findings(answer, sweats)
    assert limits_held(answer)
    assert not limits_held(wet)
    assert _section(wet, "answer").rows[0] == ("LIMIT PASSED", "", "set point: it sweats")
    assert "is outside what is allowed for dew point (chilled water)" in set_point_sentence(wet)
    (tile,) = [each for each in tiles(wet) if each.label == "Limits at the set point"]
    assert tile.warns
    assert "1 passed" in tile.value
    both = dataclasses.replace(wet, allowed=dataclasses.replace(answer.allowed, findings=(sweats,)))
    assert headline_sentence(both).endswith("it is outside what is allowed for dew point (chilled water).")
    assert "dew point" not in set_point_sentence(both)
    high = dataclasses.replace(banded, allowed=dataclasses.replace(answer.allowed, findings=(sweats,)))
    assert recommended_supply(banded) is not None
    assert recommended_supply(high) is None
    assert "dew point" in recommendation(high)[1]
    cold = dataclasses.replace(answer, coldest=dataclasses.replace(answer.coldest, findings=(sweats,)))
    assert not limits_held(cold)
    assert "In the coldest hour it is outside what is allowed for dew point" in set_point_sentence(cold)
    # a limit that is a constraint as well is told once
    again = _with_findings(answer, dataclasses.replace(sweats, kind="supply temperature"))
    assert limits_held(again)


def test_a_highest_supply_below_set_points_without_a_state_is_told_as_such(answer):
    lost = dataclasses.replace(answer, searched=int(ResultCode.NOT_FINITE))
    assert "46.9 °C; no steady state was found just above it, so a warmer one may serve" in headline_sentence(lost)
    assert "no steady state was found just above it" in tiles(lost)[0].note
    assert ("Above it", "not known", "no steady state was found just above it") in _section(lost, "answer").rows
    endless = dataclasses.replace(answer, searched=int(ResultCode.MAXIMUM_ITERATIONS))
    assert "the search for a warmer one did not end" in headline_sentence(endless)


def test_a_recommended_supply_that_the_plant_does_not_reach_is_none(answer, banded):
    floating = [dataclasses.replace(each, binding=each.kind == "control") for each in answer.point.constraints]
    warm = dataclasses.replace(answer.point, figures={**answer.point.figures, "supply_temperature": 322.0})
    by_a_cdu = dataclasses.replace(banded, point=dataclasses.replace(warm, constraints=tuple(floating)))
    assert recommended_supply(by_a_cdu) is not None
    ends = ("dry cooler fans", "trim chiller capacity")
    floating += [Constraint(name, name, 0.0, "1", "equipment", True) for name in ends]
    figures = {**answer.point.figures, "supply_temperature": 322.0}
    point = dataclasses.replace(answer.point, constraints=tuple(floating), figures=figures)
    hot = dataclasses.replace(banded, point=point)
    assert recommended_supply(hot) is None
    assert "the plant reaches no less than 48.9 °C" in recommendation(hot)[1]


def test_a_margin_that_is_kept_is_told_apart_from_the_limit(answer):
    site = eqx.tree_at(lambda site: site.limits.junction_margin, answer.site, jnp.asarray(12.0))
    (chip, *rest) = answer.point.constraints
    bare = dataclasses.replace(
        answer, point=dataclasses.replace(answer.point, constraints=(dataclasses.replace(chip, margin=-5e-4), *rest))
    )
    assert "is too high" not in set_point_sentence(bare)
    net = dataclasses.replace(chip, margin=-2.4, violated=True, name="GPU junction temperature with 12 K kept")
    kept = dataclasses.replace(answer, site=site, point=dataclasses.replace(answer.point, constraints=(net, *rest)))
    assert "keeps 9.60 K of the 12.0 K asked for" in set_point_sentence(kept)


def test_hours_hotter_than_the_hot_day_are_told(answer):
    assert "Hotter than the hot day" not in {row[0] for row in _section(answer, "answer").rows}
    site = eqx.tree_at(lambda site: site.climate.dry_bulb, answer.site, jnp.asarray(300.0))
    (row,) = [
        row for row in _section(dataclasses.replace(answer, site=site), "answer").rows if row[0].startswith("Hotter")
    ]
    assert "the highest supply applies to 26.9 °C" in row[2]
