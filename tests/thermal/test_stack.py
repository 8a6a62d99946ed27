import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.thermal.checks import check_gradient
from tests.thermal.stack_case import power, stack
from voltherm.thermal.stack import ConvectiveFace, face_conductances, face_heat, link_conductances, refine, steady_stack


def residual(model, temperature: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """Imbalance of every cell, written out neighbour by neighbour."""
    dx, dy = float(model.width) / model.columns, float(model.depth) / model.rows
    links, (below, above) = np.asarray(link_conductances(model)), face_conductances(model)
    balance = np.array(heat)
    layers, rows, columns = temperature.shape
    for z in range(layers):
        along_x = float(model.conductivity_x[z] * model.thickness[z]) * dy / dx
        along_y = float(model.conductivity_y[z] * model.thickness[z]) * dx / dy
        for r in range(rows):
            for c in range(columns):
                here = temperature[z, r, c]
                for other in (c - 1, c + 1):
                    if 0 <= other < columns:
                        balance[z, r, c] += along_x * (temperature[z, r, other] - here)
                for other in (r - 1, r + 1):
                    if 0 <= other < rows:
                        balance[z, r, c] += along_y * (temperature[z, other, c] - here)
                if z > 0:
                    balance[z, r, c] += links[z - 1] * dx * dy * (temperature[z - 1, r, c] - here)
                if z < layers - 1:
                    balance[z, r, c] += links[z] * dx * dy * (temperature[z + 1, r, c] - here)
    if model.bottom is not None:
        balance[0] += float(below) * dx * dy * (float(model.bottom.temperature) - temperature[0])
    balance[-1] += float(above) * dx * dy * (float(model.top.temperature) - temperature[-1])
    return balance


@pytest.mark.parametrize(("bottom", "on_face"), [(True, False), (False, True)])
def test_every_cell_balances(bottom: bool, on_face: bool):
    model = stack(bottom, outer_node_on_face=on_face)
    temperature = np.asarray(steady_stack(model, power()))
    assert np.max(np.abs(residual(model, temperature, np.asarray(power())))) < 1e-11


def test_heat_leaves_through_the_faces():
    temperature = steady_stack(stack(), power())
    assert sum(face_heat(stack(), temperature)) == pytest.approx(float(jnp.sum(power())), rel=1e-12)


def test_without_power_between_equal_fluids():
    model = eqx.tree_at(lambda s: s.bottom.temperature, stack(), jnp.asarray(300.0))
    assert jnp.max(jnp.abs(steady_stack(model, jnp.zeros((3, 4, 5))) - 300.0)) < 1e-12


def test_one_cell_one_layer():
    model = stack(bottom=False)
    fields = {
        field.name: getattr(model, field.name)[:1]
        for field in dataclasses.fields(model)
        if getattr(getattr(model, field.name), "ndim", 0) == 1
    }
    fields["contact_resistance"] = jnp.zeros((0,))
    single = dataclasses.replace(model, columns=1, rows=1, **fields)
    area = 0.01 * 0.006
    expected = 300.0 + 6.0 * (0.25e-3 / 80.0 + 1.0 / 2.0e4) / area
    assert steady_stack(single, jnp.full((1, 1, 1), 6.0))[0, 0, 0] == pytest.approx(expected, rel=1e-13)


def test_refined_stack_has_the_same_resistances():
    model = stack(bottom=False)
    fine = refine(model, 1, 3)
    assert jnp.sum(1.0 / link_conductances(fine)) == pytest.approx(
        float(jnp.sum(1.0 / link_conductances(model)) + (0.5e-3 / 80.0 + 1.0e-3 / 390.0) / 3.0), rel=1e-12
    )
    assert refine(model, 2, 3).columns == 10


def test_gradients():
    @jax.jit
    def hottest(numbers):
        model = stack()
        names = ("thickness", "conductivity_x", "conductivity_z", "contact_resistance", "width")
        changed = dataclasses.replace(
            model, **{name: getattr(model, name) * numbers[index] for index, name in enumerate(names)}
        )
        changed = eqx.tree_at(lambda s: s.top.heat_transfer_coefficient, changed, jnp.asarray(2.0e4) * numbers[5])
        return jnp.max(steady_stack(changed, power() * numbers[6]))

    check_gradient(hottest, jnp.ones((7,)))


def test_batch_of_power_maps_and_vmap_of_gradient():
    maps = jnp.stack([power(), 2.0 * power()])
    hottest = jax.jit(jax.vmap(jax.value_and_grad(lambda q: jnp.max(steady_stack(stack(), q)))))
    values, gradients = hottest(maps)
    assert values[1] > values[0]
    # linear in the power: the gradient is the same for both
    assert jnp.max(jnp.abs(gradients[0] - gradients[1])) < 1e-12


def test_single_precision():
    temperature = steady_stack(stack(dtype=jnp.float32), power(jnp.float32))
    assert temperature.dtype == jnp.float32
    assert jnp.max(jnp.abs(temperature.astype(jnp.float64) - steady_stack(stack(), power()))) < 1e-3


def test_two_adiabatic_faces_are_refused():
    with pytest.raises(ValueError, match="adiabatic"):
        dataclasses.replace(stack(), bottom=None, top=None)
    with pytest.raises(ValueError, match="at least one cell"):
        dataclasses.replace(stack(), rows=0)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"conductivity_z": jnp.asarray([80.0, -4.0, 390.0])}, "LayeredStack, entry 2: conductivity_z is -4"),
        ({"thickness": jnp.asarray([0.5e-3, 0.0, 1e-3])}, "LayeredStack, entry 2: thickness is 0 m"),
        ({"width": -0.01}, "LayeredStack: width is -0.01 m and has to be above 0 m"),
        ({"conductivity_x": jnp.asarray([120.0])}, "a stack of 3 layers has 3 layers, and 1 entries of conductivity_x"),
        ({"contact_resistance": jnp.zeros(3)}, "has 2 joints between its layers, and 3 entries of contact_resistance"),
    ],
)
def test_stacks_that_there_are_not_are_refused(changed: dict, message: str):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(stack(), **changed)


def test_a_face_has_a_coefficient_above_zero():
    with pytest.raises(ValueError, match="ConvectiveFace: heat_transfer_coefficient is -5"):
        ConvectiveFace(-5.0, 300.0)


def test_power_of_another_shape_is_refused_with_a_sentence():
    with pytest.raises(ValueError, match=r"power has the shape \(3, 5, 4\); this stack has layers, rows and columns"):
        steady_stack(stack(), jnp.ones((3, 5, 4)))
    with pytest.raises(ValueError, match="power has the shape"):
        steady_stack(stack(), jnp.ones((1, 1, 1)))


def test_plain_numbers_are_taken():
    plain = dataclasses.replace(stack(), width=0.01, depth=0.006, top=ConvectiveFace(2.0e4, 300.0))
    assert jnp.array_equal(steady_stack(plain, power()), steady_stack(stack(), power()))
