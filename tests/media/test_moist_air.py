"""Psychrometrics: round trips, limits, derivatives; the PsychroLib table is a validation case."""

import jax
import jax.numpy as jnp
import numpy as np

from voltherm.media import moist_air

_TEMPERATURE = jnp.asarray([263.15, 275.15, 298.15, 316.15])
_RELATIVE_HUMIDITY = jnp.asarray([0.7, 0.2, 0.5, 0.15])
_PRESSURE = jnp.asarray([101325.0, 84556.0, 101325.0, 95000.0])
_HUMIDITY = moist_air.humidity_ratio(_TEMPERATURE, _RELATIVE_HUMIDITY, _PRESSURE)


def test_saturation_pressure():
    # Hyland and Wexler as tabulated in ASHRAE Fundamentals 2021, chapter 1, table 3
    expected = [12.84, 103.24, 611.2, 1228.0, 3169.0, 12350.0]
    celsius = jnp.asarray([-40.0, -20.0, 0.01, 10.0, 25.0, 50.0])
    np.testing.assert_allclose(moist_air.saturation_pressure(celsius + 273.15), expected, rtol=2e-3)
    at_triple_point = moist_air.saturation_pressure(jnp.asarray([273.16 - 1e-9, 273.16]))
    np.testing.assert_allclose(at_triple_point[0], at_triple_point[1], rtol=1e-4)


def test_humidity_round_trips():
    back = moist_air.relative_humidity(_TEMPERATURE, _HUMIDITY, _PRESSURE)
    np.testing.assert_allclose(back, _RELATIVE_HUMIDITY, rtol=1e-13)
    vapour = moist_air.vapour_pressure(_HUMIDITY, _PRESSURE)
    np.testing.assert_allclose(vapour, _RELATIVE_HUMIDITY * moist_air.saturation_pressure(_TEMPERATURE), rtol=1e-13)
    enthalpy = moist_air.enthalpy(_TEMPERATURE, _HUMIDITY)
    np.testing.assert_allclose(moist_air.temperature_at_enthalpy(enthalpy, _HUMIDITY), _TEMPERATURE, rtol=1e-14)


def test_wet_bulb_and_dew_point_solve_their_equations():
    wet_bulb = moist_air.wet_bulb(_TEMPERATURE, _HUMIDITY, _PRESSURE)
    back = moist_air.humidity_ratio_at_wet_bulb(_TEMPERATURE, wet_bulb, _PRESSURE)
    np.testing.assert_allclose(back, _HUMIDITY, rtol=1e-9)
    dew_point = moist_air.dew_point(_HUMIDITY, _PRESSURE)
    np.testing.assert_allclose(moist_air.saturation_humidity_ratio(dew_point, _PRESSURE), _HUMIDITY, rtol=1e-11)
    assert jnp.all(dew_point < wet_bulb)
    assert jnp.all(wet_bulb < _TEMPERATURE)


def test_limits():
    temperature = jnp.asarray([300.0, 300.0, 300.0])
    saturated = moist_air.saturation_humidity_ratio(300.0, 101325.0)
    humidity = jnp.stack([saturated, 2.0 * saturated, 0.0 * saturated])
    at_saturation, in_fog, dry = moist_air.wet_bulb(temperature, humidity, 101325.0)
    np.testing.assert_allclose(at_saturation, 300.0, rtol=1e-13)
    assert float(in_fog) == 300.0
    np.testing.assert_allclose(dry, 273.15 + 9.13, atol=0.01)
    assert float(moist_air.dew_point(0.0, 101325.0)) == 173.15
    assert jnp.isfinite(moist_air.saturation_humidity_ratio(400.0, 101325.0))


def test_wet_bulb_takes_water_where_both_water_and_ice_fit():
    over_water = moist_air.humidity_ratio_at_wet_bulb(278.15, 273.15, 101325.0)
    over_ice = moist_air.humidity_ratio_at_wet_bulb(278.15, 273.15 - 1e-9, 101325.0)
    assert over_ice > over_water
    humidity = jnp.asarray([0.5 * (over_water + over_ice), over_water * 0.999])
    above, below = moist_air.wet_bulb(278.15, humidity, 101325.0)
    assert 273.15 < float(above) < 274.0
    assert 272.0 < float(below) < 273.15


def test_derivatives_against_central_differences():
    state = (_TEMPERATURE, _HUMIDITY, _PRESSURE)
    wet_bulb, dew_point = jax.jit(moist_air.wet_bulb), jax.jit(lambda _, humidity, p: moist_air.dew_point(humidity, p))
    for function in (wet_bulb, dew_point):
        slopes = jax.vmap(jax.grad(function, argnums=(0, 1, 2)))(*state)
        for i, step in enumerate((1e-3, 1e-7, 1.0)):
            tangent = tuple(jnp.full_like(x, 1.0 if j == i else 0.0) for j, x in enumerate(state))
            forward = jax.jvp(function, state, tangent)[1]
            upper = function(*(x + step * d for x, d in zip(state, tangent, strict=True)))
            lower = function(*(x - step * d for x, d in zip(state, tangent, strict=True)))
            np.testing.assert_allclose(slopes[i], (upper - lower) / (2.0 * step), rtol=1e-6, atol=1e-12)
            np.testing.assert_allclose(slopes[i], forward, rtol=1e-12)


def test_enthalpy_density_and_volume():
    # ASHRAE 2021, chapter 1, table 2: saturated air at 25 C has v = 0.8720 m3/kg and h = 76.5 kJ/kg
    saturated = moist_air.saturation_humidity_ratio(298.15, 101325.0)
    np.testing.assert_allclose(moist_air.specific_volume(298.15, saturated, 101325.0), 0.8720, rtol=1e-3)
    np.testing.assert_allclose(moist_air.enthalpy(298.15, saturated), 76.5e3, rtol=5e-3)
    density = moist_air.density(298.15, saturated, 101325.0)
    np.testing.assert_allclose(density, (1.0 + saturated) / 0.8720, rtol=1e-3)
    np.testing.assert_allclose(moist_air.density(298.15, 0.0, 101325.0), 101325.0 / (287.042 * 298.15), rtol=1e-13)
    slope = jax.grad(moist_air.enthalpy)(298.15, 0.01)
    np.testing.assert_allclose(slope, moist_air.heat_capacity(0.01), rtol=1e-12)


def test_single_precision():
    single = [x.astype(jnp.float32) for x in (_TEMPERATURE, _HUMIDITY, _PRESSURE)]
    wet_bulb = moist_air.wet_bulb(*single)
    assert wet_bulb.dtype == jnp.float32
    np.testing.assert_allclose(wet_bulb, moist_air.wet_bulb(_TEMPERATURE, _HUMIDITY, _PRESSURE), atol=2e-3)
    dew_point = moist_air.dew_point(*single[1:])
    np.testing.assert_allclose(dew_point, moist_air.dew_point(_HUMIDITY, _PRESSURE), atol=2e-3)
