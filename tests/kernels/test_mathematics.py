"""Elementary functions of the compiled kernels against libm, in every instruction set."""

import ctypes

import numpy as np
import pytest
from voltherm_kernels import native
from voltherm_kernels.library import load

pytestmark = pytest.mark.skipif(bool(native.why_not()), reason=native.why_not() or "built")

_FUNCTIONS = {"log": (0, np.log), "exp": (1, np.exp), "sqrt": (2, np.sqrt), "log of normal": (3, np.log)}


def _evaluate(name: str, numbers: np.ndarray, instructions: int) -> np.ndarray:
    call = load().library.voltherm_evaluate
    call.argtypes = [ctypes.c_int64] * 4 + [ctypes.c_void_p] * 2
    call.restype = None
    found = np.empty_like(numbers)
    single = numbers.dtype == np.float32
    call(_FUNCTIONS[name][0], int(single), instructions, numbers.size, numbers.ctypes.data, found.ctypes.data)
    return found


def _units_off(found: np.ndarray, exact: np.ndarray) -> np.ndarray:
    """Distance in units in the last place of the rounded exact value."""
    rounded = exact.astype(found.dtype)
    unit = np.spacing(np.abs(rounded)).astype(exact.dtype)
    return np.abs(found.astype(exact.dtype) - exact) / unit


def _arguments(name: str, dtype: type) -> np.ndarray:
    generator = np.random.default_rng(0)
    widest = np.log(np.finfo(dtype).max)
    near = generator.uniform(0.9, 1.1, 4001)
    if name == "exp":
        # above the denormal results, where a unit in the last place is no measure
        return np.r_[generator.uniform(-0.98, 0.999, 4001) * widest, near - 1.0, 0.0].astype(dtype)
    return np.r_[np.exp(generator.uniform(-0.98, 0.99, 4001) * widest), near, 1.0].astype(dtype)


@pytest.mark.parametrize("instructions", range(3))
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", list(_FUNCTIONS))
def test_the_error_stays_near_rounding(name: str, dtype: type, instructions: int):
    numbers = _arguments(name, dtype)
    exact = _FUNCTIONS[name][1](numbers.astype(np.longdouble))
    assert np.max(_units_off(_evaluate(name, numbers, instructions), exact)) < (0.51 if name == "sqrt" else 1.1)


@pytest.mark.parametrize("instructions", range(3))
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_limits_go_where_libm_sends_them(dtype: type, instructions: int):
    least = np.finfo(dtype).smallest_subnormal
    numbers = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, -1.0, least, np.finfo(dtype).max, 3 * least], dtype)
    with np.errstate(all="ignore"):
        for name in ("log", "sqrt", "exp"):
            expected = _FUNCTIONS[name][1](numbers)
            np.testing.assert_allclose(_evaluate(name, numbers, instructions), expected, rtol=2 * np.finfo(dtype).eps)
        edges = np.log(np.finfo(dtype).max) * np.array([0.9999, 1.001, 50.0, -1.001, -50.0])
        edges = np.r_[edges, np.log(3.2 * np.float64(least))].astype(dtype)
        expected = np.exp(edges)
        assert np.isinf(expected[1])
        assert 0 < expected[-1] < np.finfo(dtype).tiny
        np.testing.assert_allclose(
            _evaluate("exp", edges, instructions),
            expected,
            rtol=1e-4 if dtype == np.float32 else 1e-13,
            atol=1.01 * least,
        )


def test_nan_stays_in_its_lane():
    numbers = np.array([1.0, 2.0, np.nan, 4.0, 5.0])
    for name in _FUNCTIONS:
        found = _evaluate(name, numbers, -1)
        assert np.isnan(found[2])
        assert np.isfinite(np.delete(found, 2)).all()
