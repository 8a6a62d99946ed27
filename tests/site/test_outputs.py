"""The named figures of a solved site add up, and follow the indicators that the validation holds."""

import dataclasses

import jax.numpy as jnp
import pytest

from voltherm.site import with_parameters
from voltherm.site.indicators import Category
from voltherm.site.outputs import (
    COOLING_PARTS,
    FIGURES,
    INTAKE_PARTS,
    makeup_water,
    seconds_per_kelvin,
    site_effectiveness,
)


@pytest.mark.parametrize("case", ["cool", "hot", "weak"])
def test_uses_and_losses_add_up_to_the_intake(case: str, request: pytest.FixtureRequest):
    _, _, figures = request.getfixturevalue(case)
    assert set(figures) == set(FIGURES)
    parts = sum(float(figures[name]) for name in INTAKE_PARTS)
    assert parts == pytest.approx(float(figures["facility_power"]), rel=1e-9)
    cooling = sum(float(figures[name]) for name in COOLING_PARTS)
    assert cooling == pytest.approx(float(figures["cooling_power"]), rel=1e-12)
    # none of the parts is there for show
    assert all(abs(float(figures[name])) > 1.0 for name in ("cdu_electronics", "house_load", "voltage_excess"))


def test_effectiveness_is_the_indicators(hot):
    site, _, figures = hot
    found = site_effectiveness(site, figures["facility_power"], figures["it_power"], interim=True)
    assert float(figures["pue"]) == float(found.value)
    assert found.category == Category.IT_INPUT
    assert found.label().startswith("PUE category 3 (IT input), interim, boundary: utility intake at 138 kV")
    of_months = site_effectiveness(site, jnp.array([2.2, 2.4]), jnp.array([2.0, 2.0]), interim=True)
    assert of_months.value.tolist() == pytest.approx([1.1, 1.2])


def test_makeup_is_that_of_all_buildings(site):
    one = float(makeup_water(site))
    assert one == pytest.approx(57.0 * 0.0415)
    campus = dataclasses.replace(site, building=dataclasses.replace(site.building, count=8))
    assert float(makeup_water(campus)) == pytest.approx(8.0 * one)


def test_fill_warms_in_proportion_to_its_volume(hot):
    site, solution, _ = hot
    [seconds] = seconds_per_kelvin(site, solution.value)
    heat = float(solution.value.buildings.facility.plant.heat[0])
    # 57 m3 at about 992 kg/m3 and 4179 J/(kg K)
    assert float(seconds) == pytest.approx(57.0 * 992.0 * 4179.0 / heat, rel=2e-3)
    half = with_parameters(site, {"facility.volume": 28.5})
    assert float(seconds_per_kelvin(half, solution.value)[0]) == pytest.approx(0.5 * float(seconds), rel=1e-12)
