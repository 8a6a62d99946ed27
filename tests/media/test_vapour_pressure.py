"""Vapour pressures against those of others: IAPWS-95 for water, the normal boiling point of HFE-7100."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from voltherm.media import HFE7100, InhibitedPropyleneGlycolWater, Water, vapour_pressure

_IAPWS = {283.15: 1228.2, 313.15: 7384.9, 333.15: 19946.0, 373.15: 101418.0, 393.15: 198670.0}
"""Saturation pressure [Pa] of water, IAPWS-95 (Wagner and Pruss, 2002)."""


def test_water_as_iapws_has_it():
    temperature = jnp.asarray(list(_IAPWS))
    np.testing.assert_allclose(vapour_pressure(Water(), temperature), list(_IAPWS.values()), rtol=1e-3)


def test_glycol_is_bounded_by_water():
    # normal boiling point of 25 % propylene glycol by volume is 101.5 to 102.5 C: water's curve boils it earlier
    bound = vapour_pressure(InhibitedPropyleneGlycolWater(0.25), 375.15)
    assert bound == vapour_pressure(Water(), 375.15)
    assert bound > 101325.0


def test_hydrofluoroether_boils_at_61_celsius():
    assert vapour_pressure(HFE7100(), 334.15) == pytest.approx(101325.0, rel=0.015)


@pytest.mark.parametrize("liquid", [Water(), HFE7100()])
def test_slope_and_precision(liquid):
    at = jnp.asarray(320.0)
    slope = jax.grad(lambda temperature: vapour_pressure(liquid, temperature))(at)
    step = 1e-3
    ahead, behind = (vapour_pressure(liquid, at + sign * step) for sign in (1.0, -1.0))
    assert slope == pytest.approx(float((ahead - behind) / (2.0 * step)), rel=1e-7)
    single = jax.jit(lambda temperature: vapour_pressure(liquid, temperature))(jnp.asarray([320.0], jnp.float32))
    assert single.dtype == jnp.float32
    assert single[0] == pytest.approx(float(vapour_pressure(liquid, at)), rel=1e-5)
