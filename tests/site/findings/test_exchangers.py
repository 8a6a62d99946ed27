"""Heat does not flow from cold to warm."""

import equinox as eqx
import numpy as np

from voltherm.site import findings
from voltherm.site.findings.exchangers import approaches


def test_approaches_by_hand(hot):
    site, solution, _ = hot
    state = solution.value
    rows, supply = state.buildings.rows, np.asarray(state.buildings.facility.plant.supply_temperature)
    # the pump warms the return by its shaft power over flow and 3,930 J/(kg K)
    hot_end = np.asarray(rows.return_temperature + rows.pump_shaft_power / rows.mass_flow / 3930.0)
    hot_end = hot_end - np.asarray(rows.facility_return_temperature)
    own = np.minimum(np.asarray(rows.supply_temperature) - supply, hot_end)
    np.testing.assert_allclose(approaches(site, state), own, atol=2e-3)
    assert own.min() > 0.5


def test_an_end_below_zero_is_unphysical(hot):
    site, solution, _ = hot
    back = solution.value.buildings.rows.facility_return_temperature
    wrong = eqx.tree_at(lambda state: state.buildings.rows.facility_return_temperature, solution.value, back + 20.0)
    (told,) = [each for each in findings(site, wrong) if each.severity == "unphysical"]
    assert (told.kind, told.subject, told.count) == ("second law", "CDUs", 4)
    assert told is findings(site, wrong)[0] or told.rank == findings(site, wrong)[0].rank
    assert "K colder than the cold one" in told.sentence
