from tests.media.liquids import check_composition_derivatives, check_row
from voltherm.media import PropyleneGlycolWater


def test_rows_of_the_correlation():
    check_row(PropyleneGlycolWater(0.25), 0.0, (1025.81325314, 3872.15038207, 0.00551505750498, 0.449553254141))
    check_row(PropyleneGlycolWater(0.25), 30.0, (1014.90453618, 3944.63715203, 0.0017761146323, 0.476904575437))


def test_composition_derivatives():
    check_composition_derivatives(PropyleneGlycolWater, 0.25)


def test_freezing_point_falls_with_glycol():
    points = [float(PropyleneGlycolWater(fraction).freezing_temperature()) for fraction in (0.1, 0.25, 0.4, 0.55)]
    assert points == sorted(points, reverse=True)
    assert abs(points[1] - 263.365) < 0.05
