"""Links of the balance come from the states, node by node."""

import numpy as np

from voltherm.report.heat_routes import AIR, COOLERS, OUTSIDE, WATER, heat_routes


def test_links_sum_the_states(answer):
    buildings = answer.point.state.buildings
    links = heat_routes(answer, answer.point)
    into_coolers = sum(link.power for link in links if link.target == COOLERS)
    assert np.isclose(into_coolers, np.sum(buildings.facility.plant.dry_cooler_heat))
    chips = next(link for link in links if link.source == "chips, to liquid")
    assert chips.target == WATER
    assert np.isclose(chips.power, np.sum(buildings.racks.liquid_heat))
    assert {link.target for link in links if link.source == AIR} <= {WATER, "free cooling of the air side"}
    assert all(link.power > 0.0 for link in links)
    assert any(link.target == OUTSIDE for link in links)
