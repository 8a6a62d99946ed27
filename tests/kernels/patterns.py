"""Matrices with structurally symmetric patterns, shared by the kernel tests."""

import numpy as np
from voltherm_kernels import Schedule, analyse


def both_ways(size: int, first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the diagonal and of every edge in both directions."""
    diagonal = np.arange(size)
    return np.concatenate([diagonal, first, second]), np.concatenate([diagonal, second, first])


def chain(size: int) -> tuple[np.ndarray, np.ndarray]:
    """A chain of nodes."""
    return both_ways(size, np.arange(size - 1), np.arange(1, size))


def random_graph(size: int, edges: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Random edges, duplicates and loops among them; may be disconnected."""
    generator = np.random.default_rng(seed)
    return both_ways(size, generator.integers(0, size, edges), generator.integers(0, size, edges))


def random_tree(size: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Every node but the first hangs on an earlier one."""
    generator = np.random.default_rng(seed)
    parents = np.array([generator.integers(0, node) for node in range(1, size)], dtype=np.int64)
    return both_ways(size, np.arange(1, size), parents)


def grid(rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """A rectangular mesh."""
    node = np.arange(rows * columns).reshape(rows, columns)
    first = np.concatenate([node[:-1].ravel(), node[:, :-1].ravel()])
    second = np.concatenate([node[1:].ravel(), node[:, 1:].ravel()])
    return both_ways(rows * columns, first, second)


def regular_values(schedule: Schedule, seed: int, dtype: type = np.float64) -> np.ndarray:
    """Unsymmetric values (entries, b, b) whose diagonal blocks dominate."""
    generator = np.random.default_rng(seed)
    block = schedule.block_size
    values = generator.uniform(-1.0, 1.0, (schedule.entries, block, block))
    degree = np.bincount(schedule.rows, minlength=schedule.size)
    values[: schedule.size] += (2.0 * block * degree)[:, None, None] * np.eye(block)
    return values.astype(dtype)


def dense(schedule: Schedule, values: np.ndarray) -> np.ndarray:
    """The matrix (size b, size b), duplicates summed."""
    size, block = schedule.size, schedule.block_size
    matrix = np.zeros((size, block, size, block), values.dtype)
    for row, column, value in zip(schedule.rows, schedule.columns, values.reshape(-1, block, block), strict=True):
        matrix[row, :, column, :] += value
    return matrix.reshape(size * block, size * block)


def analysed(size: int, block_size: int, seed: int) -> Schedule:
    """A random graph of about twice as many edges as nodes, analysed."""
    return analyse(*random_graph(size, 2 * size, seed), size, block_size)
