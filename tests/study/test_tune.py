import jax.numpy as jnp
import numpy as np
import pytest

from voltherm.formats import load
from voltherm.site import with_parameters
from voltherm.site.climate import dry_bulb_year
from voltherm.study.augmented_lagrangian import Settings
from voltherm.study.design import DesignVariables
from voltherm.study.errors import ForeignCheckpointError
from voltherm.study.tune import TuneProgress, run, weighted_ambients, year_parts, year_weights

VARIABLES = DesignVariables.build(
    [
        {"path": "loop.supply_temperature", "minimum": 300.0, "maximum": 330.0, "unit": "K"},
        {"path": "loop.diameter", "minimum": 0.2, "maximum": 1.0, "unit": "m"},
    ]
)
START = np.array([305.0, 0.9])


def plant(values, arguments):
    """Cooling gets cheaper when warmer, pumps when wider, pipes when narrower; the chips allow 318 K at 0.5 m."""
    temperature, diameter = values["loop.supply_temperature"], values["loop.diameter"]
    cost = 100.0 + 3.0 * (330.0 - temperature) + 0.5 / diameter**5 + arguments * diameter
    return cost, {
        "junction temperature": (temperature - 318.0 + 2.0 * (0.5 / diameter) ** 2 - 2.0) / 10.0,
        "loading": jnp.stack([diameter - 2.0, 0.1 - diameter]),
    }


def tuned(**options):
    options = {"settings": Settings(iterations=400, round_length=40), "random_points": 200, **options}
    return run(plant, VARIABLES, START, jnp.asarray(60.0), **options)


def test_beats_start_and_random_search_and_holds_the_limits():
    progress = []
    found = tuned(progress=progress.append)
    assert found.feasible
    assert found.start_feasible
    assert found.active == ("junction temperature",)
    assert found.objective < found.search.objective < found.start_objective
    assert found.gain_over_start > 0.1
    assert 0.0 < found.gain_over_search < 0.2
    # the limit holds exactly; along it, the width balances pumps, pipes and the margin that width gives
    temperature = found.values["loop.supply_temperature"]
    diameter = found.values["loop.diameter"]
    assert temperature == pytest.approx(320.0 - 0.5 / diameter**2, abs=1e-4)
    assert -2.5 / diameter**6 + 60.0 - 3.0 * (1.0 / diameter**3) == pytest.approx(0.0, abs=0.05)
    assert found.start == {"loop.supply_temperature": pytest.approx(305.0), "loop.diameter": pytest.approx(0.9)}
    assert found.units == {"loop.supply_temperature": "K", "loop.diameter": "m"}
    assert progress[0] == TuneProgress("descent", 1, 400, progress[0].objective, progress[0].violation)
    assert progress[0].objective == pytest.approx(found.start_objective)
    assert (progress[-1].stage, progress[-1].done) == ("random search", 200)
    told = found.described()
    assert "every limit is held" in told[0]
    assert "NOT" not in told[0]
    assert "200 random designs hold the limits" in told[1]
    assert told[2:] == ["binding: junction temperature"]
    assert found.at_edge == ()


def test_without_random_search_and_from_outside_the_ranges():
    found = run(plant, VARIABLES, np.array([400.0, 0.9]), jnp.asarray(60.0), random_points=0)
    assert found.search is None
    assert np.isnan(found.gain_over_search)
    assert found.start["loop.supply_temperature"] == pytest.approx(330.0)
    assert not found.start_feasible
    assert "which breaks a limit" in found.described()[0]
    assert found.feasible


def test_checkpoint_belongs_to_its_case(tmp_path):
    file = tmp_path / "tune.checkpoint"
    settings = Settings(iterations=10)
    first = tuned(settings=settings, checkpoint=file, case="a", random_points=0)
    again = tuned(settings=settings, checkpoint=file, case="a", random_points=0, resume=True)
    assert again.values == first.values
    with pytest.raises(ForeignCheckpointError, match="differs in case"):
        tuned(settings=settings, checkpoint=file, case="b", random_points=0, resume=True)


def test_year_between_given_ambients():
    hours = 288.0 + 15.0 * np.sin(np.linspace(0.0, 2.0 * np.pi, 8760, endpoint=False))
    ambients = np.linspace(273.0, 303.0, 5)
    weights = year_weights(hours, ambients)
    assert np.sum(weights) == pytest.approx(1.0)
    # linear interpolation gives the mean of anything linear exactly
    assert weights @ (2.0 * ambients + 1.0) == pytest.approx(np.mean(2.0 * hours + 1.0))
    np.testing.assert_allclose(weights, weights[::-1], atol=1e-4)
    np.testing.assert_allclose(year_weights(hours, np.array([280.0, 281.0])).sum(), 1.0)


@pytest.fixture(scope="module")
def hours(project_root):
    return np.asarray(dry_bulb_year(load(project_root / "configs" / "campus" / "abilene_building.yaml").climate))


def test_parts_of_a_year(hours):
    ambients, shares = year_parts(hours, 40)
    assert len(ambients) == 40
    assert np.all(np.diff(ambients) > 0.0)
    assert shares.sum() == pytest.approx(1.0, rel=1e-14)
    # the mean of anything linear is exact
    assert shares @ ambients == pytest.approx(hours.mean(), rel=1e-14)
    # measured in tenths of a degree, or all alike
    rounded, even = year_parts(np.round(hours, 1), 40)
    np.testing.assert_allclose(rounded, ambients, atol=0.5)
    assert even.sum() == pytest.approx(1.0)
    same, all_of_it = year_parts(np.full(8760, 290.0), 40)
    assert (same.tolist(), all_of_it.tolist()) == ([290.0], [1.0])


def test_a_machine_may_start_at_any_ambient(hours):
    """max(0, T - start), the energy of a machine above its start, which six even ambients miss."""
    starts = np.linspace(hours.min(), hours.max(), 400)
    exact = np.maximum(0.0, hours[:, None] - starts).mean(axis=0)

    def missed(ambients, shares):
        return np.abs(shares @ np.maximum(0.0, ambients[:, None] - starts) - exact)

    even = np.linspace(hours.min(), hours.max(), 6)
    few, many = missed(even, year_weights(hours, even)), missed(*year_parts(hours, 40))
    assert few.max() > 0.3
    assert many.max() < 0.006
    # the bound of the docstring, from a density of hours that nowhere is above 0.05 1/K
    widths = np.diff(np.quantile(hours, np.concatenate([[0.0], np.cumsum(year_parts(hours, 40)[1])]).clip(0.0, 1.0)))
    assert many.max() < 1.5 * np.max(year_parts(hours, 40)[1] * widths) / 8.0


def test_limits_count_on_the_design_day_and_in_the_hottest_hour(hours, project_root):
    site = load(project_root / "configs" / "campus" / "abilene_building.yaml")
    for celsius, kept in ((44.0, 1), (30.0, 2)):
        there = with_parameters(site, {"climate.dry_bulb": 273.15 + celsius})
        ambients, shares = weighted_ambients(there, 40)
        assert np.all(np.diff(ambients) > 0.0)
        assert np.count_nonzero(shares == 0.0) == kept
        assert 273.15 + celsius in ambients
        assert ambients[-1] == max(273.15 + celsius, hours.max())
        assert shares.sum() == pytest.approx(1.0, rel=1e-14)


def test_a_descent_that_ends_early_says_so_with_its_unit():
    short = tuned(settings=Settings(iterations=40, round_length=40), random_points=0, unit="USD a year")
    assert short.last_fall > 1e-3
    (told,) = [sentence for sentence in short.described() if sentence.startswith("still descending")]
    assert "the last 4 of 40 steps took" in told
    assert " USD a year, " in short.described()[0]
    settled = tuned(settings=Settings(iterations=3000, round_length=40), random_points=0)
    assert 0.0 <= settled.last_fall < 1e-4
    assert not [sentence for sentence in settled.described() if "descending" in sentence]
