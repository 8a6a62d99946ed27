import math

import equinox as eqx
import jax
import jax.numpy as jnp
import pytest

from tests.thermal.stack_case import stack
from voltherm.thermal.floor_plan import FloorPlan
from voltherm.thermal.spreading import mode_impedance, source_mean_rises, spreading_resistance


def source(x: float = 0.002, y: float = 0.001, width: float = 0.003, depth: float = 0.002) -> FloorPlan:
    return FloorPlan(*(jnp.asarray([value]) for value in (x, y, width, depth, 5.0)))


def one_dimensional() -> float:
    return (0.5e-3 / 80.0 + 0.1e-3 / 4.0 + 1.0e-3 / 390.0 + 5.0e-6 + 1.0 / 2.0e4) / (0.01 * 0.006)


def test_source_over_the_whole_plate_does_not_spread():
    rises = source_mean_rises(stack(bottom=False), source(0.0, 0.0, 0.01, 0.006), 50)
    assert rises[0] == pytest.approx(5.0 * one_dimensional(), rel=1e-12)
    assert spreading_resistance(stack(bottom=False), source(0.0, 0.0, 0.01, 0.006), 50) == pytest.approx(0.0, abs=1e-12)


def test_small_source_adds_resistance_and_sources_superpose():
    model = stack(bottom=False)
    assert spreading_resistance(model, source(), 200) > 0.5
    two = FloorPlan(
        *(
            jnp.concatenate([a, b])
            for a, b in zip(jax.tree.leaves(source()), jax.tree.leaves(source(0.006)), strict=True)
        )
    )
    rises = source_mean_rises(model, two, 200)
    assert rises[0] > source_mean_rises(model, source(), 200)[0]


def test_uniform_mode_and_high_modes():
    impedance = mode_impedance(stack(bottom=False), 200)
    assert impedance[0, 0] == pytest.approx(one_dimensional() * 0.01 * 0.006, rel=1e-12)
    # far out a mode sees nothing but the first layer: 1 / (wave number * sqrt(k_x k_z))
    assert impedance[0, 199] == pytest.approx(0.01 / (199.0 * math.pi * math.sqrt(120.0 * 80.0)), rel=1e-9)


def test_gradient():
    def rise(coefficient):
        model = eqx.tree_at(lambda s: s.top.heat_transfer_coefficient, stack(bottom=False), coefficient)
        return source_mean_rises(model, source(), 50)[0]

    slope = jax.grad(rise)(jnp.asarray(2.0e4))
    assert slope == pytest.approx(float((rise(jnp.asarray(2.0001e4)) - rise(jnp.asarray(1.9999e4))) / 2.0), rel=1e-6)


def test_faces_of_the_wrong_kind_are_refused():
    with pytest.raises(ValueError, match="adiabatic below"):
        source_mean_rises(stack(), source())
