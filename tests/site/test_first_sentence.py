"""The cases in which the first sentence of a report was once wrong, on the shipped building."""

import dataclasses

import jax
import numpy as np
import pytest

from tests.report.fabricated import fabricated_answer
from tests.site.conftest import BUILDING
from voltherm.formats import configuration
from voltherm.numerics import ResultCode
from voltherm.report.limits import headline_sentence, set_point_sentence
from voltherm.site import build, layout, steady
from voltherm.study.answer import Answer, operating_points
from voltherm.study.limits import INLET_LIMIT
from voltherm.study.verdict import limits_held, unphysical


@pytest.fixture(scope="module")
def told():
    """What is told of the shipped building with some of its numbers changed; all of them share two programs."""
    solve = jax.jit(steady)
    start = solve(build(configuration(BUILDING)[0])).value

    def answered(*overrides: str) -> Answer:
        site = build(configuration(BUILDING, overrides)[0])
        solution = solve(site, initial=start)
        assert solution.status.result == ResultCode.CONVERGED
        hours = np.full(8760, float(site.climate.dry_bulb))
        points = operating_points(site, layout(site), solution.value, hours)
        return dataclasses.replace(fabricated_answer(site), site=site, layout=layout(site), **points._asdict())

    return answered


def test_a_small_offset_of_the_facility_water(told):
    answer = told("facility.supply_offset=1 K", "climate.dry_bulb=35 degC")
    assert "can run on a supply of up to 45.0 °C" in headline_sentence(answer)
    assert "is held that day" in set_point_sentence(answer)
    assert limits_held(answer)


def test_throttled_balancing_valves(told):
    answer = told("facility.balancing_valve=60 m3/h", "climate.dry_bulb=35 degC")
    assert answer.searched == ResultCode.CONVERGED
    assert answer.allowed.set_point == pytest.approx(273.15 + 44.84, abs=0.01)
    assert "can run on a supply of up to 44.8 °C" in headline_sentence(answer)


def test_an_air_flow_that_no_rack_lives_with(told):
    """Its air would leave the racks at hundreds of degrees; it is never colder than the water that cools it."""
    answer = told("rack.air_flow=0.05 m3/s", "climate.dry_bulb=35 degC")
    air = answer.point.state.buildings.air
    assert np.all(np.asarray(air.supply_temperature) >= np.asarray(air.plant.supply_temperature) - 1e-9)
    assert np.all(np.asarray(air.return_temperature) > 500.0)
    assert not limits_held(answer)
    assert "behind the racks" in unphysical(answer)[0]
    assert "It does not hold every limit there" in headline_sentence(answer)


def test_chillers_too_small_for_the_racks_air(told):
    answer = told("chillers.capacity=1 kW")
    assert answer.searched == ResultCode.LIMIT
    assert answer.unheld.name == INLET_LIMIT
    assert answer.unheld.margin == pytest.approx(-11.25, abs=0.05)
    assert "no supply temperature of the building holds every limit" in headline_sentence(answer)


def test_transformers_beyond_what_is_allowed(told):
    answer = told("limits.loading_maximum=61 %", "climate.dry_bulb=35 degC")
    assert "passes the limit of the transformer loading" in headline_sentence(answer)
    assert not limits_held(answer)


@pytest.mark.soak
def test_twelve_halls(told):
    """Set points from 40 to 45.4 °C were said not to hold; the chillers of the case are those of eight halls."""
    answer = told("building.halls=12", "climate.dry_bulb=35 degC", "limits.supply_maximum=60 degC")
    assert answer.searched == ResultCode.CONVERGED
    assert answer.allowed.set_point > 273.15 + 45.0
