import jax
import jax.numpy as jnp
import numpy as np

from tests.coolant.cases import check_gradient
from voltherm.coolant import HazenWilliamsPipe, Pipe, colebrook
from voltherm.coolant.law import pressure_drop_and_slope

DENSITY, VISCOSITY = jnp.full(2, 998.0), jnp.full(2, 1.0e-3)
PIPE = Pipe(jnp.asarray([10.0, 4.0]), jnp.asarray([0.1, 0.05]), jnp.full(2, 5e-5), jnp.asarray([0.0, 3.0]))


def test_turbulent_drop_is_darcy_weisbach():
    mass_flow = jnp.asarray([8.0, 2.0])
    speed = mass_flow / (DENSITY * PIPE.area())
    reynolds = DENSITY * speed * PIPE.diameter / VISCOSITY
    friction = colebrook(reynolds, PIPE.roughness / PIPE.diameter)
    expected = (friction * PIPE.length / PIPE.diameter + PIPE.loss_coefficient) * DENSITY * speed**2 / 2.0
    np.testing.assert_allclose(PIPE.pressure_drop(mass_flow, DENSITY, VISCOSITY), expected, rtol=1e-7)


def test_laminar_drop_is_hagen_poiseuille_and_linear_at_rest():
    pipe = Pipe(PIPE.length, PIPE.diameter, PIPE.roughness, jnp.zeros(2))
    expected = 128.0 * VISCOSITY * pipe.length / (jnp.pi * DENSITY * pipe.diameter**4)
    at_rest, slope = pressure_drop_and_slope(pipe, jnp.zeros(2), DENSITY, VISCOSITY)
    np.testing.assert_array_equal(at_rest, 0.0)
    np.testing.assert_allclose(slope, expected, rtol=1e-12)
    np.testing.assert_allclose(pipe.pressure_drop(jnp.full(2, 1e-6), DENSITY, VISCOSITY), 1e-6 * expected, rtol=1e-12)


def test_drop_is_odd_and_rises():
    flows = jnp.linspace(-5.0, 5.0, 1001)

    def drop(flow):
        return PIPE.pressure_drop(jnp.full(2, flow), DENSITY, VISCOSITY)

    drops = jax.vmap(drop)(flows)
    assert jnp.all(jnp.diff(drops, axis=0) > 0.0)
    np.testing.assert_allclose(drops, -drops[::-1], rtol=1e-12, atol=1e-9)


def test_a_fitting_without_length_has_a_slope_at_rest():
    pipe = Pipe(jnp.zeros(2), PIPE.diameter, PIPE.roughness, jnp.ones(2))
    assert jnp.all(pressure_drop_and_slope(pipe, jnp.zeros(2), DENSITY, VISCOSITY)[1] > 0.0)


def test_a_pipe_without_length_drags_like_a_hundredth_of_its_diameter():
    flows = jnp.asarray([0.01, 8.0])
    for friction in ("colebrook", "epanet"):
        none, least = (
            Pipe(x * PIPE.diameter, PIPE.diameter, PIPE.roughness, jnp.zeros(2), friction) for x in (0.0, 0.01)
        )
        drop = none.pressure_drop(flows, DENSITY, VISCOSITY)
        np.testing.assert_array_equal(drop, least.pressure_drop(flows, DENSITY, VISCOSITY))
        assert jnp.all((drop > 0.0) & (drop < 0.02 * DENSITY * (flows / (DENSITY * PIPE.area())) ** 2))
        assert jnp.all(pressure_drop_and_slope(none, jnp.zeros(2), DENSITY, VISCOSITY)[1] > 1e-5)
    mains = HazenWilliamsPipe(jnp.zeros(2), jnp.full(2, 0.2), jnp.full(2, 130.0))
    assert jnp.all(mains.pressure_drop(flows, DENSITY, VISCOSITY) > 0.0)
    np.testing.assert_array_equal(none.volume(), 0.0)


def test_gradient_with_respect_to_geometry():
    def drop(x):
        pipe = Pipe(10.0 * x[:2], 0.1 * x[2:4], 5e-5 * x[4:6], x[6:])
        return jnp.sum(pipe.pressure_drop(jnp.asarray([0.1, -3.0]), DENSITY, VISCOSITY))

    check_gradient(drop, jnp.linspace(0.8, 1.2, 8))


def test_hazen_williams_follows_its_power():
    pipe = HazenWilliamsPipe(jnp.full(2, 100.0), jnp.full(2, 0.2), jnp.asarray([100.0, 130.0]))
    one = pipe.pressure_drop(jnp.full(2, 10.0), DENSITY, VISCOSITY)
    two = pipe.pressure_drop(jnp.full(2, 20.0), DENSITY, VISCOSITY)
    np.testing.assert_allclose(two / one, 2.0**1.852, rtol=1e-9)
    # SI form: 10.67 L q^1.852 / (C^1.852 d^4.871)
    expected = 998.0 * 9.80665 * 10.67 * 100.0 * (10.0 / 998.0) ** 1.852 / (100.0**1.852 * 0.2**4.871)
    np.testing.assert_allclose(one[0], expected, rtol=2e-3)


def test_volume_and_usual_flow():
    np.testing.assert_allclose(PIPE.volume(), PIPE.area() * PIPE.length)
    assert jnp.all(PIPE.starting_mass_flow(DENSITY, VISCOSITY) > 0.0)
