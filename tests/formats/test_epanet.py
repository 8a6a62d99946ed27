"""EPANET networks against EPANET: its stored results for Net1, and its engine, as wntr has it, for other files."""

import json
import warnings
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import wntr

from tests.test_project.sources import PROJECT_ROOT
from voltherm.coolant import flow
from voltherm.formats.epanet import WaterNetwork, read_inp
from voltherm.formats.errors import FileFormatError
from voltherm.numerics import ResultCode

LIBRARY = Path(wntr.__file__).parent / "library" / "networks"


def _solve(water: WaterNetwork) -> tuple[dict[str, float], dict[str, float]]:
    """Volume flow, m3/s, and head, m, by name."""
    solution = flow(**water.problem(), tolerance=1e-12)
    assert solution.status.result == ResultCode.CONVERGED
    flows = {
        name: float(value) / water.density for name, value in water.network.by_branch(solution.value.mass_flow).items()
    }
    return flows, dict(zip(water.network.nodes, water.head(solution.value).tolist(), strict=True))


def test_net1_as_shipped_against_the_stored_solution():
    stored = PROJECT_ROOT / "validation" / "coolant" / "epanet_net1_hazen_williams" / "epanet_net1_hw_t0.json"
    expected = json.loads(stored.read_text())
    flows, heads = _solve(read_inp(LIBRARY / "Net1.inp"))
    links, nodes = expected["links"], expected["nodes"]
    # wntr takes a gallon a minute as 3e-7 more than the engine
    for name, value in zip(links["id"], links["flow_m3s"], strict=True):
        assert flows[name] == pytest.approx(value, abs=1e-6 * max(map(abs, links["flow_m3s"])))
    for name, value in zip(nodes["id"], nodes["head_m"], strict=True):
        assert heads[name] == pytest.approx(value, abs=2e-5)


def _against_the_engine(path: Path, folder: Path) -> WaterNetwork:
    water = read_inp(path)
    flows, heads = _solve(water)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Changing the headloss formula", UserWarning)
        model = wntr.network.WaterNetworkModel(str(path))
    model.options.time.duration = 0
    model.options.hydraulic.accuracy = 1e-6
    results = wntr.sim.EpanetSimulator(model).run_sim(file_prefix=str(folder / "engine"))
    found, at_nodes = results.link["flowrate"].iloc[0], results.node["head"].iloc[0]
    largest = float(np.abs(found).max())
    for name, value in flows.items():
        assert value == pytest.approx(float(found[name]), abs=1e-5 * largest), name
    for name, value in heads.items():
        assert value == pytest.approx(float(at_nodes[name]), abs=1e-3), name
    return water


def test_net3_as_shipped_with_tanks_patterns_and_controls_against_the_engine(tmp_path: Path):
    water = _against_the_engine(LIBRARY / "Net3.inp", tmp_path)
    closed = water.network.groups[water.network.group_names.index("closed")]
    assert set(closed.names) == {"10", "330"}  # one as the file says, one by the level of a tank
    assert water.approximations == ()


PLANT = """
[JUNCTIONS]
A 2 1.5
B 5 2.0
C 4 0
D 6 0.7
[RESERVOIRS]
R 30
[TANKS]
T 20 3 0 6 10
[PIPES]
P1 R A 200 150 0.1 2.5 Open
P2 B C 150 100 0.1 0 Open
P3 C D 80 100 0.05 1.0 Open
P4 D T 60 80 0.1 0 Open
P5 A D 300 100 0.1 0 Closed
P6 C A 300 80 0.1 0 CV
P7 T B 120 100 0.1 0 CV
[PUMPS]
U A B HEAD K SPEED 0.9
[VALVES]
V B D 80 TCV 12 0
[CURVES]
K 20 15
[PATTERNS]
1 1.3 0.5
[OPTIONS]
UNITS LPS
HEADLOSS D-W
DEMAND MULTIPLIER 1.1
SPECIFIC GRAVITY 1.03
VISCOSITY 1.2
[TIMES]
DURATION 0
[END]
"""


def _written(folder: Path, text: str) -> Path:
    path = folder / "plant.inp"
    path.write_text(text)
    return path


@pytest.mark.parametrize("headloss", ["D-W", "H-W"])
def test_pumps_valves_and_check_valves_against_the_engine(tmp_path: Path, headloss: str):
    text = (
        PLANT if headloss == "D-W" else PLANT.replace("D-W", "H-W").replace(" 0.1 ", " 130 ").replace(" 0.05 ", " 120 ")
    )
    water = _against_the_engine(_written(tmp_path, text), tmp_path)
    assert water.density == pytest.approx(1030.0)
    assert set(water.network.group_names) == {"pipes", "check valves", "pumps", "valves", "closed"}


def test_a_network_read_is_differentiable(tmp_path: Path):
    problem = read_inp(_written(tmp_path, PLANT)).problem()

    def head(scale):
        return flow(**{**problem, "demand": problem["demand"] * scale}, tolerance=1e-12).value.pressure[1]

    slope = jax.jit(jax.grad(head))(jnp.asarray(1.0))
    step = 1e-4
    np.testing.assert_allclose(slope, (head(1.0 + step) - head(1.0 - step)) / (2.0 * step), rtol=1e-6)


def test_what_is_not_modelled_is_told_and_only_taken_when_asked(tmp_path: Path):
    text = PLANT.replace("V B D 80 TCV 12 0", "V B D 80 PRV 20 0\nG A C 80 GPV K 0")
    text = text.replace("K 20 15\n", "K 0 20\nK 10 18\nK 20 15\nK 30 8\n").replace(
        "[PATTERNS]", "[EMITTERS]\nC 0.5\n[PATTERNS]"
    )
    text = text.replace("[VALVES]", "W A C POWER 2\n[VALVES]")
    path = _written(tmp_path, text)
    with pytest.raises(FileFormatError) as refused:
        read_inp(path)
    for sentence in (
        "pump 'W' has a constant power instead of a curve: it stands still",
        "pump 'U' has a curve of other than one or three points: a power law is fitted to them",
        "valve 'V' is a PRV: it holds no pressure, and stands open",
        "valve 'G' has a curve of its own: it stands open",
        "junction 'C' has an emitter: it lets nothing out",
    ):
        assert f"{path}: {sentence}" in str(refused.value)
    taken = read_inp(path, approximate=True)
    assert len(taken.approximations) == 5
    _solve(taken)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("not a network", "not a network that EPANET reads|no reservoir and no tank"),
        ("[JUNCTIONS]\nA 0 1\n[PIPES]\nP A B 1 1 1\n", "not a network that EPANET reads"),
        (PLANT.replace("P1 R A 200 150", "P1 R A 200 -150"), "not a network that EPANET reads"),
        (PLANT.replace("D-W", "C-M"), "head loss by C-M has no model"),
        (PLANT.replace("K 20 15", "K 0 15"), "not a network that EPANET"),
        (PLANT.replace("P1 R A", f"{'P' * 40} R A"), "not a network that EPANET reads"),
        ("[JUNCTIONS]\nA 0 1\nB 0 1\n[PIPES]\nP A B 10 100 100\n[OPTIONS]\nUNITS LPS\n", "no reservoir and no tank"),
    ],
)
def test_a_file_that_is_none_is_told_by_its_name(tmp_path: Path, text: str, message: str):
    path = _written(tmp_path, text)
    with pytest.raises(FileFormatError, match=message) as refused:
        read_inp(path)
    assert str(path) in str(refused.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path):
    with pytest.raises(FileFormatError, match="no such file"):
        read_inp(tmp_path / "none.inp")
