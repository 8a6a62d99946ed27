"""The ledger books every watt once: uses add up to the intake, and what warms a medium leaves it."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from voltherm.site.ledger import (
    AIR,
    CHILLED,
    OUT_OF_SITE,
    USES,
    WATER,
    Entry,
    by_use,
    into,
    ledger,
    mechanical_power,
    out_of,
    total,
)
from voltherm.site.outputs import COOLING_PARTS, FIGURES, INTAKE_PARTS, outputs


@pytest.fixture(scope="module", params=["hot", "cool"])
def solved(request, site, hot, cool):
    changed, solution, figures = hot if request.param == "hot" else cool
    return changed, solution.value, figures


def test_uses_add_up_to_the_intake(solved):
    site, state, figures = solved
    uses = by_use(ledger(site, state))
    assert tuple(uses) == INTAKE_PARTS
    assert float(sum(uses.values())) == pytest.approx(float(figures["facility_power"]), rel=1e-9)
    assert float(uses["it_power"]) == pytest.approx(float(jnp.sum(state.buildings.racks.electrical_power)), rel=1e-12)
    assert float(figures["cooling_power"]) == pytest.approx(sum(float(uses[name]) for name in COOLING_PARTS), rel=1e-12)


def test_what_warms_a_medium_leaves_it(solved):
    site, state, _ = solved
    entries = ledger(site, state)
    for medium in (AIR, CHILLED, WATER):
        np.testing.assert_allclose(into(medium, entries), out_of(medium, entries), rtol=1e-8)
    drawn = jnp.sum(total(each for each in entries if each.use))
    given_off = jnp.sum(total(each for each in entries if each.medium in OUT_OF_SITE))
    assert float(drawn) == pytest.approx(float(given_off), rel=1e-8)


def test_every_entry_has_a_use_or_a_medium_it_comes_from(solved):
    site, state, _ = solved
    media = {AIR, CHILLED, WATER, *OUT_OF_SITE}
    for each in ledger(site, state):
        assert each.medium in media
        assert each.use in USES if each.use else each.source in media
        assert each.power.shape == (site.building.count,)
    assert {each.use for each in ledger(site, state) if each.use} == set(USES)


def test_a_machine_that_is_booked_reaches_every_sum(solved):
    """One more entry, and its use, the mechanical substations and the surroundings grow by it."""
    site, state, _ = solved
    before = ledger(site, state)
    after = [*before, Entry("house_load", "heater", OUT_OF_SITE[-1], jnp.full(site.building.count, 1e3), True)]

    def surroundings(entries):
        return total(each for each in entries if each.medium in OUT_OF_SITE)

    assert float(by_use(after)["house_load"] - by_use(before)["house_load"]) == pytest.approx(1e3)
    np.testing.assert_allclose(mechanical_power(after) - mechanical_power(before), 1e3)
    np.testing.assert_allclose(surroundings(after) - surroundings(before), 1e3)
    # what the pass itself books is what the ledger of the solved state says
    np.testing.assert_allclose(mechanical_power(before), state.buildings.mechanical_power, rtol=1e-8)


def test_entries_differentiate_with_the_site(solved):
    site, state, _ = solved

    def house(load):
        electrical = dataclasses.replace(site.electrical, house_load=load)
        return by_use(ledger(dataclasses.replace(site, electrical=electrical), state))["house_load"]

    assert float(jax.grad(house)(site.electrical.house_load)) == site.building.count
    assert set(outputs(site, state)) == set(FIGURES)
