"""Every limit and machine is named after the element that comes nearest to it."""

import dataclasses

import equinox as eqx
import numpy as np
import pytest

from tests.report.fabricated import fabricated_answer, small_site
from voltherm.site import Site, with_parameters
from voltherm.site.sections import NO_LIMIT
from voltherm.site.states import RowState, SiteState
from voltherm.study.answer import Answer
from voltherm.study.limit_excess import limit_excess, passed
from voltherm.study.limits import MEMORY_LIMIT, SUPPLY_LIMIT, Constraint, constraints, hottest


@pytest.fixture(scope="module")
def answer(project_root) -> Answer:
    return fabricated_answer(small_site(project_root))


def _at(row: int) -> np.ndarray:
    """0.5 in every row of the building, 0.9 in one."""
    values = np.full((1, 4), 0.5)
    values[0, row] = 0.9
    return values


def _state(answer: Answer, **rows: np.ndarray) -> SiteState:
    """The state of the answer with other values in its rows."""

    def where(state: SiteState) -> list[np.ndarray]:
        return [getattr(state.buildings.rows, name) for name in rows]

    return eqx.tree_at(where, answer.point.state, list(rows.values()))


def test_each_machine_names_its_own_row(answer: Answer):
    assert {"valve_opening", "pump_speed", "supply_temperature"} <= {each.name for each in dataclasses.fields(RowState)}
    state = _state(answer, valve_opening=_at(1), pump_speed=_at(2), supply_temperature=300.0 + _at(3))
    found = {each.name: each for each in constraints(answer.site, answer.layout, state, answer.point.figures)}
    assert found["CDU valve"].element == "H1-R02-CDU"
    assert found["CDU pump speed"].element == "H2-R01-CDU"
    assert found["supply set point held"].element == "H2-R02-CDU"


_ENDS = [(0.1, False, False), (0.05, True, False), (-0.0005, True, False), (-0.002, False, True)]


def _by_name(answer: Answer, site: Site | None = None, **figures: float) -> dict[str, Constraint]:
    """The constraints at the answer's point with other figures, or of another site."""
    there = {**answer.point.figures, **figures}
    return {each.name: each for each in constraints(site or answer.site, answer.layout, answer.point.state, there)}


@pytest.mark.parametrize(
    ("left", "binding", "violated"),
    _ENDS,
)
def test_a_limit_binds_at_its_end_and_is_violated_beyond(answer: Answer, left: float, binding: bool, violated: bool):
    """0.1 % of 60 K is 0.06 K; beyond the limit a millikelvin is rounding."""
    chip = _by_name(answer, gpu_margin=left)["GPU junction temperature"]
    assert (chip.binding, chip.violated) == (binding, violated)


@pytest.mark.parametrize("beyond", [0.0005, 0.002])
def test_a_run_and_a_sweep_judge_a_limit_alike(answer: Answer, beyond: float):
    figures = {**answer.point.figures, "supply_margin": -beyond}
    in_a_run = {each.name: each for each in constraints(answer.site, answer.layout, answer.point.state, figures)}

    def limit(name: str) -> float:
        return float(getattr(answer.site.limits, name))

    in_a_sweep = passed(limit_excess(limit, figures))
    assert in_a_run["supply temperature"].violated == in_a_sweep["supply temperature"] == (beyond > 0.001)


def test_only_limits_are_violated(answer: Answer):
    found = _by_name(answer, supply_excess=2.5, fan_speed=1.0, chiller_load=1.01)
    assert not any(
        found[name].violated for name in ("supply set point held", "dry cooler fans", "trim chiller capacity")
    )
    assert all(found[name].binding for name in ("supply set point held", "dry cooler fans", "trim chiller capacity"))


def test_makers_limits_stand_among_the_others(answer: Answer):
    found = _by_name(answer, supply_margin=-1.5, flow_per_heat=1.0 / 6e7)
    assert found[SUPPLY_LIMIT].violated
    assert found[SUPPLY_LIMIT].margin == -1.5
    # 1 L/min per kW where 1.25 is asked for
    assert found["coolant flow of the racks"].margin == pytest.approx(-0.2)
    # 350 K at the hottest GPU, its memory 5 K warmer, 95 °C allowed
    memory = found[MEMORY_LIMIT]
    assert memory.margin == pytest.approx(368.15 - 355.0)
    assert memory.element == "H2-R02-K03 tray 02 GPU 4"


def test_limits_that_are_not_set_are_left_out(answer: Answer):
    none = {"limits.supply_maximum": NO_LIMIT, "limits.flow_minimum": 0.0, "rack.gpu.memory_limit": NO_LIMIT}
    found = _by_name(answer, with_parameters(answer.site, none))
    assert not {SUPPLY_LIMIT, MEMORY_LIMIT, "coolant flow of the racks"} & set(found)


def test_rack_is_that_of_the_hottest_gpu_whatever_its_return(answer: Answer):
    state = answer.point.state
    back = np.zeros((1, 4, 3))
    back[0, 0, 0] = 350.0
    warm = eqx.tree_at(lambda tree: tree.buildings.racks.return_temperature, state, back)
    names = hottest(answer.layout, warm)
    assert names["gpu"].startswith(names["rack"])
    assert names["rack"] == "H2-R02-K03"
