import os
import random
import subprocess
import sys
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.study.resumable import VARIABLES, function
from voltherm.formats.sweep_store import ForeignSweepError, SweepFolder
from voltherm.numerics import ResultCode
from voltherm.study.chunks import Evaluator
from voltherm.study.design import sample
from voltherm.study.store import MemoryStore
from voltherm.study.sweep import SweepProgress, run

SCRIPT = Path(__file__).with_name("resumable.py")


def small(store=None, designs=50, **options):
    options = {"case": "small", "chunk": 8, **options}
    return run(function, None, VARIABLES, sample(VARIABLES, designs=designs, seed=1), store=store, **options)


def contents(folder):
    return {name: (folder / name).read_bytes() for name in ("sweep.h5", "sweep.csv")}


def test_in_memory():
    progress = []
    done = small(progress=progress.append)
    table = done.table()
    assert list(table) == ["design", *VARIABLES.paths, "margin", "power", "result"]
    np.testing.assert_array_equal(table["design"], np.arange(50))
    failed = table["loop.diameter"] > 0.39
    assert done.failed == failed.sum() > 0
    assert done.counts == {ResultCode.CONVERGED: 50 - done.failed, ResultCode.MAXIMUM_ITERATIONS: done.failed}
    np.testing.assert_array_equal(np.isnan(table["power"]), failed)
    expected = jax.vmap(lambda values: function(values, None)[0]["power"])(
        jnp.stack([jnp.asarray(table[path]) for path in VARIABLES.paths], axis=1)
    )
    np.testing.assert_allclose(table["power"][~failed], np.asarray(expected)[~failed], rtol=1e-13)
    assert progress[-1] == SweepProgress(50, 50, done.failed)
    assert [p.done for p in progress] == [16, 32, 48, 50]
    assert len(done.described()) == 2
    assert done.files == ()


def test_interrupted_and_resumed_in_process(tmp_path):
    small(SweepFolder(tmp_path / "whole"))

    def interrupt(progress):
        if progress.done >= 32:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        small(SweepFolder(tmp_path / "cut"), progress=interrupt)
    # the rest on one device: the numbers do not depend on how many there are
    done = small(SweepFolder(tmp_path / "cut"), resume=True, devices=jax.local_devices()[:1])
    assert (done.reused, done.computed) == (4, 3)
    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")
    again = small(SweepFolder(tmp_path / "cut"), resume=True)
    assert (again.reused, again.computed) == (7, 0)
    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")
    np.testing.assert_array_equal(again.table()["power"], small().table()["power"])


@pytest.mark.parametrize(
    ("change", "told"),
    [({"case": "other"}, "case"), ({"chunk": 4}, "chunk"), ({"designs": 60}, "designs, points")],
)
def test_another_sweep_is_not_resumed(tmp_path, change, told):
    small(SweepFolder(tmp_path))
    with pytest.raises(ForeignSweepError, match=f"differs in {told}"):
        small(SweepFolder(tmp_path), resume=True, **change)


def test_what_the_store_refuses_is_refused_before_anything_is_solved(tmp_path):
    def never(values, arguments):
        raise AssertionError("solved")

    points = sample(VARIABLES, designs=50, seed=1)
    small(SweepFolder(tmp_path))
    (tmp_path / "chunks" / "chunk_00003.h5").write_bytes(b"")
    with pytest.raises(ForeignSweepError, match=r"chunk_00003\.h5: truncated"):
        run(never, None, VARIABLES, points, case="small", chunk=8, store=SweepFolder(tmp_path), resume=True)
    # nor is anything solved where nothing is missing
    (tmp_path / "chunks" / "chunk_00003.h5").unlink()
    small(SweepFolder(tmp_path), resume=True)
    done = run(never, None, VARIABLES, points, case="small", chunk=8, store=SweepFolder(tmp_path), resume=True)
    assert (done.reused, done.computed) == (7, 0)


def test_store_in_memory_resumes():
    store = MemoryStore()
    small(store)
    done = small(store, resume=True)
    assert (done.reused, done.computed) == (7, 0)
    assert small(store).computed == 7


def test_narrower_lanes_are_kept_for_the_resume(tmp_path, monkeypatch):
    evaluate = Evaluator._evaluate

    def small_device(self, chunks):
        if self.lanes > 4:
            raise MemoryError
        return evaluate(self, chunks)

    monkeypatch.setattr(Evaluator, "_evaluate", small_device)
    told = []
    first = small(SweepFolder(tmp_path), notice=told.append)
    assert told == list(first.notices) == ["out of memory: from here on 4 designs at a time on a device"]
    again = small(SweepFolder(tmp_path), resume=True)
    assert (again.computed, again.notices) == (0, ())
    assert '"lanes": 4' in (tmp_path / "manifest.json").read_text()


def _start(folder, pause):
    devices = {"JAX_PLATFORMS": "cpu", "XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), str(folder), str(pause)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | devices,
    )
    assert process.stdout.readline() == "ready\n"
    return process


def test_killed_five_times_at_random_moments_gives_the_same_file(tmp_path):
    undisturbed = _start(tmp_path / "undisturbed", 0.0)
    reused, computed = map(int, undisturbed.communicate()[0].split())
    assert (undisturbed.returncode, reused, computed) == (0, 0, 63)

    moments = random.Random(time.time_ns())
    chunks = tmp_path / "killed" / "chunks"
    kept: dict[str, int] = {}
    for _ in range(5):
        before = len(kept)
        process = _start(tmp_path / "killed", 0.05)
        # somewhere within the next few chunks, once there is one more: every run of the five is caught at work
        while len(list(chunks.glob("*.h5"))) <= before and process.poll() is None:
            time.sleep(0.002)
        time.sleep(moments.uniform(0.0, 0.25))
        process.kill()
        process.communicate()
        files = {file.name: file.stat().st_mtime_ns for file in chunks.glob("chunk_*.h5")}
        assert kept.items() <= files.items(), "a finished chunk was written again"
        kept = files
    assert 5 <= len(kept) <= 63
    process = _start(tmp_path / "killed", 0.0)
    reused, computed = map(int, process.communicate()[0].split())
    assert (process.returncode, reused, computed) == (0, len(kept), 63 - len(kept))
    assert contents(tmp_path / "killed") == contents(tmp_path / "undisturbed")
    assert not list((tmp_path / "killed").rglob("*.part"))
