"""Every limit and machine is named after the element that comes nearest to it."""

import dataclasses

import equinox as eqx
import numpy as np
import pytest

from tests.report.fabricated import fabricated_answer, small_site
from voltherm.site.states import RowState, SiteState
from voltherm.study.answer import Answer
from voltherm.study.limits import constraints, hottest


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


def test_rack_is_that_of_the_hottest_gpu_whatever_its_return(answer: Answer):
    state = answer.point.state
    back = np.zeros((1, 4, 3))
    back[0, 0, 0] = 350.0
    warm = eqx.tree_at(lambda tree: tree.buildings.racks.return_temperature, state, back)
    names = hottest(answer.layout, warm)
    assert names["gpu"].startswith(names["rack"])
    assert names["rack"] == "H2-R02-K03"
