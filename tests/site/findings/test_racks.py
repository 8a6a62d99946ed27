"""Plates outside their data, starved racks and makers' limits, against numbers by hand."""

import numpy as np
import pytest

from voltherm.site import layout, with_parameters
from voltherm.site.findings.racks import (
    flow_findings,
    memory_findings,
    plate_findings,
    plate_flows,
    rack_flows,
    supply_findings,
)
from voltherm.thermal.cold_plate import FITTED_RANGE, LITRE_PER_MINUTE


def _limits(site, **changes):
    return with_parameters(site, {f"limits.{name}": value for name, value in changes.items()}).limits


def test_split_over_the_plates_by_hand(hot):
    """Plates side by side share a drop: V_k ~ V_0k / dp_0k^(1/1.85); four GPUs and two CPUs on a tray."""
    site, solution, _ = hot
    found = plate_flows(site, solution.value)
    gpu, cpu = 1.25 / 50.0 ** (1 / 1.85), 0.45 / 98.0 ** (1 / 1.85)
    tray = np.asarray(solution.value.buildings.rows.tray_mass_flow)[..., :18] / 1014.0
    np.testing.assert_allclose(found["gpu"], tray * gpu / (4 * gpu + 2 * cpu), rtol=1e-2)
    np.testing.assert_allclose(found["cpu"], tray * cpu / (4 * gpu + 2 * cpu), rtol=1e-2)
    assert found["switch"].shape == (1, 4, 2, 9)


def test_plates_outside_their_data(site):
    flows = np.full((1, 4, 2, 18), 1.5 * LITRE_PER_MINUTE)
    assert not list(plate_findings("gpu", flows, layout(site)))
    low, high = FITTED_RANGE
    flows[0, 1, 1, 4], flows[0, 2, 0, 7], flows[0, 3, 1, 17] = 0.5 * low, 0.75 * low, 1.25 * high
    slow, fast = plate_findings("gpu", flows, layout(site))
    assert (slow.element, slow.count, slow.total, slow.severity) == ("H1-R02-K02 tray 05", 2, 144, "practice")
    assert slow.excess == pytest.approx(1.0)
    assert f"a cold plate carries {0.5 * low / LITRE_PER_MINUTE:.3g} L/min" in slow.sentence
    assert (fast.element, fast.count) == ("H2-R02-K02 tray 18", 1)
    assert fast.excess == pytest.approx(0.25)


def test_coolant_of_a_rack_over_its_heat(hot):
    site, solution, figures = hot
    rows, racks = solution.value.buildings.rows, solution.value.buildings.racks
    # density of 25 % propylene glycol at 40 °C: 1,010 kg/m³ by the trade's tables
    own = np.asarray(rows.rack_mass_flow) / 1012.0 / np.asarray(racks.liquid_heat)
    np.testing.assert_allclose(rack_flows(site, solution.value), own, rtol=1e-2)
    assert figures["flow_per_heat"] == pytest.approx(own.min(), rel=1e-2)
    assert 1.4 < float(figures["flow_per_heat"]) * 6e7 < 1.6


def test_a_rack_without_enough_coolant(site):
    flows = np.full((1, 4, 2), 1.5) * LITRE_PER_MINUTE / 1e3
    limits = _limits(site, flow_minimum=1.25 * LITRE_PER_MINUTE / 1e3)
    assert not list(flow_findings(limits, flows, layout(site)))
    flows[0, 2, 1] = 1.0 * LITRE_PER_MINUTE / 1e3
    (told,) = flow_findings(limits, flows, layout(site))
    assert (told.element, told.count, told.severity) == ("H2-R01-K02", 1, "limit")
    assert told.excess == pytest.approx(0.2)
    assert "has 1.00 L/min of coolant per kilowatt, less than the 1.25" in told.sentence
    assert not list(flow_findings(_limits(site, flow_minimum=0.0), flows, layout(site)))


def test_a_supply_beyond_the_makers_limit(site):
    supply = np.array([[318.15, 318.15, 320.15, 313.15]])
    (told,) = supply_findings(_limits(site, supply_maximum=318.15), supply, layout(site))
    assert (told.element, told.count, told.value, told.limit) == ("H2-R01-CDU", 1, 320.15, 318.15)
    assert "is 47.0 °C, 2.0 K warmer than the maker of the racks allows (45.0 °C)" in told.sentence


def test_memory_by_its_offset(site):
    junction = np.full((1, 4, 2, 18, 4), 350.0)
    junction[0, 3, 1, 2, 1] = 364.15
    device = with_parameters(site, {"rack.gpu.memory_limit": 368.15, "rack.gpu.memory_offset": 5.0}).rack.gpu
    (told,) = memory_findings("gpu", device, junction, layout(site))
    assert (told.element, told.count, told.total) == ("H2-R02-K02 tray 03 GPU 2", 1, 576)
    assert told.value == pytest.approx(369.15)
    assert "the memory of 1 of 576 GPUs is too hot, 96.0 °C at H2-R02-K02 tray 03 GPU 2" in told.sentence
    none = with_parameters(site, {"rack.gpu.memory_limit": 368.15, "rack.gpu.memory_offset": 3.0}).rack.gpu
    assert not list(memory_findings("gpu", none, junction, layout(site)))
