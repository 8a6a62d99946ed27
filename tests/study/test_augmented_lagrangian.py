import jax
import jax.numpy as jnp
import numpy as np
import pytest

from voltherm.study.augmented_lagrangian import Settings, minimise
from voltherm.study.errors import ForeignCheckpointError, NoSteadyStateError

QUICK = Settings(iterations=600, round_length=50)


def rosenbrock_in_a_disk(unit, arguments):
    """Least value 0.045675 at (0.786415, 0.617698) on the unit circle; 1 is added to keep the scale of the start."""
    x, y = 4.0 * unit - 2.0
    return (1.0 - x) ** 2 + 100.0 * (y - x**2) ** 2 + 1.0, {
        "disk": x**2 + y**2 - 1.0,
        "far away": jnp.stack([x - 10.0, y - 10.0]),
    }


def linear(unit, arguments):
    """Least 3.5 at (0.5, 0): one constraint and one bound are active."""
    return 3.0 + unit[0] + arguments["slope"] * unit[1], {"sum": 0.5 - unit[0] - unit[1]}


def test_rosenbrock_in_a_disk():
    found = minimise(rosenbrock_in_a_disk, np.array([0.4, 0.6]), settings=QUICK)
    np.testing.assert_allclose(4.0 * found.unit - 2.0, [0.786415, 0.617698], atol=2e-5)
    assert found.objective - 1.0 == pytest.approx(0.0456748, abs=1e-6)
    assert found.feasible
    assert found.active == ("disk",)
    assert found.constraints["disk"] <= 0.0
    assert found.multipliers["far away"].tolist() == [0.0, 0.0]
    assert found.stationarity < 2e-3
    assert found.complementarity < 1e-6
    assert found.history["unit"].shape == (600, 2)
    assert np.all(np.isfinite(found.history["objective"]))


def test_bound_and_constraint_active():
    found = minimise(linear, np.array([0.9, 0.9]), {"slope": jnp.asarray(2.0)}, settings=QUICK)
    np.testing.assert_allclose(found.unit, [0.5, 0.0], atol=1e-4)
    assert found.feasible
    assert found.active == ("sum",)
    # relaxing the sum by one lowers the objective by one
    assert found.multipliers["sum"] == pytest.approx(1.0, rel=0.01)


def test_without_constraints():
    found = minimise(lambda unit, _: (1.0 + jnp.sum((unit - 0.3) ** 2), {}), np.array([0.9, 0.1, 0.5]), settings=QUICK)
    np.testing.assert_allclose(found.unit, 0.3, atol=1e-5)
    assert found.feasible
    assert found.active == ()


def test_start_outside_the_feasible_set_and_a_set_that_is_empty():
    found = minimise(linear, np.array([0.0, 0.0]), {"slope": jnp.asarray(2.0)}, settings=QUICK)
    np.testing.assert_allclose(found.unit, [0.5, 0.0], atol=1e-3)
    assert found.feasible

    def impossible(unit, arguments):
        return 1.0 + unit[0], {"never": 0.1 + unit[0] ** 2}

    found = minimise(impossible, np.array([0.5]), settings=Settings(iterations=60, round_length=10))
    assert not found.feasible
    assert found.active == ("never",)


def test_designs_without_solution_are_walked_away_from():
    def hole(unit, arguments):
        return jnp.where(unit[0] < 0.35, jnp.nan, 1.0 + (unit[0] - 0.36) ** 2 + 0.3 * unit[0]), {}

    found = minimise(hole, np.array([0.95]), settings=Settings(iterations=300, learning_rate=0.1))
    assert np.any(~np.isfinite(found.history["objective"]))
    assert 0.35 <= found.unit[0] < 0.37
    assert np.isfinite(found.objective)


def test_start_without_solution_is_refused():
    with pytest.raises(NoSteadyStateError, match="has no solution"):
        minimise(lambda unit, _: (jnp.log(unit[0] - 2.0), {}), np.array([0.5]))


def test_checkpoint_goes_on_along_the_same_trajectory(tmp_path):
    settings = Settings(iterations=80, round_length=10)
    whole = minimise(rosenbrock_in_a_disk, np.array([0.4, 0.6]), settings=settings)
    file = tmp_path / "tune.checkpoint"

    def stop(done, objective, violation):
        if done == 33:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        minimise(rosenbrock_in_a_disk, np.array([0.4, 0.6]), settings=settings, checkpoint=file, progress=stop)
    steps = []
    resumed = minimise(
        rosenbrock_in_a_disk,
        np.array([0.4, 0.6]),
        settings=settings,
        checkpoint=file,
        resume=True,
        progress=lambda done, *_: steps.append(done),
    )
    assert steps == list(range(34, 81))
    for name, column in whole.history.items():
        np.testing.assert_array_equal(resumed.history[name], column)
    np.testing.assert_array_equal(resumed.unit, whole.unit)
    with pytest.raises(ForeignCheckpointError, match="differs in settings"):
        minimise(
            rosenbrock_in_a_disk,
            np.array([0.4, 0.6]),
            settings=Settings(iterations=90, round_length=10),
            checkpoint=file,
            resume=True,
        )


def test_a_foreign_checkpoint_is_refused_before_anything_is_compiled(tmp_path):
    file = tmp_path / "tune.checkpoint"
    file.write_bytes(b'{"format": "voltherm checkpoint 1"}\n')
    traces = []

    def counted(unit, arguments):
        traces.append(None)
        return rosenbrock_in_a_disk(unit, arguments)

    with pytest.raises(ForeignCheckpointError, match="a checkpoint of another study"):
        minimise(counted, np.array([0.4, 0.6]), settings=QUICK, checkpoint=file, resume=True)
    # the one that asks for the shape of its constraints
    assert len(traces) == 1


def test_single_precision():
    found = minimise(linear, np.array([0.9, 0.9]), {"slope": jnp.asarray(2.0)}, settings=Settings(iterations=20))
    assert found.unit.dtype == np.float64
    with jax.enable_x64(False):
        found = minimise(linear, np.array([0.9, 0.9]), {"slope": jnp.asarray(2.0, jnp.float32)}, settings=QUICK)
    assert found.unit.dtype == np.float32
    np.testing.assert_allclose(found.unit, [0.5, 0.0], atol=1e-3)
