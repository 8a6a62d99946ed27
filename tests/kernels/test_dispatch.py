import jax.numpy as jnp
import numpy as np
import pytest
from voltherm_kernels import analyse, solve
from voltherm_kernels.dispatch import IMPLEMENTATIONS, resolve


def test_auto_is_one_of_the_table():
    assert resolve("auto") in IMPLEMENTATIONS


def test_unknown_name_says_what_there_is():
    schedule = analyse(np.array([0]), np.array([0]), 1)
    with pytest.raises(ValueError, match=r"no implementation 'fast'; there are: auto, .*xla"):
        solve(schedule, jnp.ones(1), jnp.ones(1), implementation="fast")
