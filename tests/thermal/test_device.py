import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import lambertw

from tests.thermal.checks import check_gradient
from voltherm.thermal import LeakagePower, junction_temperature, scaled_leakage_rise, solve_device
from voltherm.thermal.device import RUNAWAY_LIMIT


def law(shape: tuple[int, ...] = (), dtype: type = float) -> LeakagePower:
    values = (1056.0, 144.0, 348.15, 40.0)
    return LeakagePower(*(jnp.full(shape, value, dtype) for value in values))


def test_closed_form_is_lamberts_function():
    parameter = jnp.linspace(0.0, RUNAWAY_LIMIT * (1.0 - 1e-12), 20001)
    exact = -lambertw(-np.asarray(parameter)).real
    # near the branch point the root is as ill-conditioned as a square root at zero
    conditioning = 1.0 / np.sqrt(1.0 - np.e * np.asarray(parameter) + 1e-300)
    assert np.all(np.abs(scaled_leakage_rise(parameter) - exact) <= 2e-15 * (1.0 + conditioning))


def test_end_points():
    assert scaled_leakage_rise(jnp.asarray(0.0)) == pytest.approx(0.0, abs=1e-16)
    assert scaled_leakage_rise(jnp.asarray(RUNAWAY_LIMIT)) == pytest.approx(1.0, abs=1e-7)


def test_solution_satisfies_the_equation():
    resistance = jnp.linspace(0.0001, 0.05, 50)
    sink = jnp.full((50,), 313.15)
    temperature, power, runaway = jax.jit(solve_device)(sink, resistance, law((50,)))
    assert not jnp.any(runaway)
    assert jnp.max(jnp.abs(temperature - sink - resistance * power)) < 1e-11
    assert jnp.max(jnp.abs(power / law((50,)).power(temperature) - 1.0)) < 1e-11


def test_without_resistance_the_chip_is_at_its_sink():
    temperature, power, _ = solve_device(jnp.asarray(330.0), jnp.asarray(0.0), law())
    assert temperature == pytest.approx(330.0, abs=2e-3)
    assert power == pytest.approx(float(law().power(jnp.asarray(330.0))), rel=1e-5)


def test_runaway_is_found_at_the_point_where_no_temperature_balances():
    temperatures = jnp.linspace(313.15, 500.0, 20001)
    for resistance in (0.05, 0.06, 0.07, 0.08, 0.09):
        excess = 313.15 + resistance * law((20001,)).power(temperatures) - temperatures
        _, runaway = junction_temperature(jnp.asarray(313.15), jnp.asarray(resistance), law())
        assert bool(runaway) == bool(jnp.all(excess > 0.0))


def test_runaway_is_nan_with_zero_gradient_and_touches_no_neighbour():
    resistance = jnp.asarray([0.03, 0.5, 1.0e6])
    temperature, runaway = junction_temperature(jnp.full((3,), 313.15), resistance, law((3,)))
    assert runaway.tolist() == [False, True, True]
    assert jnp.isnan(temperature).tolist() == [False, True, True]
    jacobian = jax.jacrev(lambda r: junction_temperature(jnp.full((3,), 313.15), r, law((3,)))[0])(resistance)
    assert jnp.all(jnp.isfinite(jacobian))
    assert jacobian[0, 0] > 0.0
    assert jnp.count_nonzero(jacobian) == 1


def test_no_leakage_and_no_power():
    none = LeakagePower(jnp.asarray(100.0), jnp.asarray(0.0), jnp.asarray(350.0), jnp.asarray(40.0))
    assert junction_temperature(jnp.asarray(300.0), jnp.asarray(0.1), none)[0] == pytest.approx(310.0, abs=1e-12)
    assert junction_temperature(jnp.asarray(300.0), jnp.asarray(0.1), none, 0.0)[0] == pytest.approx(300.0, abs=1e-12)


def test_gradients_first_and_second():
    def temperature(resistance):
        return junction_temperature(jnp.asarray(313.15), resistance, law())[0]

    check_gradient(temperature, jnp.asarray(0.035))
    check_gradient(jax.grad(temperature), jnp.asarray(0.035))


def test_vmap_of_gradient():
    def temperature(resistance):
        return junction_temperature(jnp.asarray(313.15), resistance, law())[0]

    slopes = jax.vmap(jax.grad(temperature))(jnp.linspace(0.0, 0.04, 5))
    assert jnp.all(jnp.diff(slopes) > 0.0)


def test_single_precision():
    temperature, _ = junction_temperature(jnp.float32(313.15), jnp.float32(0.035), law((), jnp.float32))
    exact, _ = junction_temperature(jnp.asarray(313.15), jnp.asarray(0.035), law())
    assert temperature.dtype == jnp.float32
    assert temperature == pytest.approx(float(exact), rel=1e-6)
