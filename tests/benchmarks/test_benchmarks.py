"""What the benchmarks are made of: options, records, paces. Nothing is timed here, and no building is solved."""

import importlib
import json
import sys

import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks.bench_building import summarised as building_summarised
from benchmarks.bench_simulate import summarised as simulate_summarised
from benchmarks.bench_sweep import pace
from benchmarks.building_start import STAGES, arrays, compiled_in_stages
from benchmarks.measurement import FOLDER, Measurement, Times, peak_memory, present, readable, run_child, timed
from benchmarks.simulate_start import dry_bulb, outage

NAMES = sorted(file.stem.removeprefix("bench_") for file in FOLDER.glob("bench_*.py"))


@pytest.mark.parametrize("name", NAMES)
def test_every_benchmark_says_how_it_is_used(name, capsys):
    with pytest.raises(SystemExit) as ended:
        importlib.import_module(f"benchmarks.bench_{name}").main(["--help"])
    assert ended.value.code == 0
    assert f"python -m benchmarks.bench_{name}" in capsys.readouterr().out
    assert f"`{name}`" in (FOLDER / "README.md").read_text(encoding="utf-8")


def test_pace_leaves_out_what_the_first_round_waits_for():
    # two devices: a round of two chunks of 64 every 4 s after a first one at 30 s
    rounds = [30.0, 30.1, 34.0, 34.1, 38.0, 38.1, 42.0, 42.1]
    found = pace(rounds, designs=512, chunk=64)
    assert (found.first, found.done) == (30.1, 128)
    assert found.rate == pytest.approx(32.0)
    assert found.seconds(10_000) == pytest.approx(30.1 + (10_000 - 128) / 32.0)
    assert found.seconds(100) == 30.1


def test_pace_of_one_round_is_that_of_the_whole():
    found = pace([20.0], designs=40, chunk=64)
    assert (found.done, found.rate) == (40, 2.0)


def test_times_memory_and_output_of_a_child():
    child = run_child([sys.executable, "-c", "print('done')"])
    assert child.output == "done\n"
    assert child.times.wall[0] > 0.0
    assert 1e6 < child.peak_memory < 1e12
    assert 1e7 < peak_memory() < 1e12
    with pytest.raises(RuntimeError, match="ended with 3: no luck"):
        run_child([sys.executable, "-c", "import sys; sys.stderr.write('no luck'); sys.exit(3)"])


def test_stages_of_a_compilation_and_repetitions():
    compiled, stages = compiled_in_stages(lambda x, name: {name: 2.0 * x}, jnp.ones(3), "doubled")
    assert tuple(stages) == STAGES
    assert min(stages.values()) >= 0.0
    traced = arrays((jnp.ones(3), "doubled"))
    assert compiled(traced)["doubled"].tolist() == [2.0, 2.0, 2.0]
    assert len(timed(lambda: compiled(traced), 3).wall) == 3


def test_the_day_loses_heat_rejection_for_ten_minutes_at_noon():
    assert outage(24.0) == "heat rejection lost at 43200 s; heat rejection restored at 43800 s over 0 s"
    course = dry_bulb(15.0 * np.arange(5760), 316.15, 13.0)
    assert course.argmax() * 15.0 == 15 * 3600.0
    assert course.max() == pytest.approx(316.15)
    assert course.min() == pytest.approx(303.15)


def test_records_become_a_table_and_a_file(tmp_path, capsys):
    stages = dict.fromkeys(STAGES, 1.0)
    times = {"wall": [0.04, 0.05, 0.06], "processor": [0.04, 0.04, 0.05]}
    day = times | {"result": "CONVERGED", "iterations": 13, "residual": 2e-11}
    start = {
        "ready": 1.0,
        "first_answer": 20.0,
        "stages": stages,
        "days": {"hot day": day},
        "peak_memory_of_solve": 10**9,
        "gradient": times | {"numbers": 176, "finite": True, "stages": stages},
        "peak_memory": 2 * 10**9,
    }
    course = {
        "wall": [5.0, 60.0],
        "processor": [5.0, 80.0],
        "peak_memory": [10**9, 10**9],
        "steps": [5760, 5760],
        "ended": "",
        "first_limit": "none",
        "imbalance": 1e-13,
        "facility_supply": [300.0, 310.0],
        "smallest_margin": 4.0,
    }
    found = [*building_summarised(start, start), *simulate_summarised("a day", course, course)]
    found.append(Measurement("quick", Times((2e-5,), ())))
    file = present("fabricated", found, tmp_path)
    record = json.loads(file.read_text(encoding="utf-8"))
    assert record["machine"]["cores"] >= 1
    assert record["measurements"][0]["median_seconds"] == 0.05
    assert record["measurements"][-1]["median_processor_seconds"] is None
    printed = capsys.readouterr().out
    assert "10.4 ms" in printed  # of a step: 60 s over 5,760
    assert "20 us" in printed


@pytest.mark.parametrize(
    ("seconds", "text"), [(3.2e-6, "3.2 us"), (0.05, "50 ms"), (2.344, "2.34 s"), (503.06, "503 s")]
)
def test_times_are_readable(seconds, text):
    assert readable(seconds) == text
