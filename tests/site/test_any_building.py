"""Forty random buildings of 1 to 16 halls: the first sentence of the report agrees with a batch over set points."""

import dataclasses
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.report.fabricated import fabricated_answer
from tests.site.conftest import BUILDING, OVERRIDES
from voltherm.formats import configuration
from voltherm.numerics import ResultCode
from voltherm.report.limits import headline_sentence, passed_at
from voltherm.site import build, layout, steady, with_parameters
from voltherm.site.build import parameter
from voltherm.site.supply_search import LOWEST
from voltherm.site.supply_temperature import PATH, search_margin
from voltherm.site.year import LANES, repeated, solve_sites
from voltherm.study.answer import operating_points

_QUICK = (3, 11)
"""Seeds that every run of the tests solves; the others belong to `make soak`."""
_MOST_WITHOUT_STATE = 4
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


@pytest.fixture(scope="module")
def without_state():
    """Seeds whose buildings have no steady state at their set point: they test nothing, so few may be."""
    seeds: list[int] = []
    yield seeds
    assert len(seeds) <= _MOST_WITHOUT_STATE, seeds


@pytest.mark.parametrize(
    "seed", [pytest.param(seed, marks=[] if seed in _QUICK else [pytest.mark.soak]) for seed in range(40)]
)
def test_what_the_first_page_says_is_what_a_batch_says(seed, without_state):
    site = _building(seed)
    solution = jax.jit(steady)(site)
    if solution.status.result != ResultCode.CONVERGED:
        without_state.append(seed)
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
    told = dataclasses.replace(fabricated_answer(site), site=site, layout=layout(site), **found._asdict())
    sentence = headline_sentence(told)
    if found.searched == ResultCode.CONVERGED:
        np.testing.assert_array_equal(holds, trials < answer)
        (number,) = re.findall(r"can run on a supply of up to (-?[\d.]+) °C", sentence)
        assert float(number) == pytest.approx(answer - 273.15, abs=0.051)
        assert ("It does not hold every limit there" in sentence) == bool(passed_at(found.allowed))
    elif found.searched == ResultCode.LIMIT:
        assert not holds.any()
        assert found.unheld.margin < 0.0
        assert "no supply temperature of the building holds every limit" in sentence
    else:
        # above what serves, or where anything would, the site has no steady state
        assert not solved[trials > (LOWEST if answer is None else answer)].all()
        assert "no steady state" in sentence or "did not end" in sentence
