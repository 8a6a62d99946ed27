"""Rows, records, tables and predictions of the kernel benchmarks. Nothing is timed, and no peer is needed."""

import json
from dataclasses import asdict, replace
from types import SimpleNamespace

import jax
import numpy as np
import pytest
from voltherm_kernels import analyse
from voltherm_kernels.cost import Machine, traffic

from benchmarks.kernels import __main__ as command
from benchmarks.kernels import gpu, others
from benchmarks.kernels.cases import named
from benchmarks.kernels.interleaved import Elapsed, in_turns
from benchmarks.kernels.measure_row import compared, measure
from benchmarks.kernels.prepare import prepared
from benchmarks.kernels.row import Row, read, replaced, write
from benchmarks.kernels.table import BEGIN, END, aligned, inserted, machine_file, main, markdown
from benchmarks.kernels.traffic import Effort, newton_step
from benchmarks.kernels.workload import choice, default_implementation
from benchmarks.measurement import FOLDER

_PROMISED = (
    "suite case batch implementation us_per_scenario peer peer_us_per_scenario ratio gradient_ratio",
    "iterations residual tolerance compile_s peak_mb",
)
PROMISED = [name for part in _PROMISED for name in part.split()]

ROW = Row(
    "power",
    "case118",
    4096,
    "native",
    us_per_scenario=4.0,
    peer="lightsim2grid",
    peer_us_per_scenario=18.0,
    ratio=4.5,
    gradient_ratio=1.15,
    iterations=3.0,
    residual=4e-12,
    tolerance=1e-8,
    compile_s=5.5,
    peak_mb=419.0,
    processor_us_per_scenario=8.0,
    peer_processor_us_per_scenario=34.0,
)
MACHINE = {"processor": "Example 9000", "jax": "0.10.2", "commit": "abc1234", "lightsim2grid": None}


def test_a_record_has_the_promised_fields_and_survives_the_file(tmp_path):
    file = tmp_path / "out" / "kernels.json"
    alone = Row("coolant", "net3", 2048, "xla", note="no peer: wntr is not installed")
    write(file, [ROW, alone])
    stored = json.loads(file.read_text(encoding="utf-8"))
    assert list(stored[0])[: len(PROMISED)] == PROMISED
    assert stored[1]["peer"] is stored[1]["ratio"] is None
    assert read(file) == [ROW, alone]
    assert [path.name for path in file.parent.iterdir()] == ["kernels.json"]
    assert read(tmp_path / "nothing.json") == []


def test_a_newer_row_takes_the_place_of_its_predecessor():
    other = Row("power", "case118", 4096, "xla")
    newer = replace(ROW, us_per_scenario=3.0)
    assert replaced([ROW, other], newer) == [newer, other]
    assert replaced([other], ROW) == [other, ROW]


def test_tables_for_the_terminal_and_for_documents(tmp_path, capsys):
    failed = Row("coolant", "net3", 2048, "native", failed=True, note="12 of 2048 scenarios not solved")
    printed = aligned([ROW, failed])
    lines = printed.splitlines()
    assert len({len(line) for line in lines[:3]}) == 1
    assert lines[3].strip() == failed.note
    file = tmp_path / "kernels.json"
    write(file, [ROW, failed])
    machine_file(file).write_text(json.dumps(MACHINE), encoding="utf-8")
    main(["--record", str(file)])
    text = capsys.readouterr().out
    assert text.strip() == markdown([ROW, failed], MACHINE)
    assert "Example 9000" in text
    assert "abc1234" in text
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len(table) == 4
    assert len({line.count("|") for line in table}) == 1
    assert "| 4.5 | 3 | 4.25 |" in table[2]  # ratio, goal, ratio of processor times
    document = tmp_path / "README.md"
    document.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    for _ in range(2):
        main(["--record", str(file), "--into", str(document)])
        assert document.read_text(encoding="utf-8") == f"before\n{BEGIN}\n{text.strip()}\n{END}\nafter\n"
    with pytest.raises(ValueError, match="has no <!--"):
        inserted("nothing", "table")
    with pytest.raises(SystemExit):
        main(["--record", str(tmp_path / "nothing.json")])


def test_the_document_has_a_place_for_the_table():
    inserted((FOLDER / "README.md").read_text(encoding="utf-8"), "table")


def test_jobs_take_turns_after_a_round_that_does_not_count():
    calls = []

    def job(name, times):
        left = iter(times)

        def run():
            calls.append(name)
            return Elapsed(next(left), 1.0)

        return run

    medians = in_turns({"a": job("a", [90.0, 1.0, 2.0, 9.0]), "b": job("b", [90.0, 5.0, 4.0, 6.0])}, 3)
    assert "".join(calls) == "abababab"
    assert (medians["a"].wall, medians["b"].wall) == (2.0, 5.0)


@pytest.mark.parametrize(
    ("ours", "failed"),
    [([[1.0, 2.0]], False), ([[1.0, 2.0 + 1e-5]], True), ([[np.nan, np.nan]], True)],
    ids=["same", "different", "unsolved"],
)
def test_answers_have_to_agree(ours, failed):
    peer = SimpleNamespace(name="a peer", result=lambda: np.array([[1.0, 2.0]]))
    row = compared(ROW, np.array(ours), peer, 1e-6)
    assert row.failed is failed
    assert ("differs from a peer" in row.note) is failed


def test_voltages_are_compared_in_per_unit_and_flows_relative_to_the_largest():
    flows = SimpleNamespace(name="", result=lambda: np.array([[100.0, 1.0]]))
    voltages = SimpleNamespace(name="", result=lambda: np.array([[1.0 + 0.0j, 0.5j]]))
    assert compared(ROW, np.array([[100.0, 1.5]]), flows, 1.0).agreement == pytest.approx(5e-3)
    assert compared(ROW, np.array([[1.0, 0.4j]]), voltages, 1.0).agreement == pytest.approx(0.1)


def test_an_implementation_is_asked_for_only_where_the_solve_offers_it():
    def offers(*, implementation="auto"):
        pass

    def offers_none():
        pass

    assert choice(offers, "xla") == {"implementation": "xla"}
    assert choice(offers_none, default_implementation()) == choice(offers_none, "auto") == {}
    with pytest.raises(ValueError, match="cannot be asked"):
        choice(offers_none, "pallas")


def test_a_process_that_ends_badly_leaves_a_row_that_says_so(monkeypatch):
    monkeypatch.setattr(command.subprocess, "run", lambda *_, **__: SimpleNamespace(returncode=-9, stdout=""))
    row, machine = command.measured(named("net3"), "native", 64, 3)
    assert (row.failed, row.note, machine) == (True, "the measuring process ended with -9", None)


def test_ctrl_c_keeps_what_was_measured(tmp_path, monkeypatch, capsys):
    answers = iter([(ROW, MACHINE)])

    def one_then_interrupted(*_):
        for answer in answers:
            return answer
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "measured", one_then_interrupted)
    file = tmp_path / "kernels.json"
    arguments = ["--record", str(file), "--implementations", "native", "--cases", "case118,net3"]
    assert command.main(arguments) == 130
    assert read(file) == [ROW]
    assert "case118" in capsys.readouterr().out


def test_exit_code_and_kept_rows(tmp_path, monkeypatch):
    file = tmp_path / "kernels.json"
    old = Row("coolant", "loop10", 64, "native")
    write(file, [old])
    bad = replace(ROW, failed=True)
    monkeypatch.setattr(command, "measured", lambda *_: (bad, None))
    arguments = ["--record", str(file), "--implementations", "native", "--cases", "case118"]
    assert command.main([*arguments, "--keep"]) == 1
    assert read(file) == [bad, old]  # in the order of the cases
    monkeypatch.setattr(command, "measured", lambda *_: (ROW, None))
    assert command.main(arguments) == 0
    assert read(file) == [ROW]
    with pytest.raises(SystemExit):
        command.main(["--cases", "case119"])


def test_effort_of_a_step_is_the_linear_one_and_the_physics():
    schedule = analyse([0, 1, 0, 1], [0, 1, 1, 0], 2, block_size=2)
    linear, effort = traffic(schedule), newton_step(schedule, 1, "power")
    assert effort.operations == linear.flops + 72 + 2 * 60
    assert effort.touched == linear.bytes + 8 * (8 + 2 * 8)
    assert effort.least == linear.least_bytes + 8 * (8 + 2 * 8)
    half, effort = traffic(schedule, symmetric=True), newton_step(schedule, 3, "coolant")
    assert effort.operations == half.flops + 3 * 250
    assert effort.touched == half.bytes + 8 * (3 * 17 + 2 * 6)
    machine = Machine("a machine", bandwidth=10.0, double_precision=1.0, single_precision=2.0, cache=1.0)
    assert Effort(2.0, 40.0, 10.0).seconds(machine) == 4.0
    assert Effort(2.0, 40.0, 10.0).seconds(machine, touched=False) == 2.0
    assert Effort(1.0, 2.0, 3.0).times(2.0) == (2.0, 4.0, 6.0)


def test_a_chunk_fits_the_memory():
    work = prepared(named("loop10"), 2, "auto").workload
    assert gpu.chunk_size(work, 10_240, 1e12) == 10_240
    small = gpu.chunk_size(work, 10_240, 1e7)
    assert 32 <= small < 10_240
    assert small & (small - 1) == 0
    assert gpu.chunk_size(work, 10_240, 1.0) == 32


def test_without_a_gpu_the_schedule_predicts(monkeypatch, capsys):
    monkeypatch.setattr(gpu, "gpus", list)
    assert gpu.main(["--cases", "loop10"]) == 0
    printed = capsys.readouterr().out
    assert "predicted_us" in printed
    assert printed.strip().endswith("not yet measured on a GPU.")


def test_measuring_on_a_device_checks_it_against_the_cpu(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(gpu, "gpus", lambda: jax.devices("cpu"))
    monkeypatch.setattr(gpu, "CHECKED", 8)
    monkeypatch.setattr(gpu, "chunk_size", lambda *_: 16)
    arguments = ["--cases", "loop10", "--batch", "32", "--repetitions", "1", "--records", str(tmp_path)]
    assert gpu.main(arguments) == 0
    (file,) = tmp_path.glob("kernels-cpu-*.json")
    record = json.loads(file.read_text(encoding="utf-8"))
    row = record["rows"][0]
    assert {"when", "device", "driver", "machine", "rows"} == set(record)
    assert (row["batch"], row["chunk"], row["unsolved"], row["agrees"]) == (32, 16, 0, True)
    assert row["difference_from_cpu"] < 1e-9
    assert 0.0 < row["bandwidth_share"] < 1.0
    assert "loop10" in capsys.readouterr().out


def test_a_small_row_is_whole():
    row = measure(named("loop10"), "auto", 8, 1)
    assert not row.failed
    assert row.residual < row.tolerance
    assert asdict(row)["gradient_ratio"] > 0.0
    assert row.peak_mb > 10.0


def test_further_peers_are_left_out_where_they_are_not_installed(monkeypatch, capsys):
    def missing(*_):
        raise ImportError("no such solver")

    for name in ("grid_model", "sweeps", "linear"):
        monkeypatch.setattr(others, name, missing)
    monkeypatch.setattr(others, "keep_to_two_cores", lambda: None)
    assert others.main(["--quick"]) == 0
    assert capsys.readouterr().err.count("left out: no such solver") == 3


def test_a_row_of_a_further_peer_says_whether_it_agrees():
    jobs = {"ours": lambda: Elapsed(2e-3, 4e-3), "theirs": lambda: Elapsed(8e-3, 8e-3)}
    row = others.compared(named("radial100"), 100, jobs, 1, difference=2e-6, limit=1e-6)
    assert (row["us"], row["peer_us"], row["agrees"]) == (pytest.approx(20.0), pytest.approx(80.0), False)
    assert (row["ratio"], row["processor_ratio"]) == (pytest.approx(4.0), pytest.approx(2.0))
