"""Figures are written as their band allows, and never with more digits."""

import dataclasses
import io
import json
import math

import pytest
from rich.console import Console

from tests.report.fabricated import with_bands
from voltherm.cli.output import plain
from voltherm.cli.run import as_json
from voltherm.report import print_summary, summary
from voltherm.report.figures_sensitivity import sensitivity_figure
from voltherm.report.html import page
from voltherm.report.limits import headline_sentence
from voltherm.report.tiles import tiles
from voltherm.report.uncertainty import decimals, figure_within


@pytest.fixture(scope="module")
def banded(answer):
    return with_bands(answer)


def _rows(answer, key: str) -> dict[str, tuple[str, ...]]:
    return {row[0]: row[1:] for section in summary(answer) if section.key == key for row in section.rows}


@pytest.mark.parametrize(
    ("uncertainty", "expected"), [(4.44, 1), (0.44, 2), (0.0042, 4), (12.0, 0), (144.0, 0), (1.0, 1), (0.0999, 3)]
)
def test_two_digits_of_an_uncertainty(uncertainty: float, expected: int):
    assert decimals(uncertainty) == expected


def test_figures_are_rounded_to_their_bands(banded):
    assert figure_within(banded, "chip_supply") == "46.9 °C, 38 to 56 °C with 95 %"
    assert figure_within(banded, "junction_margin") == "8.8 K, 1 to 17 K with 95 %"
    assert figure_within(banded, "cooling_power") == "132.0 kW, 124 to 140 kW with 95 %"
    assert figure_within(banded, "pue") == "1.1210, 1.113 to 1.129 with 95 %"
    assert figure_within(banded, "it_power") == "2,000 kW, 1,952 to 2,048 kW with 95 %"


def test_a_figure_without_a_band_has_none(answer, banded):
    assert figure_within(answer, "chip_supply") is None
    assert figure_within(banded, "facility_power") is None


def test_headline_sentence_tiles_and_terminal_carry_the_band(banded):
    assert "a supply of up to 46.9 °C (38 to 56 °C with 95 %); the GPU" in headline_sentence(banded)
    shown = {tile.label: tile for tile in tiles(banded)}
    assert shown["Highest allowed supply"].value == "46.9 °C"
    assert shown["Highest allowed supply"].note.startswith("38 to 56 °C with 95 %; at 43.0 °C outside")
    assert shown["Chip margin at the set point"].value == "8.8 K"
    assert shown["Cooling power on the hot day"].note.startswith("124 to 140 kW with 95 %; of ")
    assert "1.1210 on the hot day" in shown["PUE of the year"].note
    rows = _rows(banded, "answer")
    assert rows["Highest allowed supply temperature"][0] == "46.9 °C"
    assert rows["Highest allowed supply temperature"][1].startswith("38 to 56 °C with 95 %; facility water at ")
    assert rows["Hottest GPU at the set point"] == ("76.9 °C", "H2-R02-K03 tray 02 GPU 1, 8.8 K below its limit")
    assert rows["PUE of the hot day"][1].startswith("1.113 to 1.129 with 95 %; ")
    text = io.StringIO()
    print_summary(banded, Console(file=text, width=160))
    assert "46.92" not in text.getvalue()
    assert "46.9 °C" in text.getvalue()


def test_table_of_bands(banded, unanswered):
    rows = _rows(banded, "uncertainty")
    cells = rows["Highest supply that the chips allow"]
    assert cells == ("46.9 °C", "4.4 K", "38 to 56 °C", "rack.gpu.interface_resistance, 64 %")
    assert len(rows) == 5
    assert next(iter(rows)) == "Highest supply that the chips allow"
    assert len(_rows(with_bands(unanswered), "uncertainty")) == 4
    assert _rows(unanswered, "uncertainty") == {}


def test_samples_stand_beside_the_first_order(answer):
    sampled = with_bands(answer, samples=64, failed=3, unserved=5)
    section = next(section for section in summary(sampled) if section.key == "uncertainty")
    assert section.header[4] == "5, 50, 95 % of 64 samples"
    assert section.rows[0][4] == "39.8, 47.4, 54.5 °C"
    assert "3 of them have no steady state" in section.note
    assert "In 5 of them no set point keeps every chip" in section.note
    highest = dataclasses.replace(sampled.uncertainty.bands["chip_supply"], quantiles=(-math.inf, 320.0, 325.0))
    bands = {**sampled.uncertainty.bands, "chip_supply": highest}
    unserved = dataclasses.replace(sampled, uncertainty=dataclasses.replace(sampled.uncertainty, bands=bands))
    assert _rows(unserved, "uncertainty")["Highest supply that the chips allow"][3] == "none, 46.9, 51.9 °C"
    assert all(len(row) == len(section.header) for row in section.rows)


def test_numbers_with_a_tolerance_are_ranked_apart(banded, answer):
    rows = _rows(banded, "tolerances")
    assert list(rows) == ["rack.gpu.interface_resistance", "rack.gpu.package_resistance"]
    assert rows["rack.gpu.interface_resistance"] == ("10 mm²K/W", "+2.5 mm²K/W", "-3.280 K")
    assert list(_rows(banded, "sensitivities")) == ["rack.gpu.interface_area"]
    assert _rows(answer, "tolerances") == {}
    drawn = sensitivity_figure(banded)
    assert "by one standard uncertainty" in drawn
    assert "rack.gpu.interface_area" not in drawn
    assert "rack.gpu.interface_area" in sensitivity_figure(answer)


def test_page_and_json(banded, answer):
    text = page(banded)
    assert "The answer with its uncertainty" in text
    assert "What is not known and moves the smallest chip margin most" in text
    told = json.loads(json.dumps(plain(as_json(banded))))["uncertainty"]
    highest = told["figures"]["chip_supply"]
    assert highest["text"] == "46.9 °C, 38 to 56 °C with 95 %"
    assert highest["value"] == banded.chip_supply
    assert highest["high"] - highest["low"] == pytest.approx(4.0 * 4.44)
    assert as_json(answer)["uncertainty"] is None
