import jax
import jax.numpy as jnp
import pytest

from voltherm.media import HFE7100
from voltherm.numerics import ResultCode
from voltherm.thermal import LeakagePower
from voltherm.thermal.immersion import (
    ImmersedChips,
    heat_transfer_coefficient,
    steady_immersion,
    vertical_plate_nusselt,
)


def chips(power: float) -> ImmersedChips:
    law = LeakagePower.from_fraction(*(jnp.asarray(value) for value in (power, 0.1, 350.0, 40.0)))
    return ImmersedChips(law, jnp.asarray(0.05), jnp.asarray(0.04), jnp.asarray(0.2))


solve = jax.jit(steady_immersion)


def test_balance():
    tank = jnp.asarray([303.15, 313.15])
    solution = solve(chips(150.0), tank, HFE7100())
    assert jnp.all(solution.status.converged)
    junction, power = solution.value.junction_temperature, solution.value.power
    surface = junction - 0.05 * power
    taken = heat_transfer_coefficient(HFE7100(), surface - tank, tank, jnp.full((2,), 0.2)) * 0.04 * (surface - tank)
    assert jnp.max(jnp.abs(taken / power - 1.0)) < 1e-12
    assert jnp.max(jnp.abs(power - chips(150.0).power.power(junction))) < 1e-9


def test_coefficient_of_a_dielectric():
    # natural convection of dielectrics: some tens to a few hundred W/(m2K)
    coefficient = heat_transfer_coefficient(HFE7100(), jnp.asarray(20.0), jnp.asarray(303.15), jnp.asarray(0.2))
    assert 50.0 < coefficient < 400.0


def test_at_rest_the_law_is_smooth():
    assert vertical_plate_nusselt(jnp.asarray(0.0), jnp.asarray(10.0)) == pytest.approx(0.825**2)
    assert jnp.isfinite(jax.grad(vertical_plate_nusselt)(jnp.asarray(0.0), jnp.asarray(10.0)))


def test_too_much_power_is_nan_with_zero_gradient():
    law = LeakagePower(jnp.asarray([5.0e4, 150.0]), jnp.zeros(2), 350.0, 40.0, jnp.zeros(2))
    both = ImmersedChips(law, 0.05, 0.04, 0.2)

    def junctions(tank):
        solution = steady_immersion(both, tank, HFE7100())
        return solution.value.junction_temperature[0], solution

    slope, solution = jax.jit(jax.grad(junctions, has_aux=True))(jnp.asarray([303.15, 303.15]))
    assert solution.status.result.tolist() == [ResultCode.LIMIT, ResultCode.CONVERGED]
    assert jnp.isnan(solution.value.junction_temperature).tolist() == [True, False]
    assert jnp.all(slope == 0.0)


def test_gradient():
    def junction(tank):
        return steady_immersion(chips(150.0), tank, HFE7100()).value.junction_temperature[0]

    slope = jax.jit(jax.grad(junction))(jnp.asarray([303.15]))[0]
    value = jax.jit(junction)
    difference = (value(jnp.asarray([303.16])) - value(jnp.asarray([303.14]))) / 0.02
    assert slope == pytest.approx(float(difference), rel=1e-6)
