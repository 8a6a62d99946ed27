import jax
import jax.numpy as jnp
import numpy as np
import pytest

from voltherm.study.design import DesignVariable, DesignVariables, digest, sample

RANGES = DesignVariables.build({"loop.supply_temperature": (300.0, 320.0), "loop.diameter": (0.1, 0.4)})


def test_sobol_fills_the_ranges_evenly_and_by_seed():
    points = sample(RANGES, designs=100, seed=4)
    assert points.shape == (100, 2)
    assert np.all((points >= RANGES.lower) & (points <= RANGES.upper))
    for column, low, high in zip(points.T, RANGES.lower, RANGES.upper, strict=True):
        assert np.mean(column) == pytest.approx(0.5 * (low + high), rel=0.03)
        assert set(np.histogram(column, bins=4, range=(low, high))[0]) <= {24, 25, 26}
    np.testing.assert_array_equal(points, sample(RANGES, designs=100, seed=4))
    assert not np.allclose(points, sample(RANGES, designs=100, seed=5))


def test_more_sobol_designs_keep_the_first_ones():
    np.testing.assert_array_equal(sample(RANGES, designs=50), sample(RANGES, designs=1000)[:50])
    assert sample(RANGES).shape == (1024, 2)
    assert sample(RANGES, designs=1).shape == (1, 2)


def test_sobol_draws_from_listed_values():
    variables = DesignVariables.build(
        [{"path": "pumps", "values": [2, 3, 5]}, {"path": "x", "minimum": 0, "maximum": 1}]
    )
    points = sample(variables, designs=96)
    values, counts = np.unique(points[:, 0], return_counts=True)
    np.testing.assert_array_equal(values, [2.0, 3.0, 5.0])
    assert counts.min() >= 30


def test_grid_takes_every_combination():
    variables = DesignVariables.build([{"path": "a", "values": [1, 2]}, {"path": "b", "minimum": 0, "maximum": 1}])
    points = sample(variables, sampler="grid", designs=7)
    np.testing.assert_allclose(points, [[a, b] for a in (1, 2) for b in (0, 0.5, 1)])
    # 64 = 4^3 exactly: no point lost to rounding of the cube root
    cube = DesignVariables.build(dict.fromkeys("abc", (0.0, 1.0)))
    assert len(sample(cube, sampler="grid", designs=64)) == 64
    listed = DesignVariables.build([{"path": "a", "values": [1, 2]}, {"path": "b", "values": [3]}])
    np.testing.assert_array_equal(sample(listed, sampler="grid"), [[1, 3], [2, 3]])


def test_list_goes_line_by_line():
    variables = DesignVariables.build([{"path": "a", "values": [1, 2, 3]}, {"path": "b", "values": [4, 5, 6]}])
    np.testing.assert_array_equal(sample(variables, sampler="list"), [[1, 4], [2, 5], [3, 6]])
    assert len(sample(variables, sampler="list", designs=2)) == 2


@pytest.mark.parametrize(
    ("variables", "options", "told"),
    [
        ({"a": (2.0, 1.0)}, {}, "a: needs a list of values, or a minimum below its maximum; it has 2 and 1"),
        ([{"path": "a", "minimum": 1}], {}, "a: needs a list"),
        ([{"path": "a", "values": [float("nan")]}], {}, "finite"),
        ([{"path": "a", "mininum": 1, "maximum": 2}], {}, "no mininum"),
        ([], {}, "at least one variable"),
        ([DesignVariable("a", 0.0, 1.0)] * 2, {}, "repeated: a"),
        ({"a": (0.0, 1.0)}, {"sampler": "latin"}, "no sampler 'latin'"),
        ({"a": (0.0, 1.0)}, {"designs": 0}, "at least one design"),
        ({"a": (0.0, 1.0)}, {"sampler": "grid"}, "needs `designs`"),
        ({"a": (0.0, 1.0), "b": (0.0, 1.0)}, {"sampler": "grid", "designs": 3}, "needs 4 for the two ends"),
        ({"a": (0.0, 1.0)}, {"sampler": "list"}, "same number of values"),
    ],
)
def test_mistakes_are_told(variables, options, told):
    with pytest.raises(ValueError, match=told):
        sample(DesignVariables.build(variables), **options)


def test_unit_cube_and_back_traced_and_differentiable():
    values = np.array([[300.0, 0.25], [320.0, 0.4]])
    unit = RANGES.to_unit(values)
    np.testing.assert_allclose(unit, [[0.0, 0.5], [1.0, 1.0]])
    np.testing.assert_allclose(jax.jit(RANGES.from_unit)(jnp.asarray(unit)), values)
    np.testing.assert_allclose(jax.vmap(RANGES.from_unit)(jnp.asarray(unit)), values)
    slope = jax.jacobian(RANGES.from_unit)(jnp.asarray(unit[0]))
    np.testing.assert_allclose(slope, np.diag([20.0, 0.3]))
    assert RANGES.from_unit(jnp.zeros(2, jnp.float32)).dtype == jnp.float32
    np.testing.assert_allclose(RANGES.to_unit(np.array([250.0, 9.0])), [0.0, 1.0])


def test_digest_tells_values_types_and_shapes_apart():
    parts = [np.zeros(2), np.zeros(2, np.float32), np.zeros((2, 1)), np.array([0.0, 1e-300]), "", b"x"]
    assert len({digest(part) for part in parts}) == len(parts)
    assert digest(np.zeros(2)) == digest(np.zeros(2))
