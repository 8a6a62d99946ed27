import numpy as np
import pytest
from voltherm_kernels import analyse, cache, library

from tests.kernels.patterns import both_ways, chain, grid, random_graph, random_tree


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


def test_targets_are_those_of_the_padded_products():
    schedule = analyse(*random_graph(40, 70, seed=7), 40)
    _, pivot, _, target = schedule.product_steps.swapaxes(0, 1).reshape(4, -1)
    np.testing.assert_array_equal(schedule.product_target, target[pivot != schedule.identity_slot])


def test_target_of_a_product_is_the_block_of_its_row_and_column():
    schedule = analyse(*random_graph(30, 60, seed=8), 30)
    slot_of = {(k, k): k for k in range(30)}
    for number, (pivot, neighbour) in enumerate(zip(schedule.fill_pivot, schedule.fill_neighbour, strict=True)):
        slot_of[neighbour, pivot] = 30 + number
        slot_of[pivot, neighbour] = 30 + schedule.fill + number
    expected = []
    for pivot in range(30):
        front = schedule.fill_neighbour[schedule.front_start[pivot] : schedule.front_start[pivot + 1]]
        assert np.all(np.diff(front) > 0)
        assert schedule.parent[pivot] == (front[0] if front.size else -1)
        expected += [slot_of[row, column] for row in front for column in front]
    np.testing.assert_array_equal(schedule.product_target, expected)
    at = zip(schedule.position[schedule.rows], schedule.position[schedule.columns], strict=True)
    np.testing.assert_array_equal(schedule.entry_slot, [slot_of[place] for place in at])


def _star(size: int) -> tuple[np.ndarray, np.ndarray]:
    return both_ways(size, np.zeros(size - 1, dtype=np.int64), np.arange(1, size))


@pytest.mark.parametrize(("pattern", "levels"), [(_star, 2), (chain, 50), (lambda size: random_tree(size, 1), None)])
def test_tree_is_recognised(pattern, levels: int | None):
    schedule = analyse(*pattern(100), 100)
    assert schedule.is_tree
    assert schedule.fill == schedule.products == 99
    assert levels is None or schedule.levels <= levels + 1


def test_several_trees_are_recognised_and_a_ring_is_not():
    rows, columns = random_tree(50, seed=9)
    assert analyse(np.concatenate([rows, rows + 50]), np.concatenate([columns, columns + 50]), 101).is_tree
    assert not analyse(np.concatenate([chain(50)[0], [49]]), np.concatenate([chain(50)[1], [0]]), 50).is_tree


@pytest.mark.parametrize("pattern", [_star, chain, lambda size: random_tree(size, 2)], ids=["star", "chain", "random"])
@pytest.mark.skipif(library.load().library is None, reason=library.load().why_not or "built")
def test_large_tree_is_recognised_and_its_tables_are_small(pattern, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(cache, "_SMALLEST", 10**9)
    size = 100_000
    rows, columns = pattern(size)
    schedule = analyse(rows, columns, size)
    assert schedule.is_tree
    assert schedule.fill == size - 1
    for table, items in (
        (schedule.pivot_steps, size),
        (schedule.product_steps, schedule.products),
        (schedule.sweep_steps, schedule.fill),
    ):
        assert table.shape[0] * table.shape[2] <= 4 * items + 1000


@pytest.mark.skipif(library.load().library is None, reason=library.load().why_not or "built")
def test_products_of_a_network_of_9241_nodes_stay_few(monkeypatch: pytest.MonkeyPatch):
    """A tree with half as many chords again, all short, as power grids are. Its time: `benchmarks.bench_analysis`."""
    monkeypatch.setattr(cache, "_SMALLEST", 10**9)
    size = 9241
    generator = np.random.default_rng(10)
    node = np.arange(1, size)
    tree = np.maximum(0, node - 1 - generator.exponential(6.0, size - 1).astype(np.int64))
    chord = generator.integers(0, size - 30, size // 2)
    ends = chord + generator.integers(2, 30, chord.size)
    pattern = both_ways(size, np.concatenate([node, chord]), np.concatenate([tree, ends]))
    schedule = analyse(*pattern, size, 2)
    assert 15 * size < schedule.products < 60 * size


def test_tables_are_built_when_they_are_wanted():
    schedule = analyse(*grid(6, 6), 36)
    assert not [name for name in vars(schedule) if name.endswith("_steps") or name == "product_target"]
    assert schedule.product_target is schedule.product_target
    assert schedule.product_steps.dtype == np.int32
    for name in ("product_target", "pivot_steps", "product_steps", "level_steps", "sweep_steps"):
        assert not getattr(schedule, name).flags.writeable


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
