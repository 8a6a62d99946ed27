"""The fused iteration of Todini's method by itself, on cubic and linear laws; coolant is in tests/coolant."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from voltherm_kernels import analyse
from voltherm_kernels.pallas import calls, global_gradient_tile
from voltherm_kernels.pallas.global_gradient import Branches, Group, solve, step
from voltherm_kernels.pallas.iteration import CONVERGED, MAXIMUM_ITERATIONS, NOT_FINITE

from tests.kernels.exported import check_scratch, triton_calls
from tests.kernels.patterns import both_ways
from voltherm.coolant import global_gradient

FREE = 4
# node 4 stands for the references; two branches between the same free nodes, two between references
FROM, TO = np.array([4, 0, 1, 2, 0, 0, 3, 4]), np.array([0, 1, 2, 3, 3, 1, 4, 4])
INNER = np.flatnonzero(np.maximum(FROM, TO) < FREE)
SCHEDULE = analyse(*both_ways(FREE, FROM[INNER], TO[INNER]), FREE)
BRANCHES = Branches(SCHEDULE, tuple(FROM.tolist()), tuple(TO.tolist()))
STIFFNESS = np.array([1.0, 2.0, 0.5, 3.0, 1.5, 4.0, 0.7, 1.0])


def _cubic(read, row, flow):
    stiffness = read[0](row)
    return stiffness * (flow + flow * flow * flow), stiffness * (1.0 + 3.0 * flow * flow)


def _linear(read, row, flow):
    return read[0](row) * flow, read[0](row)


def _groups(dtype: type = np.float64) -> list[Group]:
    """Five branches of a cubic law, none, and three of a linear law."""
    stiffness = jnp.asarray(STIFFNESS[:, None], dtype)
    return [Group(5, _cubic, (stiffness[:5],)), Group(0, _cubic, (stiffness[:0],)), Group(3, _linear, (stiffness[5:],))]


def _given(drives: np.ndarray, dtype: type = np.float64) -> list[jax.Array]:
    """What drives the first branch is each lane's own."""
    drive = np.zeros((FROM.size, drives.size), dtype)
    drive[0] = drives
    demand = np.array([0.1, 0.0, -0.2, 0.3], dtype)[:, None]
    start = (np.full((FROM.size, 1), 0.1, dtype), np.zeros((FREE, 1), dtype))
    return [jnp.asarray(part) for part in (drive, demand, *start, np.ones((1, 1), dtype))]


def _solve(given: list[jax.Array], branches: Branches = BRANCHES, groups=None, **options):
    chosen = {"tolerance": 1e-13, "maximum_iterations": 30, "interpret": True} | options
    groups = _groups(given[0].dtype) if groups is None else groups
    return jax.jit(lambda given: solve(branches, groups, given, **chosen))(given)


def _residuals(flow: np.ndarray, pressure: np.ndarray, drive: np.ndarray, demand: np.ndarray):
    drop = STIFFNESS[:, None] * np.concatenate([flow[:5] + flow[:5] ** 3, flow[5:]])
    at_nodes = np.concatenate([pressure, np.zeros((1, pressure.shape[1]))])
    balance = np.zeros_like(at_nodes)
    balance[:FREE] += demand
    np.add.at(balance, FROM, flow)
    np.add.at(balance, TO, -flow)
    return drop - drive - (at_nodes[FROM] - at_nodes[TO]), balance[:FREE]


@pytest.mark.parametrize("options", [{}, {"width": 2, "programs": 1}])
def test_flows_balance_in_every_lane(options: dict):
    drives = np.array([0.0, 1.0, -3.0, 50.0, 1e3])
    given = _given(drives)
    flow, pressure, residual, iterations, result, _ = _solve(given, **options)
    assert result.tolist() == [CONVERGED] * 5
    assert np.all(residual <= 1e-13)
    assert len(set(iterations.tolist())) > 1
    at_branches, at_nodes = _residuals(np.asarray(flow), np.asarray(pressure), np.asarray(given[0]), given[1])
    scale = np.maximum(np.abs(drives), 1.0)
    np.testing.assert_allclose(at_branches / scale, 0.0, atol=1e-13)
    np.testing.assert_allclose(at_nodes, 0.0, atol=1e-12)


def test_how_lanes_end():
    given = _given(np.array([1.0, np.nan, 1e3, 1.0]))
    starts = jnp.repeat(given[2], 4, axis=-1).at[2, 3].set(np.nan)
    flow, _, residual, iterations, result, worst = _solve([*given[:2], starts, *given[3:]], maximum_iterations=3)
    assert result.tolist() == [MAXIMUM_ITERATIONS, NOT_FINITE, MAXIMUM_ITERATIONS, NOT_FINITE]
    assert iterations.tolist() == [3, 0, 3, 0]
    assert np.all(np.isnan(np.asarray(residual)[[1, 3]]))
    assert worst.tolist()[1::2] == [0, 2]
    assert np.all(np.isfinite(np.asarray(flow)[:, [0, 2]]))


def test_a_step_is_that_of_the_dense_system():
    random = np.random.default_rng(4)
    lanes = 3
    flow = random.uniform(-1.0, 1.0, (FROM.size, lanes))
    right = random.normal(size=(FROM.size, 1)), random.normal(size=(FREE, lanes))
    found = jax.jit(lambda *given: step(BRANCHES, _groups(), given, interpret=True))(flow, *right)
    incidence = np.zeros((FROM.size, FREE + 1))
    np.add.at(incidence, (np.arange(FROM.size), FROM), 1.0)
    np.add.at(incidence, (np.arange(FROM.size), TO), -1.0)
    incidence = incidence[:, :FREE]
    for lane in range(lanes):
        slopes = STIFFNESS * np.concatenate([1.0 + 3.0 * flow[:5, lane] ** 2, np.ones(3)])
        matrix = np.block([[np.diag(slopes), -incidence], [incidence.T, np.zeros((FREE, FREE))]])
        expected = np.linalg.solve(matrix, np.concatenate([right[0][:, 0], right[1][:, lane]]))
        np.testing.assert_allclose(np.concatenate([part[:, lane] for part in found]), expected, rtol=1e-12)


def test_without_a_free_node_every_branch_is_alone():
    branches = Branches(None, (0, 0), (0, 0))
    given = [
        jnp.asarray([[1.0], [6.0]]),
        jnp.zeros((0, 1)),
        jnp.ones((2, 1)),
        jnp.zeros((0, 1)),
        jnp.ones((1, 1)),
    ]
    groups = [Group(2, _linear, (jnp.asarray([[2.0]]),))]
    flow, pressure, _, _, result, _ = _solve(given, branches, groups)
    np.testing.assert_allclose(flow, [[0.5], [3.0]])
    assert pressure.shape == (0, 1)
    assert result.tolist() == [CONVERGED]


@pytest.mark.parametrize("interpret", [True, False])
def test_no_lanes(interpret: bool):
    found = _solve(_given(np.zeros(0)), interpret=interpret)
    assert [each.shape for each in found] == [(FROM.size, 0), (FREE, 0), (0,), (0,), (0,), (0,)]
    assert [each.dtype for each in found] == [np.float64] * 3 + [np.int32] * 3


def test_single_precision_ends_at_its_round_off():
    flow, *_, result, _ = _solve(_given(np.array([1.0, 80.0]), np.float32))
    assert flow.dtype == np.float32
    assert result.tolist() == [CONVERGED] * 2


def test_scratch_takes_its_share_of_the_memory_at_most(monkeypatch: pytest.MonkeyPatch):
    memory, lanes = 60_000, 1000
    monkeypatch.setattr(calls, "_memory", lambda: float(memory))
    call = functools.partial(solve, BRANCHES, _groups(), tolerance=1e-6, maximum_iterations=9, interpret=False)
    check_scratch(call, _given(np.ones(lanes)), lanes, memory)


def test_entries_must_be_those_of_the_branches():
    other = analyse(*both_ways(FREE, np.array([0]), np.array([3])), FREE)
    with pytest.raises(ValueError, match="the diagonal, then inner branches"):
        _solve(_given(np.ones(1)), Branches(other, BRANCHES.from_node, BRANCHES.to_node))


def test_lowers_for_nvidia_gpus():
    options = {"tolerance": 1e-6, "maximum_iterations": 9, "interpret": False}
    assert triton_calls(lambda given: solve(BRANCHES, _groups(), given, **options), _given(np.ones(40))) == [
        "voltherm_coolant"
    ]


def test_constants_are_those_of_the_plain_iteration():
    for name in ("_LEAST_SLOPE", "_LEAST_SCALE", "_FULL_STEPS", "_RELAXATION", "_ROUND_OFF_FLOOR", "_STALLED"):
        assert getattr(global_gradient_tile, name) == getattr(global_gradient, name)
