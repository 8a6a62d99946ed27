"""What moves the smallest margin of a site: exact derivatives of its numbers, ranked by a natural step."""

import pytest

from voltherm.site.build import parameter, parameter_paths
from voltherm.study.sensitivity import differences, site_function, site_sensitivities

RANKED = 10


@pytest.fixture(scope="module")
def found(hot):
    site, solution, _ = hot
    return site_sensitivities(site, solution.value)


def test_every_number_of_the_site_is_ranked(found, site):
    assert {each.path for each in found} == set(parameter_paths(site))
    effects = [abs(each.effect) for each in found]
    assert effects == sorted(effects, reverse=True)
    by_path = {each.path: each for each in found}
    # the chip's own limit is a kelvin of margin for a kelvin; supply is that less what its warmer coolant conducts and
    # flows better, for a chip at its power limit adds no leakage
    assert by_path["rack.gpu.junction_limit"].derivative == pytest.approx(1.0, rel=1e-9)
    assert -1.0 < by_path["secondary.supply_temperature"].derivative < -0.9
    assert by_path["economics.water_price"].derivative == 0.0
    assert by_path["rack.gpu.power"].step_text == "1 %"
    assert by_path["climate.dry_bulb"].step_text == "1 K"


def test_the_ranked_derivatives_match_central_differences(found, hot):
    site, solution, _ = hot
    strongest = found[:RANKED]
    values = {each.path: parameter(site, each.path) for each in strongest}
    errors = differences(site_function("junction_margin"), strongest, values, (site, solution.value))
    assert max(errors.values()) < 1e-6, errors
