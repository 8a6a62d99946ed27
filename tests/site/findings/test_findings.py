"""All rules together on solved sites: what they say, in which order, and when they say nothing."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

from voltherm.formats.schema_site import FIELDS
from voltherm.site import dry_bulb_year, findings, with_parameters
from voltherm.site.findings import SEVERITIES
from voltherm.site.sections import NO_LIMIT


def test_the_shipped_choices_are_told(hot):
    site, solution, figures = hot
    plain, hours = {name: float(value) for name, value in figures.items()}, np.asarray(dry_bulb_year(site.climate))
    found = findings(site, solution.value, figures=plain, dry_bulb=hours)
    kinds = [each.kind for each in found]
    assert kinds.count("freezing outdoors") == 2
    assert "pump flow" in kinds
    assert not [each for each in found if each.severity == "unphysical"]
    assert [each.rank for each in found] == sorted(each.rank for each in found)
    assert {each.severity for each in found} <= set(SEVERITIES)
    assert all(each.count <= each.total and each.excess > 0.0 for each in found)


def test_a_site_that_asks_for_more_is_told_more(hot):
    site, solution, _ = hot
    strict = with_parameters(
        site,
        {
            "limits.supply_maximum": 310.15,
            "limits.flow_minimum": 5e-8,
            "rack.gpu.memory_limit": 320.15,
            "limits.npsh_margin": 50.0,
            "air.dew_point": 295.15,
            "limits.freezing_margin": 30.0,
        },
    )
    before, after = (
        {(each.kind, each.subject) for each in findings(which, solution.value)} for which in (site, strict)
    )
    assert after - before == {
        ("supply temperature", "supplies of the rows"),
        ("coolant flow", "racks"),
        ("memory temperature", "memory of the GPUs"),
        ("suction head", "CDU pumps"),
        ("suction head", "stations of facility pumps"),
        ("dew point", "supplies of chilled water"),
        ("freezing", "chilled-water loops"),
    }


def test_a_balance_that_does_not_close_is_unphysical(hot):
    site, solution, figures = hot
    wrong = {name: float(value) for name, value in figures.items()} | {"heat_residual": 0.14}
    first = findings(site, solution.value, figures=wrong)[0]
    assert (first.kind, first.severity, first.value) == ("balance", "unphysical", 0.14)
    assert "the balance of heat does not close: 1.4e-01 of the larger side is missing" in first.sentence


def test_a_failed_state_is_left_to_its_code(hot):
    site, solution, _ = hot
    failed = eqx.tree_at(lambda state: state.unknowns, solution.value, jnp.full_like(solution.value.unknowns, jnp.nan))
    assert findings(site, failed) == ()


@pytest.mark.parametrize("path", ["limits.supply_maximum", "rack.gpu.memory_limit", "rack.cpu.memory_limit"])
def test_no_limit_is_the_default_of_what_a_maker_limits(path):
    field = FIELDS[path]
    assert field.limits()[1] == pytest.approx(NO_LIMIT)
    assert field.default == field.maximum
