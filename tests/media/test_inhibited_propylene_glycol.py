from tests.media.liquids import check_composition_derivatives, check_row
from voltherm.media import InhibitedPropyleneGlycolWater


def test_rows_of_the_correlation():
    check_row(
        InhibitedPropyleneGlycolWater(0.25), 0.0, (1031.24046425, 3863.51255664, 0.00541849803033, 0.442901965226)
    )
    check_row(
        InhibitedPropyleneGlycolWater(0.25), 30.0, (1019.42659297, 3937.5500813, 0.00179715660376, 0.478016749044)
    )


def test_composition_derivatives():
    check_composition_derivatives(InhibitedPropyleneGlycolWater, 0.25)


def test_freezing_point_falls_with_glycol():
    points = [
        float(InhibitedPropyleneGlycolWater(fraction).freezing_temperature()) for fraction in (0.1, 0.25, 0.4, 0.55)
    ]
    assert points == sorted(points, reverse=True)
    assert abs(points[1] - 263.185) < 0.05
