import jax.numpy as jnp
import numpy as np

from voltherm.study.random_search import random_search


def bowl(unit, arguments):
    cost = 1.0 + jnp.sum((unit - arguments) ** 2)
    return jnp.where(unit[0] > 0.9, jnp.nan, cost), {"half": 0.5 - unit[:1], "box": unit[1] - 0.8}


def test_best_feasible_point():
    progress = []
    found = random_search(bowl, 2, jnp.asarray(0.2), points=300, chunk=64, progress=lambda *at: progress.append(at))
    assert (found.points, progress[-1]) == (300, (300, 300))
    assert 0.85 * 300 < found.solved < 0.95 * 300
    assert 0.25 * 300 < found.feasible < 0.4 * 300
    np.testing.assert_allclose(found.unit, [0.5, 0.2], atol=0.1)
    assert found.objective == 1.0 + np.sum((found.unit - 0.2) ** 2)
    again = random_search(bowl, 2, jnp.asarray(0.2), points=300, chunk=16)
    np.testing.assert_array_equal(again.unit, found.unit)


def test_nothing_feasible():
    found = random_search(lambda unit, _: (unit[0], {"never": 1.0 + unit[0]}), 1, points=10)
    assert (found.solved, found.feasible) == (10, 0)
    assert np.isnan(found.objective)
    assert np.isnan(found.unit).all()


def test_no_constraints():
    found = random_search(lambda unit, _: (unit[0], {}), 1, points=64)
    assert found.feasible == 64
    assert found.objective < 0.05
