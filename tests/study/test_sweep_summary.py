"""Feasible designs are those that hold every limit, and the best of them take the least cooling."""

import numpy as np
import pytest

from tests.report.fabricated import small_site
from voltherm.study.sweep_summary import NEEDED, summarised


@pytest.fixture
def columns():
    held = {
        "result": np.zeros(6, int),
        "cooling_power": np.array([5.0, 3.0, 4.0, 1.0, 2.0, 0.5]),
        "lowest_voltage": np.full(6, 1.0),
        "highest_voltage": np.full(6, 1.0),
        "transformer_loading": np.full(6, 0.8),
        "feeder_loading": np.full(6, 0.8),
        "flow_per_heat": np.full(6, 1.0),
    }
    return held | {f"{name}_margin": np.full(6, 1.0) for name in ("junction", "memory", "inlet", "supply")}


def test_all_hold_and_the_least_cooling_is_first(project_root, columns):
    found = summarised(small_site(project_root), columns, most=3)
    assert found.converged.all()
    assert found.feasible.all()
    assert found.best == (5, 3, 4)
    assert dict(found.broken) == {}


def test_every_limit_counts_once_for_each_that_breaks_it(project_root, columns):
    columns["result"][5] = 2
    columns["cooling_power"][5] = np.nan
    columns["inlet_margin"][3] = -0.5
    columns["junction_margin"][3] = -1.0
    columns["transformer_loading"][4] = 1.2
    found = summarised(small_site(project_root), columns)
    assert found.converged.tolist() == 5 * [True] + [False]
    assert found.feasible.tolist() == 3 * [True] + 3 * [False]
    assert found.best == (1, 2, 0)
    assert dict(found.broken) == {"junction temperature": 1, "rack inlet air": 1, "transformer loading": 1}


def test_none_holds(project_root, columns):
    columns["supply_margin"][:] = -2.0
    found = summarised(small_site(project_root), columns)
    assert not found.feasible.any()
    assert found.best == ()
    assert dict(found.broken) == {"supply temperature": 6}
    columns["supply_margin"][:] = 2.0
    columns["flow_per_heat"][:] = 1e-12
    assert dict(summarised(small_site(project_root), columns).broken) == {"coolant flow": 6}


def test_a_limit_that_a_design_moves_is_the_designs_own(project_root, columns):
    columns["limits.loading_maximum"] = np.array([0.7, 1.0, 1.0, 1.0, 1.0, 1.0])
    assert 0 not in summarised(small_site(project_root), columns, most=6).best
    assert set(columns) <= set(NEEDED)
