import jax.numpy as jnp
import numpy as np
import pytest

from voltherm.numerics import ResultCode, Solution, Status, sentence
from voltherm.numerics.results import worst_index


@pytest.mark.parametrize("code", list(ResultCode))
def test_every_code_has_a_sentence_that_names_the_element(code: ResultCode):
    text = sentence(int(code), "CDU-03")
    assert text.endswith(".")
    assert "{" not in text
    assert code == ResultCode.CONVERGED or "CDU-03" in text
    assert "{" not in sentence(code)


def test_unknown_code_is_refused():
    with pytest.raises(ValueError, match="99"):
        sentence(99)


def test_status_of_several_lanes():
    status = Status(jnp.array([0, 3]), jnp.zeros(2), jnp.array([4, 1]), jnp.array([0, 2]))
    np.testing.assert_array_equal(status.converged, [True, False])
    assert Solution(jnp.ones(2), status).status.converged[0]


def test_worst_counts_what_is_not_finite_first():
    assert worst_index(jnp.array([1.0, 3.0, 2.0])) == 1
    assert worst_index(jnp.array([1.0, 3.0, jnp.nan])) == 2
    assert worst_index(jnp.zeros(0)) == 0
