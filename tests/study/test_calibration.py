import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from voltherm.study.calibration import calibrate, calibrate_cold_plate
from voltherm.thermal.cold_plate import LITRE_PER_MINUTE, ColdPlate

# Open Compute Project, OAI liquid cooling guideline (2023), figure 7: case to inlet, 1 kW plate, PG25
FLOW = np.array([0.4, 0.6, 0.8, 1.0, 1.4, 2.0, 2.4]) * LITRE_PER_MINUTE
RESISTANCE = np.array([0.0389, 0.0300, 0.0265, 0.0245, 0.0220, 0.0204, 0.0197])


def test_cold_plate_table():
    plate, fit = calibrate_cold_plate(FLOW, RESISTANCE)
    assert fit.converged
    assert fit.largest <= 0.01
    assert float(plate.base_resistance) == 0.0028
    assert float(plate.flow_resistance) == pytest.approx(0.0139, rel=0.02)
    assert 0.0 < float(plate.flow_exponent) < 0.05
    np.testing.assert_allclose(plate.resistance(jnp.asarray(FLOW)) / RESISTANCE - 1.0, fit.residual, atol=1e-12)
    # at least as good as the published fit of the same law
    published = ColdPlate.published().resistance(jnp.asarray(FLOW)) / RESISTANCE - 1.0
    assert np.sum(fit.residual**2) <= np.sum(np.asarray(published) ** 2)
    assert float(plate.nominal_pressure_drop) == 50.0e3


def test_recovers_a_known_law_from_far_away():
    law = eqx.tree_at(lambda plate: plate.flow_exponent, ColdPlate.published(), jnp.asarray(0.2))
    exact = np.asarray(law.resistance(jnp.asarray(FLOW)))
    start = {"flow_resistance": 0.05, "flow_exponent": 0.5}
    _, fit = calibrate_cold_plate(FLOW, exact, initial=start)
    assert fit.largest < 1e-10
    assert fit.parameters["flow_exponent"] == pytest.approx(0.2, rel=1e-8)
    assert max(fit.standard_errors.values()) < 1e-8


def test_gradient_of_the_residual_is_zero_at_the_fit():
    def residual(parameters, table):
        return parameters["a"] * jnp.exp(-parameters["b"] * table[0]) / table[1] - 1.0

    x = jnp.linspace(0.0, 2.0, 9)
    y = 3.0 * jnp.exp(-0.7 * x) * (1.0 + 0.01 * jnp.sin(9.0 * x))
    fit = calibrate(residual, {"a": 1.0, "b": 1.0}, (x, y))
    point = {name: jnp.asarray(value) for name, value in fit.parameters.items()}
    gradient = jax.grad(lambda at: jnp.sum(residual(at, (x, y)) ** 2))(point)
    assert max(abs(float(each)) for each in gradient.values()) < 1e-9
    assert fit.history[-1] <= fit.history[0]


def test_what_the_table_does_not_determine_has_an_infinite_error():
    def residual(parameters, table):
        return parameters["a"] * parameters["b"] * table - 1.0

    fit = calibrate(residual, {"a": 1.0, "b": 1.0}, jnp.array([1.0, 1.1, 1.2]))
    assert fit.standard_errors == {"a": np.inf, "b": np.inf}


def test_mistakes_are_told():
    with pytest.raises(ValueError, match="flow_exponent: a calibrated parameter is positive"):
        calibrate_cold_plate(FLOW, RESISTANCE, initial={"flow_exponent": 0.0})
    with pytest.raises(ValueError, match="there are 2 and 7"):
        calibrate_cold_plate(FLOW[:2], RESISTANCE)
    with pytest.raises(ValueError, match="not finite where it starts"):
        calibrate(lambda parameters, _: jnp.log(-parameters["a"])[None], {"a": 1.0})
