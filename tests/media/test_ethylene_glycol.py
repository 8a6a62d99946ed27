from tests.media.liquids import check_composition_derivatives, check_row
from voltherm.media import EthyleneGlycolWater


def test_rows_of_the_correlation():
    check_row(EthyleneGlycolWater(0.5), 0.0, (1074.62361063, 3202.87647024, 0.0079297736833, 0.376816121311))
    check_row(EthyleneGlycolWater(0.5), 30.0, (1059.38820425, 3363.55043614, 0.00272865389846, 0.395348148908))


def test_composition_derivatives():
    check_composition_derivatives(EthyleneGlycolWater, 0.25)


def test_freezing_point_falls_with_glycol():
    points = [float(EthyleneGlycolWater(fraction).freezing_temperature()) for fraction in (0.1, 0.25, 0.4, 0.55)]
    assert points == sorted(points, reverse=True)
    assert abs(points[1] - 262.184) < 0.05
