"""What holds for every liquid: enthalpy is the integral of heat capacity, everything transforms, precision is kept."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.media.liquids import LIQUIDS, PROPERTIES
from voltherm.media import AbstractLiquid, PropyleneGlycolWater, Water

_TEMPERATURE = np.linspace(278.15, 333.15, 12)


@pytest.fixture(params=LIQUIDS.values(), ids=LIQUIDS.keys())
def liquid(request) -> AbstractLiquid:
    return request.param


def test_enthalpy_is_the_integral_of_heat_capacity(liquid: AbstractLiquid):
    temperature = jnp.asarray(_TEMPERATURE)
    slope = jax.jvp(liquid.specific_enthalpy, (temperature,), (jnp.ones_like(temperature),))[1]
    np.testing.assert_allclose(slope, liquid.heat_capacity(temperature), rtol=1e-14)
    assert float(liquid.specific_enthalpy(273.15)) == 0.0
    nodes, weights = np.polynomial.legendre.leggauss(5)
    inside = jnp.asarray(300.0 + 20.0 * nodes)
    integral = 20.0 * np.sum(weights * np.asarray(liquid.heat_capacity(inside)))
    rise = liquid.specific_enthalpy(320.0) - liquid.specific_enthalpy(280.0)
    np.testing.assert_allclose(rise, integral, rtol=1e-13)


def test_temperature_at_enthalpy_inverts_to_round_off(liquid: AbstractLiquid):
    temperature = jnp.linspace(*liquid.temperature_range, 41)
    back = liquid.temperature_at_enthalpy(liquid.specific_enthalpy(temperature))
    np.testing.assert_allclose(back, temperature, rtol=4e-16)
    single = temperature.astype(jnp.float32)
    back = liquid.temperature_at_enthalpy(liquid.specific_enthalpy(single))
    assert back.dtype == jnp.float32
    np.testing.assert_allclose(back, single, rtol=2e-7)


def test_derivatives_of_the_inverse(liquid: AbstractLiquid):
    enthalpy = jnp.asarray([2.0e4, 1.1e5])
    temperature = liquid.temperature_at_enthalpy(enthalpy)
    slope = jax.vmap(jax.grad(liquid.temperature_at_enthalpy))(enthalpy)
    np.testing.assert_allclose(slope, 1.0 / liquid.heat_capacity(temperature), rtol=1e-14)
    curvature = jax.vmap(jax.grad(jax.grad(liquid.temperature_at_enthalpy)))(enthalpy)
    steepening = jax.vmap(jax.grad(liquid.heat_capacity))(temperature)
    np.testing.assert_allclose(curvature, -steepening * slope**3, rtol=1e-12, atol=1e-20)


def test_physical_signs(liquid: AbstractLiquid):
    temperature = jnp.asarray(_TEMPERATURE)
    for name in ("density", "heat_capacity", "viscosity", "conductivity"):
        assert jnp.all(getattr(liquid, name)(temperature) > 0.0), name
    assert jnp.all(jnp.diff(liquid.viscosity(temperature)) < 0.0)
    assert jnp.all(jnp.diff(liquid.density(temperature)) < 0.0)
    assert jnp.all(jnp.diff(liquid.specific_enthalpy(temperature)) > 0.0)


def test_elementwise_in_any_shape_and_precision(liquid: AbstractLiquid):
    table = jnp.asarray(_TEMPERATURE).reshape(3, 4)
    for name in PROPERTIES:
        method = getattr(liquid, name)
        value = method(table)
        assert value.shape == table.shape
        assert value.dtype == jnp.float64
        np.testing.assert_allclose(value[1, 2], method(table[1, 2]), rtol=1e-14)
        single = method(table.astype(jnp.float32))
        assert single.dtype == jnp.float32
        np.testing.assert_allclose(single, value, rtol=4e-6)
        assert method(jnp.zeros((0, 3))).shape == (0, 3)


def test_prandtl_is_its_definition(liquid: AbstractLiquid):
    temperature = jnp.asarray(_TEMPERATURE)
    expected = liquid.viscosity(temperature) * liquid.heat_capacity(temperature) / liquid.conductivity(temperature)
    np.testing.assert_allclose(liquid.prandtl(temperature), expected, rtol=1e-14)


def test_fails_as_not_a_number_and_only_in_its_lane(liquid: AbstractLiquid):
    value = liquid.temperature_at_enthalpy(jnp.asarray([1.0e5, jnp.nan]))
    assert jnp.isfinite(value[0])
    assert jnp.isnan(value[1])


def test_one_compilation_for_ten_compositions():
    traces = 0

    @jax.jit
    def density(liquid: PropyleneGlycolWater, temperature: jax.Array) -> jax.Array:
        nonlocal traces
        traces += 1
        return liquid.density(temperature)

    for fraction in np.linspace(0.1, 0.5, 10):
        density(PropyleneGlycolWater(jnp.asarray(fraction)), jnp.asarray(300.0))
    assert traces == 1


def test_water_holds_no_arrays():
    assert not jax.tree.leaves(Water())
