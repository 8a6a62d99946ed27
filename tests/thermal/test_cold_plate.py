import equinox as eqx
import jax
import jax.numpy as jnp
import pytest

from tests.thermal.checks import check_gradient
from tests.thermal.rack_case import liquid
from voltherm.thermal import LITRE_PER_MINUTE, ColdPlate, CoolantProperties, out_of_range


def test_law_at_one_litre_a_minute():
    assert ColdPlate.published().resistance(jnp.asarray(LITRE_PER_MINUTE)) == pytest.approx(0.01736 + 0.00697, rel=1e-4)


def test_finite_smooth_and_even_at_rest():
    plate = ColdPlate.published()
    assert 0.5 < plate.resistance(jnp.asarray(0.0)) < 5.0
    assert jax.grad(plate.resistance)(jnp.asarray(0.0)) == 0.0
    flow = jnp.asarray(1.0e-5)
    assert plate.resistance(flow) == plate.resistance(-flow)


def test_pressure_drop_is_odd_and_follows_its_exponent():
    plate = ColdPlate.published()
    flow = jnp.asarray(1.25 * LITRE_PER_MINUTE)
    assert plate.pressure_drop(flow) == pytest.approx(50.0e3, rel=1e-4)
    assert plate.pressure_drop(-flow) == -plate.pressure_drop(flow)
    assert plate.pressure_drop(2.0 * flow) / plate.pressure_drop(flow) == pytest.approx(2.0**1.85, rel=1e-4)
    assert jax.grad(plate.pressure_drop)(jnp.asarray(0.0)) > 0.0


def test_scaling_with_the_coolant():
    reference = CoolantProperties.of(liquid(), jnp.asarray(313.15))
    plate, flow = ColdPlate.published(reference), jnp.asarray(LITRE_PER_MINUTE)
    assert plate.resistance(flow, reference) == pytest.approx(float(ColdPlate.published().resistance(flow)), rel=1e-14)
    better = eqx.tree_at(lambda coolant: coolant.heat_capacity, reference, 1.1 * reference.heat_capacity)
    assert plate.resistance(flow, better) < plate.resistance(flow, reference)
    thicker = eqx.tree_at(lambda coolant: coolant.viscosity, reference, 2.0 * reference.viscosity)
    assert plate.resistance(flow, thicker) == plate.resistance(flow, reference)
    assert plate.flow_coefficient(thicker) / plate.flow_coefficient(reference) == pytest.approx(2.0**0.15, rel=1e-12)


def test_gradients():
    plate = ColdPlate.published()
    check_gradient(lambda flow: plate.resistance(flow), jnp.asarray(2.0e-5))
    check_gradient(lambda flow: plate.pressure_drop(flow), jnp.asarray(2.0e-5))

    def of_constants(constants):
        changed = eqx.tree_at(
            lambda p: (p.base_resistance, p.flow_resistance, p.flow_exponent), plate, tuple(constants)
        )
        return changed.resistance(jnp.asarray(1.0e-5))

    check_gradient(of_constants, jnp.asarray([0.01736, 0.00697, 1.194]))


def test_range_is_a_sentence_of_the_host():
    assert out_of_range([1.0e-5, 3.0e-5]) is None
    assert "0.1 L/min" in (out_of_range(0.1 * LITRE_PER_MINUTE) or "")
    assert "3 L/min" in (out_of_range([1.0e-5, 3.0 * LITRE_PER_MINUTE]) or "")


def test_single_precision():
    plate = jax.tree.map(lambda leaf: leaf.astype(jnp.float32), ColdPlate.published())
    assert plate.resistance(jnp.float32(2.0e-5)).dtype == jnp.float32
    assert plate.pressure_drop(jnp.float32(2.0e-5)) == pytest.approx(
        float(ColdPlate.published().pressure_drop(jnp.asarray(2.0e-5))), rel=1e-5
    )
