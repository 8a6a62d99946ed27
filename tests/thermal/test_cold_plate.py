import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import pytest

from tests.thermal.checks import check_gradient
from tests.thermal.rack_case import liquid
from voltherm import media
from voltherm.thermal import LITRE_PER_MINUTE, ColdPlate, CoolantProperties, out_of_range

# Open Compute Project, OAI system liquid cooling guidelines (2023): case to inlet [K/W] over L/min of a 1 kW plate
GLYCOL = {0.4: 0.0389, 0.5: 0.0325, 0.6: 0.0300, 0.7: 0.0280, 0.8: 0.0265, 0.9: 0.0255, 1.0: 0.0245,
          1.2: 0.0230, 1.4: 0.0220, 1.6: 0.0214, 1.8: 0.0209, 2.0: 0.0204, 2.2: 0.0200, 2.4: 0.0197}  # fmt: skip
WATER = {2.0: 0.0172, 3.0: 0.0160, 4.0: 0.0154, 5.0: 0.0151}
TEST_TEMPERATURE = jnp.asarray(313.15)


def properties(coolant: str) -> CoolantProperties:
    return CoolantProperties.of(media.liquid("water") if coolant == "water" else liquid(), TEST_TEMPERATURE)


@pytest.mark.parametrize(("coolant", "table", "tolerance"), [("glycol", GLYCOL, 0.025), ("water", WATER, 0.01)])
def test_one_law_holds_the_published_tables_of_both_coolants(coolant: str, table: dict, tolerance: float):
    flow = jnp.asarray(list(table)) * LITRE_PER_MINUTE
    found = ColdPlate.published().resistance(flow, properties(coolant))
    assert jnp.max(jnp.abs(found / jnp.asarray(list(table.values())) - 1.0)) < tolerance


def test_water_is_a_fifth_better():
    flow = jnp.asarray([2.0, 3.0, 4.0, 5.0]) * LITRE_PER_MINUTE
    plate = ColdPlate.published()
    worse = plate.resistance(flow) / plate.resistance(flow, properties("water")) - 1.0
    assert jnp.all((worse > 0.18) & (worse < 0.23))


@pytest.mark.parametrize("coolant", ["glycol", "water"])
@pytest.mark.parametrize("exponent", [0.0, 1.0 / 3.0])
def test_no_coolant_leaves_warmer_than_its_plate(coolant: str, exponent: float):
    there = properties(coolant)
    flow = jnp.geomspace(0.001, 100.0, 200) * LITRE_PER_MINUTE
    plate = eqx.tree_at(lambda p: p.flow_exponent, ColdPlate.published(), jnp.asarray(exponent))
    resistance = plate.resistance(flow, there)
    assert jnp.all(resistance * there.volumetric_heat_capacity() * flow >= 1.0)
    assert jnp.all(jnp.diff(resistance) < 0.0)


def test_developed_laminar_flow_keeps_its_convection():
    plate, flow = ColdPlate.published(), jnp.asarray([10.0, 20.0]) * LITRE_PER_MINUTE
    above = plate.resistance(flow) - 0.5 / (plate.reference.volumetric_heat_capacity() * flow)
    assert above == pytest.approx(0.0028 + 0.0139, rel=1e-3)


def test_finite_smooth_and_even_at_rest():
    plate = ColdPlate.published()
    assert 1.0 < plate.resistance(jnp.asarray(0.0)) < 100.0
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


@pytest.mark.parametrize("exponent", [0.0, 1.0 / 3.0])
def test_scaling_with_the_coolant(exponent: float):
    reference = properties("glycol")
    plate = eqx.tree_at(lambda p: p.flow_exponent, ColdPlate.published(), jnp.asarray(exponent))
    flow = jnp.asarray(LITRE_PER_MINUTE)
    assert plate.resistance(flow, reference) == pytest.approx(float(plate.resistance(flow)), rel=1e-14)
    for name in ("conductivity", "heat_capacity", "density"):
        better = dataclasses.replace(reference, **{name: 1.1 * getattr(reference, name)})
        assert plate.resistance(flow, better) < plate.resistance(flow, reference), name
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

    check_gradient(of_constants, jnp.asarray([0.0028, 0.0139, 0.1]))


def test_range_is_a_sentence_of_the_host():
    assert out_of_range([1.0e-5, 3.0e-5]) is None
    assert "0.1 L/min" in (out_of_range(0.1 * LITRE_PER_MINUTE) or "")
    assert "6 L/min" in (out_of_range([1.0e-5, 6.0 * LITRE_PER_MINUTE]) or "")


def test_single_precision():
    plate = jax.tree.map(lambda leaf: leaf.astype(jnp.float32), ColdPlate.published())
    assert plate.resistance(jnp.float32(2.0e-5)).dtype == jnp.float32
    assert plate.pressure_drop(jnp.float32(2.0e-5)) == pytest.approx(
        float(ColdPlate.published().pressure_drop(jnp.asarray(2.0e-5))), rel=1e-5
    )
