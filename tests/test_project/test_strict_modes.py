"""The suite really runs in the strict modes that conftest.py asks for."""

import warnings

import jax
import jax.numpy as jnp
import pytest


def test_double_precision_and_two_devices():
    assert jax.config.jax_enable_x64
    assert jnp.zeros(1).dtype == jnp.float64
    assert len(jax.local_devices()) == 2


def test_mixed_precision_raises():
    with pytest.raises(jax.dtypes.TypePromotionError):
        _ = jnp.zeros(2, jnp.float32) + jnp.zeros(2, jnp.float64)


def test_rank_promotion_raises():
    with pytest.raises(ValueError, match="rank_promotion"):
        _ = jnp.zeros((2, 3)) + jnp.zeros(3)


def test_warnings_are_errors():
    with pytest.raises(UserWarning, match="as an error"):
        warnings.warn("as an error", UserWarning, stacklevel=1)
