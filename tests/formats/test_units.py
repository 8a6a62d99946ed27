import math

import pytest

from voltherm.formats.units import (
    DIMENSIONS,
    SI_NAMES,
    UnitError,
    ends_in_tolerance,
    parse,
    parse_list,
    parse_tolerance,
    quantity,
    split_tolerance,
    tolerance_text,
)


@pytest.mark.parametrize(
    ("text", "dimension", "expected"),
    [
        ("40 L/min", "volume flow", 40e-3 / 60),
        ("40L/min", "volume flow", 40e-3 / 60),
        ("40 degC", "temperature", 313.15),
        ("40 °C", "temperature", 313.15),
        ("104 degF", "temperature", 313.15),
        ("-10 degC", "temperature", 263.15),
        ("3 K", "temperature difference", 3.0),
        ("10 mm²K/W", "area resistance", 1e-5),
        ("0.09 ohm/km", "line resistance", 9e-5),
        ("250 nF/km", "line capacitance", 2.5e-10),
        ("55 USD/MWh", "energy price", 55 / 3.6e9),
        ("8 %/year", "share a year", 0.08),
        ("1_200 W", "power", 1200.0),
        ("1.2e3 W", "power", 1200.0),
        ("2.5", "number", 2.5),
        ("1.0 pu", "per unit", 1.0),
        ("250 m3/h", "valve coefficient", 250.0),
        ("3 bara", "absolute pressure", 3e5),
        ("300 kPa(a)", "absolute pressure", 3e5),
        ("300kPa (a)", "absolute pressure", 3e5),
    ],
)
def test_quantities(text: str, dimension: str, expected: float):
    assert math.isclose(parse(text, dimension), expected, rel_tol=1e-12)


def test_numbers_share_a_unit():
    assert parse_list("10 25, 50 %", "share") == (0.1, 0.25, 0.5)


@pytest.mark.parametrize(
    ("text", "dimension", "message"),
    [
        ("1200", "power", "'1200' has no unit: write a power such as '1200 W'"),
        ("0.5", "share", "has no unit: write '50 %' if it is a fraction of one"),
        ("5 degC", "temperature difference", "a difference has no zero point"),
        ("5 kW", "temperature", "'kW' is a unit of power; a temperature is needed here, in degC, K, degF"),
        ("5 kw", "power", "did you mean 'kW'?"),
        ("5 kPaa", "pressure", "did you mean 'kPa'?"),
        ("3 bar", "absolute pressure", "'bar' does not say whether it counts from vacuum or from the air's pressure"),
        ("3 bar", "absolute pressure", "such as '3 bara', in kPa(a), Pa(a)"),
        ("300 kPa", "absolute pressure", "such as '300 kPa(a)'"),
        ("2 barg", "absolute pressure", "'barg' is a gauge pressure, which counts from the air's: add that of the air"),
        ("2 kPa(g)", "absolute pressure", "is a gauge pressure"),
        ("2 barg", "pressure", "'barg' is a gauge pressure; a pressure is needed here, in Pa, kPa, MPa, bar"),
        ("2 bara", "pressure", "'bara' is a unit of absolute pressure; a pressure is needed here"),
        ("300", "absolute pressure", "'300' has no unit: write an absolute pressure such as '300 kPa(a)'"),
        ("5 m", "number", "this is a plain number: write '5'"),
        ("five m", "length", "is not a number with a unit"),
        ("nan m", "length", "is not a number with a unit"),
        ("1e999 m", "length", "is not finite"),
        ("1,5 m", "length", "holds 2 numbers"),
        ("", "length", "is not a number with a unit"),
    ],
)
def test_mistakes_say_what_is_right(text: str, dimension: str, message: str):
    with pytest.raises(UnitError) as raised:
        parse(text, dimension)
    assert message in str(raised.value)


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_there_and_back(dimension: str):
    assert dimension in SI_NAMES
    for unit in DIMENSIONS[dimension]:
        assert math.isclose(
            parse(quantity(0.25, dimension, unit, digits=17), dimension), 0.25, rel_tol=1e-9, abs_tol=1e-12
        )


@pytest.mark.parametrize("sign", ["+-", "±", "+/-"])
def test_a_tolerance_stands_behind_its_sign(sign: str):
    assert split_tolerance(f"10 mm2K/W {sign} 50 %") == ("10 mm2K/W", "50 %")
    assert split_tolerance(f"-3 K{sign}2 K") == ("-3 K", "2 K")
    assert ends_in_tolerance(f"water {sign} 3 %")
    assert not ends_in_tolerance(f"this {sign} that")
    with pytest.raises(UnitError, match="has a tolerance, which is not read here: write '10 mm2K/W'"):
        parse(f"10 mm2K/W {sign} 50 %", "area resistance")


def test_a_plain_quantity_has_none():
    assert split_tolerance(" +3 K ") == ("+3 K", None)
    assert split_tolerance("1e+3 W") == ("1e+3 W", None)


@pytest.mark.parametrize(
    ("text", "value", "dimension", "expected"),
    [
        ("50 %", 1e-5, "area resistance", 5e-6),
        ("5 mm2K/W", 1e-5, "area resistance", 5e-6),
        ("10 %", -2.0, "number", 0.2),
        ("0.1", 1.2, "number", 0.1),
        ("2 K", 360.15, "temperature", 2.0),
        ("10 %", 3.0, "temperature difference", 0.3),
        # measured in %: points of a per cent, not a share of the share
        ("3 %", 0.12, "share", 0.03),
        ("1 %", 0.975, "per unit", 0.01),
        ("10 kPa", 3e5, "absolute pressure", 1e4),
        ("10 %", 3e5, "absolute pressure", 3e4),
        ("0 K", 360.15, "temperature", 0.0),
    ],
)
def test_half_widths(text: str, value: float, dimension: str, expected: float):
    assert math.isclose(parse_tolerance(text, value, dimension), expected, rel_tol=1e-12)


@pytest.mark.parametrize(
    ("text", "value", "dimension", "message"),
    [
        ("", 1.0, "power", "nothing stands behind '+-'"),
        ("5 K", 1e-5, "area resistance", "'K' is a unit of temperature; an area resistance is needed here"),
        ("5 K", 1e-5, "area resistance", "; or a share of the value, in %"),
        ("3", 1200.0, "power", "tolerance: '3' has no unit"),
        ("-5 %", 1200.0, "power", "'-5 %' is negative: a tolerance goes to both sides, write '+- 5 %'"),
        ("-5 W", 1200.0, "power", "is negative"),
        ("2 %", 360.15, "temperature", "a temperature has no share"),
        ("2 degC", 360.15, "temperature", "a difference has no zero point"),
        ("10 %", 0.0, "temperature difference", "a share of 0 is 0: write a tolerance in K"),
        ("3 % +- 2 %", 1200.0, "power", "two tolerances"),
        ("1 2 %", 1200.0, "power", "holds 2 numbers"),
        ("1e999 W", 1200.0, "power", "is not finite"),
        ("10 kPa(a)", 3e5, "absolute pressure", "is a unit of absolute pressure; a pressure is needed"),
    ],
)
def test_mistakes_in_tolerances_say_what_is_right(text: str, value: float, dimension: str, message: str):
    with pytest.raises(UnitError) as raised:
        parse_tolerance(text, value, dimension)
    assert message in str(raised.value)


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_tolerances_there_and_back(dimension: str):
    for unit in DIMENSIONS[dimension]:
        shown = tolerance_text(0.25, dimension, unit, digits=17)
        assert math.isclose(parse_tolerance(shown, 0.5, dimension), 0.25, rel_tol=1e-12), shown


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("0.12", "write '12 %' if it is a fraction of one"),
        ("0.9 0.95", "write '90 95 %' if it is a fraction of one"),
        ("12", "write '12 %' if it is in percent, or '1200 %'"),
    ],
)
def test_a_bare_share_is_not_made_a_hundredth_of_itself(text, told):
    with pytest.raises(UnitError) as refused:
        parse_list(text, "share")
    assert told in str(refused.value)


def test_a_hectopascal_is_no_pascal():
    assert parse("949 hPa", "pressure") == pytest.approx(94.9e3)
    with pytest.raises(UnitError) as refused:
        parse("949 atm", "pressure")
    assert "did you mean" not in str(refused.value)
