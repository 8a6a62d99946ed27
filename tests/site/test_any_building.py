"""Forty random buildings of 1 to 16 halls: what is called the highest supply agrees with a batch over set points."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.site.conftest import BUILDING, OVERRIDES
from voltherm.formats import configuration
from voltherm.numerics import ResultCode
from voltherm.site import build, layout, steady, with_parameters
from voltherm.site.build import parameter
from voltherm.site.supply_search import LOWEST
from voltherm.site.supply_temperature import PATH, search_margin
from voltherm.site.year import LANES, repeated, solve_sites
from voltherm.study.answer import operating_points

pytestmark = pytest.mark.soak

_SCALED = ("dry_coolers.rated_heat", "chillers.capacity", "air.coil_rated_heat", "air.coil_rated_water_flow")
"""Equipment of the two halls of the small site, which grows with the halls and is drawn somewhat too small or large."""
_WITH_HALLS = (
    *_SCALED,
    "dry_coolers.rated_fan_power",
    "air.coil_rated_air_flow",
    "facility.pump_nominal_flow",
    "facility.volume",
    "electrical.mechanical_substation.rating",
    "electrical.mechanical_substation.no_load_loss",
)
_STRONG = (
    "electrical.intake_short_circuit=2000 MVA",
    "electrical.main_transformer.rating=30 MVA",
    "electrical.main_transformer.no_load_loss=15 kW",
    "electrical.feeder.rating=2000 A",
    "ride_through.step=1 s",
)
"""A network that no building of sixteen halls loads far, and a step that no main of theirs is too short for."""


def _building(seed: int):
    random = np.random.default_rng(seed)
    halls = int(random.integers(1, 17))
    overrides = (*OVERRIDES, *_STRONG, f"building.halls={halls}", f"building.rows_per_hall={random.integers(1, 4)}")
    site = build(configuration(BUILDING, overrides)[0])
    rows = site.building.rows / 4.0
    changes = {path: float(parameter(site, path)) * rows for path in _WITH_HALLS}
    changes |= {path: changes[path] * random.uniform(0.6, 1.5) for path in _SCALED}
    changes |= {f"facility.{name}_diameter": 0.1 * max(1.0, rows**0.5) for name in ("main", "header")}
    changes |= {"climate.dry_bulb": random.uniform(283.0, 319.0), "facility.supply_offset": random.uniform(1.0, 6.0)}
    return with_parameters(site, changes)


@pytest.mark.parametrize("seed", range(40))
def test_what_the_first_page_says_is_what_a_batch_says(seed):
    site = _building(seed)
    solution = jax.jit(steady)(site)
    if solution.status.result != ResultCode.CONVERGED:
        pytest.skip("no steady state at the set point, which `run` says and ends")
    hours = np.full(8760, float(site.climate.dry_bulb))
    found = operating_points(site, layout(site), solution.value, hours)
    trials = np.concatenate([np.linspace(LOWEST, 328.0, LANES)])
    answer = None if found.allowed is None else found.allowed.set_point
    if answer is not None:
        trials = answer + np.array([-10.0, -3.0, -0.5, -0.01, 0.01, 0.5, 3.0, 10.0])
    batch = solve_sites(
        with_parameters(repeated(site), {PATH: jnp.asarray(trials)}), solution.value, jnp.full(LANES, False)
    )
    solved = np.asarray(batch.result) == ResultCode.CONVERGED
    holds = solved & (np.asarray(search_margin(batch.figures)) >= 0.0)
    if answer is not None:
        np.testing.assert_array_equal(holds, trials < answer)
    elif found.searched == ResultCode.LIMIT:
        assert not holds.any()
        assert found.unheld.margin < 0.0
    else:
        assert not solved.all()
