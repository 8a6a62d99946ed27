"""Sweeps and tuning of a site: the wiring with a stand-in for the solve, then the solve itself."""

import dataclasses
import importlib

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

import voltherm
from voltherm.formats import load
from voltherm.numerics import ResultCode, Solution, Status
from voltherm.site.build import parameter, with_parameters
from voltherm.study import site_functions
from voltherm.study.augmented_lagrangian import Settings
from voltherm.study.errors import NoSteadyStateError
from voltherm.study.site_functions import present_values, site_digest, solved
from voltherm.study.yearly_cost import pipe_wall, yearly_cost

SUPPLY, WIDTH, AMBIENT = "secondary.supply_temperature", "facility.header_diameter", "climate.dry_bulb"


@pytest.fixture(scope="module")
def site(project_root):
    return load(project_root / "configs" / "campus" / "abilene_building.yaml")


def _steady(site, *, initial=None):
    """A stand-in: designs above 318 K have no solution."""
    supply = site.secondary.supply_temperature
    code = jnp.where(supply > 318.0, ResultCode.LIMIT.value, ResultCode.CONVERGED.value).astype(jnp.int32)
    zero = jnp.zeros((), jnp.int32)
    return Solution(jnp.where(supply > 318.0, jnp.nan, supply), Status(code, jnp.zeros(()), zero, zero))


def _outputs(site, state):
    """Cooling that costs more when colder and hotter outside; a junction that follows the supply."""
    power = 1e8 + 1e5 * jnp.maximum(0.0, site.climate.dry_bulb - state + 20.0) + 1e3 / site.facility.header_diameter**5
    nothing = state * 0.0
    return {
        "facility_power": power,
        "junction_margin": 314.0 - state,
        "memory_margin": 330.0 - state,
        "supply_margin": site.limits.supply_maximum - state,
        "flow_per_heat": nothing + 2.5e-8,
        "inlet_margin": nothing + 10.0,
        "lowest_voltage": nothing + 1.0,
        "highest_voltage": nothing + 1.0,
        "transformer_loading": nothing + 0.8,
        "feeder_loading": nothing + 0.8,
    }


@pytest.fixture
def cheap(monkeypatch):
    # the package's names `sweep`, `tune` and `yearly_cost` are functions, so their modules are found by import
    for name in ("site_functions", "yearly_cost"):
        module = importlib.import_module(f"voltherm.study.{name}")
        monkeypatch.setattr(module, "steady", _steady)
        monkeypatch.setattr(module, "outputs", _outputs)
    tune = importlib.import_module("voltherm.study.tune")
    monkeypatch.setattr(tune, "solved", lambda site: Solution(None, _steady(site).status))


@pytest.mark.usefixtures("cheap")
def test_sweep_of_a_site(site):
    done = voltherm.sweep(site, {SUPPLY: (300.0, 320.0), AMBIENT: (270.0, 315.0)}, designs=40, chunk=16)
    table = done.table()
    failed = table[SUPPLY] > 318.0
    assert done.counts == {ResultCode.CONVERGED: 40 - failed.sum(), ResultCode.LIMIT: failed.sum()}
    np.testing.assert_allclose(table["junction_margin"][~failed], 314.0 - table[SUPPLY][~failed])
    with pytest.raises(KeyError, match=r"secondary\.suply"):
        voltherm.sweep(site, {"secondary.suply": (300.0, 320.0)}, designs=4)


@pytest.mark.usefixtures("cheap")
def test_tune_of_a_site(site):
    found = voltherm.tune(
        site,
        {SUPPLY: (300.0, 317.0), WIDTH: (0.3, 0.9)},
        ambients=3,
        settings=Settings(iterations=400, round_length=40),
        random_points=64,
    )
    assert found.feasible
    assert found.values[SUPPLY] == pytest.approx(314.0, abs=1e-2)
    assert 0.3 < found.values[WIDTH] < 0.9
    assert found.objective <= found.search.objective
    assert found.objective < found.start_objective
    assert "junction temperature" in found.active
    assert found.constraints["junction temperature"].shape == (4,)  # three over the year, and the design day
    with pytest.raises(ValueError, match="have to rise"):
        voltherm.tune(site, {SUPPLY: (300.0, 317.0)}, ambients=[300.0, 290.0])


@pytest.mark.usefixtures("cheap")
def test_yearly_cost_adds_up(site):
    ambients, weights = jnp.array([280.0, 310.0]), jnp.array([0.75, 0.25])
    cost, limits = yearly_cost(site, ambients, weights)
    wider, _ = yearly_cost(with_parameters(site, {WIDTH: parameter(site, WIDTH)}), ambients, weights)
    assert float(wider) == float(cost)
    power = [
        float(_outputs(there, there.secondary.supply_temperature)["facility_power"])
        for there in (with_parameters(site, {AMBIENT: ambient}) for ambient in ambients)
    ]
    prices = site.economics
    energy = 365 * 86400 * np.dot(weights, power) * float(prices.electricity_price)
    water = float(site.facility.volume * site.facility.makeup_fraction * prices.water_price)
    wall = float(pipe_wall(site))
    assert float(cost) == pytest.approx(energy + water + wall * float(prices.pipe_price * prices.annuity), rel=1e-12)
    # 4 halls with two mains of 150 m, 60 stretches of two headers of 4 m, 64 rows of 22 headers of 1.2 m, 64 branches
    expected = 8 * 150 * 0.7 + 120 * 4 * 0.6 + 64 * (22 * 1.2 * 0.15 + 20 * 0.15)
    assert wall == pytest.approx(np.pi * expected, rel=1e-9)
    np.testing.assert_allclose(limits["junction temperature"], -(314.0 - float(parameter(site, SUPPLY))) / 10.0)


@pytest.mark.usefixtures("cheap")
def test_makers_limits_are_held_in_tuning(site):
    ambients, weights = jnp.array([280.0, 310.0]), jnp.array([0.75, 0.25])
    strict = with_parameters(site, {SUPPLY: 312.0, "limits.supply_maximum": 310.0, "limits.flow_minimum": 3e-8})
    _, limits = yearly_cost(strict, ambients, weights)
    np.testing.assert_allclose(limits["supply temperature"], 0.2)
    np.testing.assert_allclose(limits["memory temperature"], -1.8)
    np.testing.assert_allclose(limits["coolant flow"], 0.2)
    free = with_parameters(strict, {"limits.flow_minimum": 0.0})
    np.testing.assert_allclose(yearly_cost(free, ambients, weights)[1]["coolant flow"], -1.0)


def test_a_start_without_solution_is_refused(site, monkeypatch):
    hot = with_parameters(site, {SUPPLY: 319.0})
    monkeypatch.setattr(site_functions, "_solve", _steady)
    monkeypatch.setattr(site_functions, "diagnose", lambda site, code: f"code {code}: the chips run away")
    with pytest.raises(NoSteadyStateError, match="no steady state: code 5: the chips run away"):
        solved(hot)


def test_digest_follows_every_number_and_every_count(site):
    assert site_digest(site) == site_digest(with_parameters(site, {SUPPLY: parameter(site, SUPPLY)}))
    assert site_digest(site) != site_digest(with_parameters(site, {SUPPLY: parameter(site, SUPPLY) + 1e-9}))
    larger = eqx.tree_at(lambda tree: tree.building, site, dataclasses.replace(site.building, count=2))
    assert site_digest(site) != site_digest(larger)
    np.testing.assert_allclose(present_values(site, [WIDTH]), [float(site.facility.header_diameter)])
