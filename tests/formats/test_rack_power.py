"""The power of a rack without jax is that of the thermal model."""

import operator
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from voltherm.formats import configuration
from voltherm.formats.rack_power import LOAD, curve_problem, loss_curve, rack_heat
from voltherm.power import LossCurve
from voltherm.site import Site, build, with_parameters
from voltherm.site.electrical import rack_supply
from voltherm.site.fluids import liquid_named
from voltherm.site.racks import solve_racks

EFFICIENCY, POINTS = (0.94, 0.965, 0.975, 0.972, 0.965), (0.1, 0.2, 0.5, 0.75, 1.0)


@pytest.fixture(scope="module")
def case(project_root: Path) -> tuple[Site, dict]:
    checked, _ = configuration(project_root / "configs/campus/abilene_building.yaml")
    # leakage that hardly follows the junction stays what it is at the reference temperature
    flat = {f"rack.{chip}.leakage_scale": 1e12 for chip in ("gpu", "cpu", "switch")}
    return with_parameters(build(checked), flat), {path: operator.attrgetter(path)(checked) for path in LOAD}


@pytest.mark.parametrize("efficiency", [EFFICIENCY, (0.9, 0.97, 0.95, 0.99, 0.9), EFFICIENCY[::-1]])
def test_losses_are_those_of_the_model(efficiency: tuple[float, ...]):
    at = np.linspace(0.0, 1.3, 53)
    model = LossCurve(jnp.array(POINTS), jnp.array(efficiency)).loss(jnp.asarray(at))
    loss = loss_curve(efficiency, POINTS)
    np.testing.assert_allclose([loss(float(x)) for x in at], np.asarray(model), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("load_factor", [1.0, 0.5, 0.0, 1.2])
@pytest.mark.parametrize(
    "changed",
    [{}, {"rack.gpu.power_limit": 0.7}, {"rack.gpu.power_limit": 2.0, "rack.cpu.idle_power": 0.0}],
    ids=["shipped", "limited", "free"],
)
def test_a_load_factor_means_the_same_to_both(case: tuple[Site, dict], load_factor: float, changed: dict):
    site, values = with_parameters(case[0], changed), case[1]
    told = {**values, **changed, "rack.load_factor": load_factor}
    heat = rack_heat(*(told[path] for path in LOAD))
    supply = rack_supply(site)
    trays = site.rack.compute_trays + site.rack.switch_trays
    racks = solve_racks(
        site,
        supply,
        liquid_named(site.secondary.fluid),
        jnp.array([308.15]),
        jnp.full((1, 1, trays), 0.13),
        jnp.asarray(load_factor),
    )
    assert heat.electronics == pytest.approx(float(supply.air_electronics), rel=1e-9)
    assert heat.liquid == pytest.approx(float(racks.liquid_heat[0, 0]), rel=1e-9)
    assert heat.air == pytest.approx(float(racks.air_heat[0, 0]), rel=1e-9)
    assert heat.power == pytest.approx(float(racks.electrical_power[0, 0]), rel=1e-9)


def test_at_full_load_the_published_heat(case: tuple[Site, dict]):
    _, values = case
    heat = rack_heat(*(values[path] for path in LOAD))
    # GPUs that would draw 3 and 1 % more than their nameplate hold it: 1 % less of 86.4 kW
    assert heat.liquid == pytest.approx(115e3 - 864.0, rel=1e-4)
    free = rack_heat(*({**values, "rack.gpu.power_limit": 2.0}[path] for path in LOAD))
    assert (free.liquid, free.air) == (pytest.approx(115e3, rel=1e-4), pytest.approx(17e3))


def test_without_work_a_rack_draws_its_idle_power(case: tuple[Site, dict]):
    _, values = case
    idle = rack_heat(*({**values, "rack.load_factor": 0.0}[path] for path in LOAD))
    assert idle.liquid == pytest.approx(0.3 * 115e3, rel=1e-4)
    assert idle.least_air_heat == pytest.approx(2.9e3, rel=0.1)


def test_the_least_heat_to_air_leaves_no_electronics(case: tuple[Site, dict]):
    site, values = case
    least = rack_heat(*(values[path] for path in LOAD)).least_air_heat
    assert float(rack_supply(with_parameters(site, {"rack.air_heat": least})).air_electronics) == pytest.approx(
        0.0, abs=1e-5
    )


@pytest.mark.parametrize(
    ("efficiency", "load", "message"),
    [
        ((0.9, 0.95), (0.5, 1.0), None),
        ((0.9, 0.95), (0.5,), "1 loads for 2 efficiencies"),
        ((0.9,), (0.5,), "at least 2 points"),
        ((0.9, 0.95), (1.0, 0.5), "50 % stands behind 100 %"),
    ],
)
def test_curves(efficiency: tuple[float, ...], load: tuple[float, ...], message: str | None):
    found = curve_problem(efficiency, load)
    assert message in found if message and found else found == message
