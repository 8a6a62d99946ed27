"""The summary says what was found, in user units, with the names of what it was found at."""

import dataclasses
import io

import pytest
from rich.console import Console

from voltherm.report import print_summary, summary
from voltherm.report.limits import headline_sentence, set_point_sentence


def _cells(answer, key: str) -> dict[str, tuple[str, ...]]:
    section = next(section for section in summary(answer) if section.key == key)
    return {row[0]: row[1:] for row in section.rows}


def test_headline_names_the_chip_that_binds(answer):
    assert headline_sentence(answer) == (
        "At 43.0 °C outside the building can run on a supply of up to 46.9 °C; the GPU junction temperature binds, "
        "first at H2-R02-K03 tray 02 GPU 1."
    )


def test_rows_hold_user_units_at_both_points(answer):
    assert _cells(answer, "temperatures")["Margin of the GPUs"] == ("8.76 K", "0.00 K")
    assert _cells(answer, "powers")["All cooling"] == ("2,000 kW", "2,000 kW")
    assert _cells(answer, "network")["Most loaded transformer"][0] == "50.0 %, substation H1-R02"
    assert _cells(answer, "year")["Pumps (CDU and facility)"][0] == "2,000 MWh"
    assert _cells(answer, "year")["Hours above a chip's limit"][0] == "7 h"
    assert _cells(answer, "months")["Jan"][-2] == "17.3 m³"
    assert _cells(answer, "ride-through")["Time to the first limit"] == ("17.7 min", "chip junction limit")
    assert _cells(answer, "sensitivities")["rack.gpu.junction_limit"] == ("87 °C", "+1 K", "+1.000 K")
    assert _cells(answer, "sensitivities")["rack.gpu.interface_area"][0] == "16 cm²"
    assert _cells(answer, "balances")["Site: intake against heat to the surroundings"][0] == "1.0e-10"


def test_pue_carries_category_and_boundary(answer):
    note = _cells(answer, "answer")["PUE of the year"][1]
    assert "category 3 (IT input)" in note
    assert "annual" in note
    assert "utility intake at 138 kV" in note


def test_a_held_set_point_and_full_fans_do_not_bind(answer):
    limits = _cells(answer, "limits")
    assert limits["supply set point held"][1:] == ("held", "held")
    assert limits["GPU junction temperature"][1:] == ("8.76 K", "0.00 K (binds)")
    assert "dry cooler fans" not in limits
    assert _cells(answer, "equipment")["dry cooler fans"][1] == "0.0 % (at its end)"


def test_a_floating_supply_is_said(answer):
    point = dataclasses.replace(
        answer.point,
        figures={**answer.point.figures, "supply_temperature": 315.65},
        constraints=tuple(
            dataclasses.replace(each, margin=-2.5, binding=True) if each.kind == "control" else each
            for each in answer.point.constraints
        ),
    )
    assert "is not held that day: the supply floats to 42.5 °C, with dry cooler fans" in set_point_sentence(point)


def test_no_highest_supply(unanswered):
    assert "no supply temperature keeps every chip of the campus" in headline_sentence(unanswered)
    assert _cells(unanswered, "answer")["Highest allowed supply temperature"][0] == "none"
    assert _cells(unanswered, "ride-through")["Time to the first limit"][0] == "not within 60.0 min"
    assert all(len(row) == len(section.header) for section in summary(unanswered) for row in section.rows)


def test_every_row_has_a_cell_under_every_heading(answer):
    assert all(len(row) == len(section.header) for section in summary(answer) for row in section.rows)


@pytest.mark.parametrize("details", [False, True])
def test_terminal(answer, details):
    text = io.StringIO()
    print_summary(answer, Console(file=text, width=140), details=details)
    shown = text.getvalue()
    assert "46.92 °C" in shown
    assert "H2-R02-K03" in shown
    assert "feeder F1 to H1-R01" in shown
    assert ("Wall times" in shown) is details


def test_terminal_does_not_read_names_as_markup(answer):
    text = io.StringIO()
    wrong = dataclasses.replace(answer.point, hottest={**answer.point.hottest, "rack": "[red]R1[/nothing]"})
    print_summary(dataclasses.replace(answer, point=wrong), Console(file=text, width=140))
    assert "[red]R1[/nothing]" in text.getvalue()
