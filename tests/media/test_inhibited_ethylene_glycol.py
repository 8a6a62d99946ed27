from tests.media.liquids import check_composition_derivatives, check_row
from voltherm.media import InhibitedEthyleneGlycolWater


def test_rows_of_the_correlation():
    check_row(InhibitedEthyleneGlycolWater(0.5), 0.0, (1081.08480573, 3203.38818667, 0.00827895120215, 0.363784599001))
    check_row(InhibitedEthyleneGlycolWater(0.5), 30.0, (1068.74905557, 3319.20294013, 0.00287314952594, 0.387436942485))


def test_composition_derivatives():
    check_composition_derivatives(InhibitedEthyleneGlycolWater, 0.25)


def test_freezing_point_falls_with_glycol():
    points = [
        float(InhibitedEthyleneGlycolWater(fraction).freezing_temperature()) for fraction in (0.1, 0.25, 0.4, 0.55)
    ]
    assert points == sorted(points, reverse=True)
    assert abs(points[1] - 261.031) < 0.05
