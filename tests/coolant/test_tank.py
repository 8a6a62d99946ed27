import jax.numpy as jnp
import numpy as np

from tests.coolant.cases import check_gradient
from voltherm.coolant import MixedTank

TANK = MixedTank(jnp.asarray(5e3), jnp.asarray(4180.0), wall_conductance=200.0)
GIVEN = (jnp.asarray(320.0), jnp.asarray(3.0), jnp.asarray(290.0))


def test_one_step_is_many():
    temperature, mean = TANK.step(jnp.asarray(300.0), *GIVEN, 3600.0, 5e3)
    at, total = jnp.asarray(300.0), 0.0
    for _ in range(60):
        at, part = TANK.step(at, *GIVEN, 60.0, 5e3)
        total = total + part / 60.0
    np.testing.assert_allclose(temperature, at, rtol=1e-13)
    np.testing.assert_allclose(mean, total, rtol=1e-13)


def test_energy_balances():
    temperature, mean = TANK.step(jnp.asarray(300.0), *GIVEN, 900.0, 5e3)
    gained = 3.0 * 4180.0 * (320.0 - mean) + 200.0 * (290.0 - mean) + 5e3
    np.testing.assert_allclose(gained * 900.0, 5e3 * 4180.0 * (temperature - 300.0), rtol=1e-9)


def test_still_and_lossless_tank_heats_linearly():
    tank = MixedTank(jnp.asarray(5e3), jnp.asarray(4180.0))
    temperature, mean = tank.step(
        jnp.asarray(300.0), jnp.asarray(320.0), jnp.asarray(0.0), jnp.asarray(290.0), 100.0, 1e6
    )
    np.testing.assert_allclose(temperature, 300.0 + 1e8 / (5e3 * 4180.0), rtol=1e-14)
    np.testing.assert_allclose(mean, 0.5 * (temperature + 300.0), rtol=1e-14)


def test_gradient():
    check_gradient(
        lambda x: TANK.step(300.0 * x[0], 320.0 * x[1], 3.0 * x[2], 290.0 * x[3], 600.0)[0], jnp.ones(4), tolerance=1e-5
    )
