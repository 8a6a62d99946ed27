import importlib.metadata

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from voltherm_kernels import analyse, dispatch, library, native, pallas, solve
from voltherm_kernels.dispatch import IMPLEMENTATIONS, requested, resolve


def test_auto_is_one_of_the_table_everywhere():
    for platform in ("cpu", "cuda", "tpu"):
        for dtype in (np.float32, np.float64, np.complex128):
            assert resolve("auto", platform, dtype) in IMPLEMENTATIONS


def test_auto_is_xla_where_nothing_else_runs():
    assert resolve("auto", "cpu", np.complex128) == "xla"
    assert resolve("auto", "cuda", np.complex128) == "xla"
    assert resolve("auto", "tpu", np.float32) == "xla"


def test_auto_is_pallas_on_nvidia_gpus():
    for dtype in (np.float32, np.float64):
        assert resolve("auto", "cuda", dtype) == "pallas"
        assert resolve("auto", "cuda", dtype, partitioned=True) == "xla"


def test_pallas_by_name_is_interpreted_on_cpus_and_runs_nowhere_else():
    assert resolve("pallas", "cpu", np.float64) == "pallas"
    for platform, dtype in (("cuda", np.complex64), ("cpu", np.complex128), ("rocm", np.float32)):
        with pytest.raises(ValueError, match="implementation 'pallas' takes float32 and float64 on cuda"):
            resolve("pallas", platform, dtype)


def test_pallas_that_cannot_be_imported_says_why(monkeypatch: pytest.MonkeyPatch):
    def broken() -> None:
        raise ImportError("no Triton here")

    monkeypatch.setattr(pallas, "_calls", broken)
    pallas.why_not.cache_clear()
    assert resolve("auto", "cuda", np.float64) == "xla"
    with pytest.raises(ValueError, match=r"'pallas' cannot run here: .*no Triton here"):
        requested("pallas")
    pallas.why_not.cache_clear()


def test_unknown_name_says_what_there_is():
    schedule = analyse(np.array([0]), np.array([0]), 1)
    with pytest.raises(ValueError, match=r"no implementation 'fast'; there are: auto, .*xla"):
        solve(schedule, jnp.ones(1), jnp.ones(1), implementation="fast")


def test_native_without_its_library_says_why(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(native, "_loaded", lambda: library.Loaded(None, "the library was not built"))
    assert dispatch.unavailable("native") == "the library was not built"
    with pytest.raises(ValueError, match="cannot run here: the library was not built"):
        requested("native")
    assert resolve("auto", "cpu", np.float64) == "xla"
    with pytest.raises(RuntimeError, match="was not built"):
        native.instructions()


def test_program_for_another_platform_uses_xla():
    schedule = analyse(np.array([0, 1, 0, 1]), np.array([0, 1, 1, 0]), 2)
    function = jax.jit(lambda values: solve(schedule, values, jnp.ones(2)))
    text = function.trace(jnp.ones(4)).lower(lowering_platforms=("tpu",)).as_text()
    assert "custom_call @voltherm" not in text
    assert "triton" not in text


def test_a_library_of_other_sources_is_not_used(monkeypatch: pytest.MonkeyPatch):
    if native.why_not():
        pytest.skip(native.why_not())
    monkeypatch.setattr(library, "_digest", lambda: 1)
    assert "built from other sources" in library.load.__wrapped__().why_not
    monkeypatch.setattr(library, "_digest", lambda: None)
    assert library.load.__wrapped__().why_not == ""


def test_a_library_that_was_installed_is_used():
    installed = importlib.metadata.files("voltherm") or ()
    if any(file.match("libvoltherm_kernels.*") for file in installed):
        assert native.why_not() == ""
