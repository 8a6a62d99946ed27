"""Motor drive: typical points, balance, reactive power."""

import jax
import jax.numpy as jnp
import numpy as np

from voltherm.power import MotorDrive
from voltherm.power.motor_drive import LOAD_FRACTION, TYPICAL_EFFICIENCY


def _drive():
    return MotorDrive.typical(jnp.array(75e3), jnp.array(0.95))


def test_typical_points_and_balance():
    drive, shaft = _drive(), 75e3 * jnp.array(LOAD_FRACTION)
    np.testing.assert_allclose(shaft / drive.input_power(shaft), TYPICAL_EFFICIENCY, rtol=1e-13)
    np.testing.assert_allclose(drive.input_power(shaft) - shaft, drive.loss(shaft), rtol=1e-9)


def test_standing_drive_still_takes_power():
    assert 0.0 < float(_drive().input_power(jnp.array(0.0))) < 0.05 * 75e3


def test_power_factor_and_gradient():
    drive, shaft = _drive(), jnp.array(5e4)
    active, reactive = drive.input_power(shaft), drive.reactive_power(shaft)
    np.testing.assert_allclose(active / jnp.hypot(active, reactive), 0.95, rtol=1e-13)
    difference = (drive.input_power(shaft + 1.0) - drive.input_power(shaft - 1.0)) / 2.0
    np.testing.assert_allclose(jax.grad(drive.input_power)(shaft), difference, rtol=1e-7)
