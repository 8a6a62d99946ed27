"""The fused iteration by itself, on a nonlinear resistor network; the power flow is in tests/power."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from voltherm_kernels import Schedule, analyse
from voltherm_kernels.pallas import calls, iteration
from voltherm_kernels.pallas.iteration import Physics
from voltherm_kernels.pallas.newton import Operands, Results, newton

from tests.kernels.exported import check_scratch, triton_calls
from tests.kernels.patterns import both_ways
from voltherm.numerics import ResultCode

# current out of node i = y_i^3 - source_i + sum over its resistors of conductance (y_i - y_j)
PHYSICS = Physics(
    state=lambda unknowns: unknowns,
    node=lambda operands, unknowns: (
        [unknowns[0] ** 3 - operands[0][0]],
        [[3.0 * unknowns[0] ** 2]],
    ),
    coupling=lambda operands, own, other: (
        [operands[0][0] * (own[0] - other[0])],
        [[operands[0][0]]],
        [[-operands[0][0]]],
    ),
    states=1,
)
FIRST, SECOND = np.array([0, 1, 2, 3, 0]), np.array([1, 2, 3, 4, 3])
SCHEDULE = analyse(*both_ways(5, FIRST, SECOND), 5)


def _operands(sources: np.ndarray, dtype: type = np.float64) -> Operands:
    """Node 0 is held at 1; one lane for each source at node 4; conductances shared."""
    given = np.zeros((5, 1, sources.size), dtype)
    given[4, 0] = sources
    held = np.eye(5, 1, dtype=dtype)[:, :, None]
    conductance = np.array([1.0, 2.0, 0.5, 3.0, 1.5], dtype)
    return Operands(
        start=jnp.asarray(held),
        fixed=jnp.asarray(held),
        set_point=jnp.asarray(held),
        nodes=[jnp.asarray(given)],
        couplings=[jnp.asarray(np.concatenate([conductance, conductance])[:, None, None])],
    )


def _solve(operands: Operands, schedule: Schedule = SCHEDULE, **options) -> Results:
    chosen = {"tolerance": 1e-12, "maximum_iterations": 30, "interpret": True} | options
    return jax.jit(functools.partial(newton, schedule, PHYSICS, **chosen))(operands)


@pytest.mark.parametrize("options", [{}, {"width": 2, "programs": 1}])
def test_currents_balance_in_every_lane(options: dict):
    sources = np.array([0.0, 1.0, -3.0, 8.0, 100.0])
    found = _solve(_operands(sources), **options)
    assert found.result.tolist() == [iteration.CONVERGED] * 5
    assert np.all(found.residual <= 1e-12)
    voltage = np.asarray(found.unknowns[:, 0])
    np.testing.assert_array_equal(voltage[0], 1.0)
    balance = voltage**3
    balance[4] -= sources
    for one, other, conductance in zip(FIRST, SECOND, [1.0, 2.0, 0.5, 3.0, 1.5], strict=True):
        current = conductance * (voltage[one] - voltage[other])
        balance[one] += current
        balance[other] -= current
    np.testing.assert_allclose(balance[1:], 0.0, atol=1e-12)


def test_limit_of_iterations_and_residuals_that_are_no_numbers():
    operands = _operands(np.array([100.0, np.nan, 0.0, 0.0]))
    start = jnp.repeat(operands.start, 4, axis=-1).at[..., 2].set(np.nan)
    # of the second resistor, between nodes 1 and 2
    conductances = jnp.repeat(operands.couplings[0], 4, axis=-1).at[np.array([1, 6]), :, 3].set(np.nan)
    found = _solve(operands._replace(start=start, couplings=[conductances]), maximum_iterations=2)
    assert found.result.tolist() == [iteration.MAXIMUM_ITERATIONS] + [iteration.NOT_FINITE] * 3
    assert found.iterations.tolist() == [2, 0, 0, 0]
    assert np.all(np.isnan(found.residual[1:]))
    # the first entry that is no number counts as the largest
    assert found.worst.tolist() == [4, 4, 0, 1]


@pytest.mark.parametrize("interpret", [True, False])
def test_no_lanes(interpret: bool):
    found = _solve(_operands(np.zeros(0)), interpret=interpret)
    assert found.unknowns.shape == (5, 1, 0)
    assert [each.shape for each in found[1:]] == [(0,)] * 4
    assert [each.dtype for each in found] == [np.float64, np.float64, np.int32, np.int32, np.int32]


def test_scratch_takes_its_share_of_the_memory_at_most(monkeypatch: pytest.MonkeyPatch):
    memory, lanes = 60_000, 1000
    monkeypatch.setattr(calls, "_memory", lambda: float(memory))
    call = functools.partial(newton, SCHEDULE, PHYSICS, tolerance=1e-6, maximum_iterations=9, interpret=False)
    check_scratch(call, _operands(np.ones(lanes)), lanes, memory)


def test_single_precision_ends_at_its_round_off():
    found = _solve(_operands(np.array([1.0, 8.0]), np.float32))
    assert found.unknowns.dtype == np.float32
    assert found.result.tolist() == [iteration.CONVERGED] * 2


def test_result_codes_are_those_of_the_project():
    for name in ("CONVERGED", "MAXIMUM_ITERATIONS", "NOT_FINITE", "SINGULAR", "NO_DESCENT"):
        assert getattr(iteration, name) == ResultCode[name]


def test_entries_must_be_the_diagonal_and_then_couplings():
    schedule = analyse(np.array([0, 0, 1]), np.array([1, 0, 1]), 2)
    with pytest.raises(ValueError, match="the diagonal, then couplings"):
        _solve(_operands(np.ones(1)), schedule)


def test_lowers_for_nvidia_gpus():
    options = {"tolerance": 1e-6, "maximum_iterations": 9, "interpret": False}
    call = functools.partial(newton, SCHEDULE, PHYSICS, **options)
    assert triton_calls(call, _operands(np.ones(40))) == ["voltherm_newton"]
