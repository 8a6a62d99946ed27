import numpy as np
import pytest
from voltherm_kernels import analyse
from voltherm_kernels.cost import H200, WARP, traffic
from voltherm_kernels.pallas.tables import tables

from tests.kernels.patterns import analysed, both_ways, chain


def test_counts_of_two_nodes_by_hand():
    schedule = analyse(np.array([0, 1, 0, 1]), np.array([0, 1, 1, 0]), 2)
    found = traffic(schedule)
    table_bytes = sum(table.nbytes for table in tables(schedule)) / WARP
    # 4 values; D_0, L, V, D_1 written; L and V for D_1; D_0 for L; D_1, V, D_0 in the backward sweep
    blocks = 4 + 4 + 2 + 1 + 3
    # two right-hand sides read, two y written, y_0 for y_1; two y read, x_1 for x_0, two x written
    vectors = 2 + 2 + 1 + 2 + 1 + 2
    assert found.bytes == 8 * (blocks + vectors) + table_bytes
    # as many numbers as there are: 4 values, 4 blocks out and in, right-hand side and solution
    assert found.least_bytes == 8 * (4 + 2 * 4 + 2 * 2) + table_bytes
    # values are added, two inverses; D and y (2 flops each), L D^-1, backward: V x and D^-1 twice
    assert found.flops == 4 + 2 + (2 + 2) + 2 + 2 + 4
    assert found.factor_bytes == 8 * 4


def test_a_symmetric_matrix_costs_one_triangle():
    ring = (np.array([0, 1, 2, 3]), np.array([1, 2, 3, 0]))
    schedule = analyse(*both_ways(4, *ring), 4)
    whole, half = traffic(schedule), traffic(schedule, symmetric=True)
    # four entries; one pair in the front of each of the first two nodes, of two products each
    pairs = int(tables(schedule).pair_start[schedule.fill])
    assert pairs == 2
    assert whole.bytes - half.bytes == 8 * (4 + 2 * pairs)
    assert whole.flops - half.flops == 4 + 2 * pairs


def test_predicted_time_is_the_larger_of_both_limits():
    for schedule in (analysed(40, 1, seed=1), analysed(10, 6, seed=2)):
        for dtype in (np.float32, np.float64):
            found = traffic(schedule, dtype)
            rate = H200.double_precision if dtype == np.float64 else H200.single_precision
            assert found.seconds == pytest.approx(max(found.bytes / H200.bandwidth, found.flops / rate), rel=1e-15)
            assert found.least_seconds <= found.seconds
            assert found.cached_lanes == H200.cache // found.factor_bytes


def test_a_tree_costs_in_proportion_to_its_nodes():
    small, large = (traffic(analyse(*chain(size), size, slack=0)) for size in (1000, 10000))
    for one, ten in zip(small[:3], large[:3], strict=True):
        assert ten == pytest.approx(10 * one, rel=0.01)
