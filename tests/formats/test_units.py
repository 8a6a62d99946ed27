import math

import pytest

from voltherm.formats.units import DIMENSIONS, SI_NAMES, UnitError, parse, parse_list, quantity


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
        ("0.5", "share", "has no unit: write a share such as '0.5 %'"),
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
