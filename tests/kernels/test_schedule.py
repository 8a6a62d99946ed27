import numpy as np
import pytest
from voltherm_kernels import analyse

from tests.kernels.patterns import chain, random_graph


def test_equal_patterns_are_equal_and_hash_alike():
    first, second, other = analyse(*chain(9), 9), analyse(*chain(9), 9), analyse(*chain(9), 9, 2)
    assert first == second
    assert hash(first) == hash(second)
    assert len({first, second, other}) == 2
    assert first != "a schedule"
    assert "size=9" in repr(first)


def test_order_of_entries_is_part_of_the_pattern():
    rows, columns = chain(5)
    assert analyse(rows, columns, 5) != analyse(rows[::-1], columns[::-1], 5)


def test_arrays_are_read_only():
    schedule = analyse(*chain(5), 5)
    with pytest.raises(ValueError, match="read-only"):
        schedule.order[0] = 1


@pytest.mark.parametrize("slack", [0, 2])
def test_every_product_stands_once_and_after_what_it_reads(slack: int):
    schedule = analyse(*random_graph(40, 70, seed=4), 40, slack=slack)
    pivots = schedule.product_steps[:, 1]
    assert (pivots != schedule.identity_slot).sum() == schedule.products
    np.testing.assert_array_equal(np.sort(schedule.pivot_steps[schedule.pivot_steps < 40]), np.arange(40))
    finished: set[int] = set()
    for first_pivot, last_pivot, first_product, last_product in schedule.level_steps:
        inverted = set(schedule.pivot_steps[first_pivot:last_pivot].ravel()) - {schedule.identity_slot}
        lower, pivot, upper, target = schedule.product_steps[first_product:last_product].swapaxes(0, 1)
        real = pivot != schedule.identity_slot
        assert set(pivot[real]) <= inverted
        finished |= inverted | set(lower[real]) | set(upper[real])
        assert not finished & set(target[real])


def test_padding_touches_only_its_own_blocks():
    schedule = analyse(*random_graph(40, 70, seed=5), 40)
    padded = schedule.product_steps[:, 1] == schedule.identity_slot
    for kind in (0, 2, 3):
        assert np.all(schedule.product_steps[:, kind][padded] == schedule.zero_slot)


def test_padding_stays_bounded():
    schedule = analyse(*random_graph(200, 260, seed=6), 200)
    steps, _, width = schedule.product_steps.shape
    assert steps * width <= 3 * schedule.products


@pytest.mark.parametrize(
    ("rows", "columns", "size", "block_size", "message"),
    [
        ([0, 1], [0], 2, 1, "one length"),
        ([0, 2], [0, 2], 2, 1, "rows must lie in 0 .. 1"),
        ([0, -1], [0, 0], 2, 1, "rows must lie in 0 .. 1"),
        ([0], [0], 0, 1, "at least 1"),
        ([0], [0], 1, 0, "at least 1"),
        ([0.5], [0], 1, 1, "integers"),
    ],
)
def test_indices_that_do_not_fit_are_refused(rows, columns, size: int, block_size: int, message: str):
    with pytest.raises(ValueError, match=message):
        analyse(np.array(rows), np.array(columns), size, block_size)
