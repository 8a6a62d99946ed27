import jax
import jax.numpy as jnp

from voltherm.numerics import ResultCode
from voltherm.thermal.outcome import closed_form_status, failed


def test_codes_and_the_first_element_that_fails():
    runaway = jnp.asarray([[False, False, False], [False, False, True], [False, False, False], [False, True, False]])
    no_value = jnp.asarray([[False, False, False], [False, True, False], [False, False, True], [True, False, False]])
    status = closed_form_status(runaway, no_value)
    codes = [ResultCode.CONVERGED, ResultCode.LIMIT, ResultCode.NOT_FINITE, ResultCode.LIMIT]
    assert status.result.tolist() == codes
    # a runaway is told before what follows from it
    assert status.worst.tolist() == [0, 2, 2, 1]
    assert status.iterations.tolist() == [0, 0, 0, 0]
    assert jnp.isnan(status.residual).tolist() == [False, True, True, True]


def test_failed_has_no_gradient():
    gradient = jax.grad(lambda x: failed(x**2, jnp.asarray(True)))(jnp.asarray(3.0))
    assert gradient == 0.0
