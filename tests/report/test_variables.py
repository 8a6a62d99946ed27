"""Labelled arrays and long tables agree with the answer they come from."""

import numpy as np

from voltherm.report import tables, variables


def test_variables_fit_their_dimensions(answer):
    lengths: dict[str, int] = {}
    for name, variable in variables(answer).items():
        assert np.shape(variable.values) == tuple(
            lengths.setdefault(dimension, length)
            for dimension, length in zip(variable.dimensions, np.shape(variable.values), strict=True)
        ), name
        assert variable.long_name


def test_names_stand_beside_their_numbers(answer):
    found = variables(answer)
    hottest = np.unravel_index(np.argmax(found["point/rack_gpu_temperature"].values), found["names/rack"].values.shape)
    assert found["names/rack"].values[hottest] == "H2-R02-K03"
    assert found["allowed/gpu_margin"].values == 0.0
    assert found["year/energy_it_power"].values.shape == (12,)
    assert found["names/bus"].values.shape == found["point/bus_voltage"].values.shape


def test_findings_are_a_group(answer):
    found = variables(answer)
    assert found["findings/subject"].values.tolist() == ["CDU pumps", "racks' branches"]
    assert found["findings/value"].values.tolist() == [1.55, 2.9]
    assert found["findings/unit"].values.tolist() == ["1", "m s-1"]
    assert found["findings/where"].values.tolist()[1] == "highest supply, coldest hour"
    assert all(found[f"findings/{name}"].dimensions == ("finding",) for name in ("limit", "count", "sentence"))


def test_without_a_highest_supply_its_groups_are_missing(unanswered):
    assert not [name for name in variables(unanswered) if name.startswith(("allowed/", "allowed_year/"))]


def test_tables(answer, unanswered):
    found = tables(answer)
    assert [row[0] for row in found["rows"].rows] == ["H1-R01-CDU", "H1-R02-CDU", "H2-R01-CDU", "H2-R02-CDU"]
    assert {row[2] for row in found["substations"].rows} == {"H1-R01", "H1-R02", "H2-R01", "H2-R02", "M01", "M02"}
    assert [row[0] for row in tables(unanswered)["main"].rows][-1] == "B2-main transformer 2"
    assert all(len(row) == len(table.header) for table in found.values() for row in table.rows)
