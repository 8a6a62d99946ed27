import jax
import jax.numpy as jnp

from voltherm.numerics import ResultCode
from voltherm.thermal.outcome import failed, outcome


def test_codes():
    yes, no = jnp.asarray(True), jnp.asarray(False)
    assert outcome(no, yes) == ResultCode.CONVERGED
    assert outcome(yes, yes) == ResultCode.LIMIT
    assert outcome(no, no) == ResultCode.NOT_FINITE


def test_failed_has_no_gradient():
    gradient = jax.grad(lambda x: failed(x**2, jnp.asarray(True)))(jnp.asarray(3.0))
    assert gradient == 0.0
