"""The summary says what was found, in user units, with the names of what it was found at."""

import dataclasses
import io

import pytest
from rich.console import Console

from tests.report.fabricated import PUMPS
from voltherm.numerics import ResultCode
from voltherm.report import Section, print_summary, summary
from voltherm.report.figures_ride_through import ride_through_caption
from voltherm.report.limits import headline_sentence, set_point_sentence
from voltherm.report.ride_through import expected_seconds_per_kelvin
from voltherm.report.tiles import tiles
from voltherm.site import with_parameters
from voltherm.site.outputs import COOLING_PARTS
from voltherm.study.limits import SUPPLY_LIMIT, Constraint
from voltherm.study.verdict import limits_held


def _section(answer, key: str) -> Section:
    return next(section for section in summary(answer) if section.key == key)


def _cells(answer, key: str) -> dict[str, tuple[str, ...]]:
    return {row[0]: row[1:] for row in _section(answer, key).rows}


def test_headline_names_the_chip_that_binds(answer):
    assert headline_sentence(answer) == (
        "At 43.0 °C outside the building can run on a supply of up to 46.9 °C; the GPU junction temperature binds, "
        "first at H2-R02-K03 tray 02 GPU 1."
    )


def test_rows_hold_user_units_at_both_points(answer):
    assert _cells(answer, "temperatures")["Margin of the GPUs"] == ("8.76 K", "0.00 K")
    assert _cells(answer, "powers")["All cooling"] == ("132 kW", "132 kW")
    assert _cells(answer, "network")["Most loaded transformer"][0] == "50.0 %, substation H1-R02"
    assert _cells(answer, "year")["Pumps (CDU and facility)"][0] == "2,000 MWh"
    assert _cells(answer, "year")["Hours above a temperature limit"][0] == "7 h"
    assert _cells(answer, "months")["Jan"][-2] == "17.3 m³"
    assert _cells(answer, "ride-through")["Time to the first limit"] == ("17.7 min", "chip junction limit")
    assert _cells(answer, "sensitivities")["rack.gpu.junction_limit"] == ("87 °C", "+1 K", "+1.000 K")
    assert _cells(answer, "sensitivities")["rack.gpu.interface_area"][0] == "16 cm²"
    assert _cells(answer, "balances")["Site: intake against heat to the surroundings"][0] == "1.0e-10"


def test_rows_of_the_power_table_add_up_to_the_intake(answer):
    cells = {label: float(values[0].removesuffix(" kW").replace(",", "")) for label, values in _powers(answer).items()}
    intake, cooling = cells.pop("Power at the utility intake"), cells.pop("All cooling")
    assert sum(cells.values()) == pytest.approx(intake)
    assert sum(list(cells.values())[1 : 1 + len(COOLING_PARTS)]) == pytest.approx(cooling)


def _powers(answer) -> dict[str, tuple[str, ...]]:
    """Rows of the power table, each in whole kW, without the PUE."""
    return {label: values for label, values in _cells(answer, "powers").items() if label != "PUE"}


def _riding(answer, **changes):
    return dataclasses.replace(answer, ride_through=dataclasses.replace(answer.ride_through, **changes))


def test_rise_of_the_water_is_held_against_the_sites_own_fill(answer):
    rows = _cells(answer, "ride-through")
    assert rows["Facility water warms by 1 K in"] == ("180 s", "its mean, minute 5 to 20")
    # 5,000 m³ of glycol of 35 %vol at 41 °C (CoolProp 8), and the fabricated plant's heat: 4 rows of 3 racks of 130 kW
    seconds = 5000.0 * 1021.44 * 3841.1 / (12 * 1.3e5)
    assert expected_seconds_per_kelvin(answer) == pytest.approx(seconds, rel=1e-3)
    assert rows["The fill alone would, at the heat of the start, in"][1] == "5,000 m³ and 1.56 MW a building"
    assert "150 to 103 MW" in rows["Published for this fill"][1]
    half = with_parameters(answer.site, {"facility.volume": 2500.0})
    other = dataclasses.replace(answer, site=half)
    assert expected_seconds_per_kelvin(other) == pytest.approx(0.5 * seconds, rel=1e-3)
    assert "Published for this fill" not in _cells(other, "ride-through")


def test_window_is_the_one_used(answer):
    short = _riding(answer, window=(15.0, 240.0))
    assert _cells(short, "ride-through")["Facility water warms by 1 K in"][1] == "its mean, minute 0.25 to 4"
    assert "From minute 0.25 to 4 the facility water" in ride_through_caption(short)


def test_a_course_that_ends_early_says_why(answer):
    why = "a chip has no steady temperature: its leakage runs away"
    last = _riding(answer, ended=why, first_limit=why)
    assert _cells(last, "ride-through")["Time to the first limit"][1] == f"end of the course: {why}"
    assert "The course ends after 17.7 min. A chip has no steady" in ride_through_caption(last)
    assert "until the course ends" in next(tile.note for tile in tiles(last) if tile.label == "Ride-through")
    later = _riding(answer, ended=why)
    assert _cells(later, "ride-through")["The course ends after"] == ("60.0 min", why)
    assert "to chip junction limit" in next(tile.note for tile in tiles(later) if tile.label == "Ride-through")


def test_a_broken_bound_stands_first(answer):
    assert "keeps the physical bounds" in _section(answer, "balances").note
    figures = {**answer.point.figures, "facility_power": 0.9 * answer.point.figures["it_power"]}
    wrong = dataclasses.replace(answer, point=dataclasses.replace(answer.point, figures=figures))
    first = _section(wrong, "answer")
    assert first.rows[0][0] == "PHYSICAL BOUND BROKEN"
    assert first.rows[0][2].startswith("hot day at the set point: the facility takes in no more energy")
    assert first.emphasis == {0, 1}
    assert "PUE must be above 1" in _section(wrong, "balances").note
    text = io.StringIO()
    print_summary(wrong, Console(file=text, width=140))
    assert "PHYSICAL BOUND BROKEN" in text.getvalue()


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
    floating = dataclasses.replace(answer, point=point)
    assert "is not held that day: the supply floats to 42.5 °C, with dry cooler fans" in set_point_sentence(floating)


def test_no_highest_supply(unanswered):
    assert headline_sentence(unanswered) == (
        "At 43.0 °C outside no supply temperature of the campus holds every limit: the coldest that its plant reaches "
        "passes the limit of the GPU junction temperature by 1.20 K at B1/R1/GPU1."
    )
    assert _cells(unanswered, "answer")["Highest allowed supply temperature"] == (
        "none",
        "passed at every set point: the limit of the GPU junction temperature by 1.20 K at B1/R1/GPU1",
    )
    assert _cells(unanswered, "ride-through")["Time to the first limit"][0] == "not within 60.0 min"
    assert all(len(row) == len(section.header) for section in summary(unanswered) for row in section.rows)


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (ResultCode.MAXIMUM_ITERATIONS, "the search did not end"),
        (ResultCode.NOT_FINITE, "the site has no steady state"),
    ],
)
def test_a_highest_supply_that_was_not_found_is_not_called_none(unanswered, code, why):
    lost = dataclasses.replace(unanswered, searched=int(code), unheld=None)
    assert "the highest supply temperature of the campus was not found" in headline_sentence(lost)
    assert why in headline_sentence(lost)
    assert _cells(lost, "answer")["Highest allowed supply temperature"][0] == "not found"
    assert "not found at 43.0 °C" in tiles(lost)[0].note


def _overloaded(answer):
    """The answer whose transformers carry 120 % at the set point and at the highest supply."""
    over = Constraint("transformer loading", "H1-TX-07", -0.2, "1", "limit", False, True)

    def loaded(point):
        others = tuple(each for each in point.constraints if each.name != over.name)
        return dataclasses.replace(point, constraints=(over, *others))

    return dataclasses.replace(answer, point=loaded(answer.point), allowed=loaded(answer.allowed))


def test_a_limit_that_is_passed_reaches_the_first_page(answer):
    over = _overloaded(answer)
    passed = "the limit of the transformer loading by 20.0 % at H1-TX-07"
    assert headline_sentence(over).endswith(f"It does not hold every limit there: it passes {passed}.")
    assert set_point_sentence(over).endswith(f"It passes {passed}.")
    first = _section(over, "answer")
    assert first.rows[0] == ("LIMIT PASSED", "20.0 %", "transformer loading at H1-TX-07, set point")
    assert first.rows[1] == ("LIMIT PASSED", "20.0 %", "transformer loading at H1-TX-07, highest supply")
    assert {0, 1} <= first.emphasis
    (tile,) = [tile for tile in tiles(over) if tile.label == "Limits at the set point"]
    assert (tile.value, tile.warns) == ("1 passed", True)
    assert passed in tile.note
    (tile,) = [tile for tile in tiles(answer) if tile.label == "Limits at the set point"]
    assert (tile.value, tile.warns) == ("all held", False)
    assert not limits_held(over)
    assert limits_held(answer)


def test_every_limit_that_is_passed_is_told_beside_a_chip_that_is_too_hot(answer):
    over = _overloaded(answer).point
    hot = tuple(
        dataclasses.replace(each, margin=-2.0, violated=True) if each.name.startswith("GPU") else each
        for each in over.constraints
    )
    told = set_point_sentence(dataclasses.replace(answer, point=dataclasses.replace(over, constraints=hot)))
    assert "passes its limit by 2.00 K. It passes the limit of the transformer loading by 20.0 %" in told


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


def test_findings_are_told_once_with_where_they_hold(answer):
    section = _section(answer, "findings")
    assert section.rows == (
        ("practice", "all 4 CDU pumps run at 155 % of their best flow (worst H1-R02-CDU)", "everywhere"),
        (
            "practice",
            "one of 12 pipes of the racks' branches (H2-R02-K03) carries coolant at 2.9 m/s",
            "highest supply, coldest hour",
        ),
    )
    assert section.emphasis == set()
    assert summary(answer)[1].key == "findings"


def _with_findings(answer, *found):
    cold, high = (dataclasses.replace(point, findings=()) for point in (answer.coldest, answer.allowed))
    there = dataclasses.replace(answer.point, findings=found)
    return dataclasses.replace(answer, point=there, allowed=high, coldest=cold)


def _shown(answer, *, details: bool = False) -> str:
    text = io.StringIO()
    print_summary(answer, Console(file=text, width=400), details=details)
    return " ".join(text.getvalue().split())


def test_a_terminal_shows_the_worst_eight_findings(answer):
    found = [dataclasses.replace(PUMPS, kind=f"{n}", excess=float(n), sentence=f"finding {n:02d}") for n in range(11)]
    many = _with_findings(answer, *found)
    shown = _shown(many)
    assert [f"finding {n:02d}" in shown for n in range(11)] == [False] * 3 + [True] * 8
    assert "And 3 more in the report." in shown
    assert "finding 00" in _shown(many, details=True)
    assert len(_section(many, "findings").rows) == 11


def test_nothing_outside_is_said(answer):
    empty = _with_findings(answer)
    ((first, *_),) = _section(empty, "findings").rows
    assert first == "nothing"
    assert "every law, stream, pump, pipe and room that is judged is in its range" in _shown(empty)


def test_an_unphysical_state_stands_first(answer):
    wrong = _with_findings(answer, dataclasses.replace(PUMPS, severity="unphysical", sentence="the water boils"))
    assert _section(wrong, "answer").rows[0] == ("UNPHYSICAL", "", "set point: the water boils")
    assert _section(wrong, "findings").rows[0][0] == "unphysical"


def _bounded(answer, *, margin: float, chips: float | None = 320.07):
    """The answer whose supply may be 45 °C at most, with that margin left at the highest supply."""
    bound = Constraint(SUPPLY_LIMIT, "H1-R01-CDU", margin, "K", "limit", abs(margin) < 0.06, margin < -0.06)
    both = {"constraints": (bound, *answer.point.constraints)}
    point, high = (dataclasses.replace(each, **both) for each in (answer.point, answer.allowed))
    high = dataclasses.replace(high, set_point=318.15)
    return dataclasses.replace(answer, point=point, allowed=high, chip_supply=chips)


def test_headline_names_the_makers_limit(answer):
    bounded = _bounded(answer, margin=0.0)
    assert headline_sentence(bounded) == (
        "At 43.0 °C outside the building can run on a supply of up to 45.0 °C, which is the maker's limit of the "
        "racks; its chips alone would allow 46.9 °C."
    )
    assert _cells(bounded, "answer")["What binds there"] == ("the maker's limit of the racks", "H1-R01-CDU")
    assert _cells(bounded, "answer")["What the chips alone would allow"][0] == "46.92 °C"
    assert "the maker's limit of the racks binds" in tiles(bounded)[0].note
    over = Constraint(SUPPLY_LIMIT, "H1-R01-CDU", -1.5, "K", "limit", False, True)
    nowhere = dataclasses.replace(bounded, allowed=None, searched=int(ResultCode.LIMIT), unheld=over)
    assert headline_sentence(nowhere).endswith(
        "passes the maker's limit of the racks by 1.50 K at H1-R01-CDU; its chips alone would allow 46.9 °C."
    )


def test_a_supply_beyond_the_makers_limit_is_said(answer):
    bound = Constraint(SUPPLY_LIMIT, "H1-R01-CDU", -2.5, "K", "limit", False, True)
    point = dataclasses.replace(answer.point, constraints=(bound, *answer.point.constraints))
    assert set_point_sentence(dataclasses.replace(answer, point=point)).startswith(
        "The set point of 40.0 °C is too high: it is 2.5 K above the maker's limit of the racks. H2-R02"
    )


def test_a_limit_that_is_passed_does_not_bind(answer):
    passed = Constraint("lowest voltage", "M02 480 V", -0.03, "1", "limit", False, True)
    others = [each for each in answer.point.constraints if each.name != passed.name]
    point = dataclasses.replace(answer.point, constraints=(passed, *others))
    wrong = dataclasses.replace(answer, point=point, allowed=None)
    section = _section(wrong, "limits")
    assert section.rows[0] == ("lowest voltage", "M02 480 V", "-3.0 % (violated)")
    assert 0 in section.emphasis
