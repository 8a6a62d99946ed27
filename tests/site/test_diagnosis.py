"""Sentences for sites without a steady state: the part that fails, by name, and what to try."""

import math

import pytest

from voltherm.numerics import ResultCode
from voltherm.site import with_parameters
from voltherm.site.diagnosis import diagnose
from voltherm.site.electrical import one_line


def _unlimited(chip: str, power: float) -> dict[str, float]:
    """A chip without a control of its own: nothing holds its power or its temperature."""
    limits = ("power_limit", "throttle_above_limit", "shutdown_above_limit")
    return {f"rack.{chip}.power": power, **{f"rack.{chip}.{name}": math.inf for name in limits}}


def test_a_runaway_names_the_chip_and_the_way_out(site):
    hot = with_parameters(site, _unlimited("gpu", 4000.0))
    sentence = diagnose(hot, ResultCode.NOT_FINITE)
    assert "GPU" in sentence
    assert "H1-R01-K01 tray" in sentence
    assert "no steady temperature" in sentence
    assert "rack.gpu.power" in sentence
    assert "secondary.supply_temperature" in sentence


def test_a_runaway_of_another_kind_is_told_apart(site):
    hot = with_parameters(site, _unlimited("switch", 9000.0))
    assert "rack.switch.power" in diagnose(hot, ResultCode.NOT_FINITE)


@pytest.mark.parametrize("change", [{"electrical.main_transformer.vk": 2.0}, {"electrical.intake_short_circuit": 1e6}])
def test_a_network_beyond_its_nose_names_a_bus(site, change):
    sentence = diagnose(with_parameters(site, change), ResultCode.NOT_FINITE)
    assert "power flow has no solution" in sentence
    assert sentence.split("'")[1] in one_line(site).network.buses[1:]


def test_where_every_part_solves_the_coupling_is_named(site):
    sentence = diagnose(site, ResultCode.MAXIMUM_ITERATIONS)
    assert "the coupling of the domains" in sentence
    assert "dry coolers" in sentence


def test_balances_that_do_not_close_point_at_the_air_side(site):
    assert "rack.air_flow" in diagnose(site, ResultCode.OUT_OF_RANGE)
