import dataclasses

import jax
import jax.numpy as jnp
import pytest

from tests.thermal.stack_case import power, stack
from voltherm.thermal.stack import steady_stack
from voltherm.thermal.stack_transient import backward_euler, propagate

START = jnp.full((3, 4, 5), 300.0)
exact = jax.jit(propagate)
march = jax.jit(backward_euler)


def test_exact_propagation_starts_and_settles():
    times = jnp.asarray([0.0, 1.0e4])
    fields = exact(stack(), START, power(), times)
    assert jnp.max(jnp.abs(fields[0] - START)) < 1e-11
    assert jnp.max(jnp.abs(fields[1] - steady_stack(stack(), power()))) < 1e-11


def test_propagation_in_two_halves():
    half = exact(stack(), START, power(), jnp.asarray([0.01]))[0]
    assert (
        jnp.max(
            jnp.abs(
                exact(stack(), half, power(), jnp.asarray([0.01])) - exact(stack(), START, power(), jnp.asarray([0.02]))
            )
        )
        < 1e-10
    )


def test_backward_euler_converges_to_it_at_first_order():
    reference = exact(stack(), START, power(), jnp.asarray([0.02]))[0]
    errors = []
    for count in (50, 100):
        held = jnp.broadcast_to(power()[None], (count, 3, 4, 5))
        errors.append(jnp.max(jnp.abs(march(stack(), START, held, jnp.asarray(0.02 / count))[-1] - reference)))
    assert errors[0] / errors[1] == pytest.approx(2.0, abs=0.1)


def test_energy_of_a_step():
    step = jnp.asarray(0.001)
    model = stack(bottom=False)
    after = march(model, START, power()[None], step)[0]
    capacity = (model.thickness * model.volumetric_heat_capacity)[:, None, None] * model.cell_area
    stored = jnp.sum(capacity * (after - START)) / step
    lost = 1.0 / (0.5e-3 / 390.0 + 1.0 / 2.0e4) * model.cell_area * jnp.sum(after[-1] - 300.0)
    assert stored + lost == pytest.approx(float(jnp.sum(power())), rel=1e-11)


def test_gradient_in_time():
    def hottest(time):
        return jnp.max(propagate(stack(), START, power(), time[None]))

    slope = jax.jit(jax.grad(hottest))(jnp.asarray(0.01))
    value = jax.jit(hottest)
    difference = (value(jnp.asarray(0.010001)) - value(jnp.asarray(0.009999))) / 2e-6
    assert slope == pytest.approx(float(difference), rel=1e-6)


def test_gradient_through_the_eigenvectors():
    def hottest(scale):
        model = stack()
        changed = dataclasses.replace(model, conductivity_z=model.conductivity_z * scale)
        return jnp.max(propagate(changed, START, power(), jnp.asarray([0.01])))

    slope = jax.jit(jax.grad(hottest))(jnp.asarray(1.0))
    value = jax.jit(hottest)
    difference = (value(jnp.asarray(1.0 + 1e-5)) - value(jnp.asarray(1.0 - 1e-5))) / 2e-5
    assert slope == pytest.approx(float(difference), rel=1e-6)
