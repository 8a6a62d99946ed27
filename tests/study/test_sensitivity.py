import jax
import jax.numpy as jnp
import numpy as np
import pytest

from voltherm.study.sensitivity import (
    Sensitivity,
    central_difference,
    differences,
    natural_step,
    ranked,
    sensitivities,
)

POINT = {"loop.supply_temperature": 313.15, "pump.efficiency": 0.72, "pipe.diameter": 0.15, "never.used": 7.0}


def margin(parameters, arguments):
    flow = parameters["pipe.diameter"] ** 2.5 * arguments
    return 360.0 - parameters["loop.supply_temperature"] - 12.0 / (flow * parameters["pump.efficiency"])


def test_ranked_by_the_effect_of_a_natural_step():
    found = sensitivities(margin, POINT, jnp.asarray(150.0), steps={"loop.supply_temperature": 1.0})
    rise = 12.0 / (0.15**2.5 * 150.0 * 0.72)
    by_path = {one.path: one for one in found}
    assert [one.path for one in found] == [
        "loop.supply_temperature",
        "pipe.diameter",
        "pump.efficiency",
        "never.used",
    ]
    assert by_path["loop.supply_temperature"].effect == pytest.approx(-1.0)
    assert by_path["pump.efficiency"].effect == pytest.approx(0.01 * rise)
    assert by_path["pipe.diameter"].effect == pytest.approx(0.025 * rise)
    assert by_path["never.used"].derivative == 0.0
    assert by_path["pump.efficiency"].derivative == pytest.approx(rise / 0.72)


def test_steps_can_be_given_and_rankings_cut():
    found = sensitivities(margin, POINT, jnp.asarray(150.0), steps={"pump.efficiency": 0.5})
    assert found[0].path == "pump.efficiency"
    failed = Sensitivity("failed", 1.0, float("nan"), 1.0, float("nan"))
    assert [one.path for one in ranked([failed, *found], 2)] == [one.path for one in found[:2]]
    assert ranked([failed, *found])[-1] is failed


def test_one_reverse_pass_for_all():
    evaluations = []

    def counted(parameters, arguments):
        evaluations.append(None)
        return margin(parameters, arguments)

    sensitivities(counted, POINT, jnp.asarray(150.0))
    assert len(evaluations) == 1


@pytest.mark.parametrize(
    ("path", "value", "step"),
    [
        ("secondary.supply_temperature", 313.15, 1.0),
        ("climate.dry_bulb", 316.15, 1.0),
        ("cdu.approach", 3.0, 1.0),
        ("rack.gpu.junction_limit", 360.15, 1.0),
        ("rack.gpu.power", 1200.0, 12.0),
        ("limits.junction_margin", 0.0, 1.0),
        ("climate.synoptic_deviation", 4.5, 1.0),
        ("air.condenser_water_rise", 8.0, 1.0),
        ("loop.supply_temperature", 313.15, 3.1315),
        ("some.coefficient", -2.0, 0.02),
    ],
)
def test_natural_steps(path, value, step):
    assert natural_step(path, value) == pytest.approx(step)


@pytest.mark.parametrize(
    ("path", "value", "step", "told"),
    [
        ("rack.gpu.leakage_scale", 100.0, 1.0, "1 K"),
        ("rack.gpu.power", 1200.0, 12.0, "1 %"),
        ("some.power", 1200.0, 5.0, "5"),
    ],
)
def test_steps_are_told_in_their_unit(path, value, step, told):
    assert Sensitivity(path, value, 0.0, step, 0.0).step_text == told


def test_central_difference_is_of_fourth_order():
    exact = np.cos(0.7)
    errors = [abs(central_difference(lambda x: float(np.sin(x)), 0.7, step) - exact) for step in (0.2, 0.1)]
    assert errors[0] / errors[1] == pytest.approx(16.0, rel=0.05)


def test_differences_hold_the_gradient_and_find_a_wrong_one():
    arguments = jnp.asarray(150.0)
    found = sensitivities(margin, POINT, arguments)
    assert max(differences(margin, found, POINT, arguments).values()) < 1e-8

    @jax.custom_jvp
    def wrong(x):
        return x**2

    wrong.defjvp(lambda primals, tangents: (primals[0] ** 2, 2.02 * primals[0] * tangents[0]))

    def function(parameters, arguments):
        return wrong(parameters["a"]) + parameters["b"]

    point = {"a": 3.0, "b": 1.0}
    errors = differences(function, sensitivities(function, point), point)
    assert errors["a"] == pytest.approx(0.01, rel=0.02)
    assert errors["b"] < 1e-9
