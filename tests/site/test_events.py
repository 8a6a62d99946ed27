"""What is lost and restored: the course of every share, from nothing but events and times."""

import jax.numpy as jnp
import numpy as np
import pytest

from voltherm.formats.phrases import SERVICES as READ
from voltherm.site.events import HEAT_REJECTION_LOST, SERVICES, Course, Event, events_of, load_of, working

TIMES = np.array([0.0, 5.0, 10.0, 30.0, 45.0, 60.0, 75.0, 400.0])
FULL = Course((0.0,), (1.0,))
COOL = Course((0.0,), (300.0,))


@pytest.fixture
def riding(site):
    return site.ride_through


def course(riding, *events, load=FULL, dry_bulb=COOL):
    return working(riding, events, load, dry_bulb, TIMES, (0.8, 0.6))


def test_the_reader_and_the_site_name_the_same_services():
    assert READ == SERVICES


def test_nothing_lost_is_all_of_it(riding):
    for name, values in course(riding)._asdict().items():
        assert values == pytest.approx(300.0 if name == "dry_bulb" else 1.0)


def test_the_shipped_case_loses_heat_rejection(riding):
    assert events_of(riding) == HEAT_REJECTION_LOST
    there = course(riding, *events_of(riding))
    for name in ("coolers", "trim_chillers"):
        assert np.all(getattr(there, name) == 0.0)
    for name in ("air_chillers", "air_handlers", "racks", "facility_pump_speed", "cdu_pump_speed"):
        assert np.all(getattr(there, name) == 1.0)


def test_pumps_coast_down_from_the_speed_at_which_they_ran_and_ramp_up_to_the_highest(riding):
    lost, back = Event(10.0, "facility pumps"), Event(45.0, "facility pumps", True, 20.0)
    there = course(riding, lost, back).facility_pump_speed
    left = 0.8 * np.exp(-35.0 / 5.0)
    falling = [1.0, 1.0, 0.8, 0.8 * np.exp(-20.0 / 5.0)]
    assert there == pytest.approx([*falling, left, left + 15.0 / 20.0, 1.0, 1.0], rel=1e-12)
    assert np.all(course(riding, lost, back).cdu_pump_speed == 1.0)


def test_a_pump_lost_on_its_way_up_falls_from_where_it_was(riding):
    there = course(
        riding,
        Event(0.0, "CDU pumps"),
        Event(30.0, "CDU pumps", True, 60.0),
        Event(45.0, "CDU pumps"),
    ).cdu_pump_speed
    assert there[4] == pytest.approx(0.25, abs=1e-6)
    assert there[5] == pytest.approx(0.25 * np.exp(-15.0 / 2.0), abs=1e-6)


def test_the_utility_takes_all_that_no_ups_feeds_and_a_second_loss_holds_it_down(riding):
    there = course(
        riding,
        Event(0.0, "utility power"),
        Event(5.0, "chillers"),
        Event(30.0, "utility power", True),
    )
    assert np.all(there.racks == 1.0)
    assert np.all(there.cdu_pump_speed == 1.0)
    assert np.all(there.trim_chillers == 0.0)  # still lost by themselves
    assert there.coolers == pytest.approx([0.0, 0.0, 0.0, 0.0, 0.5, 1.0, 1.0, 1.0])
    chillers = course(riding, Event(0.0, "utility power"), Event(30.0, "utility power", True)).trim_chillers
    assert chillers[4:6] == pytest.approx([15.0 / 240.0, 30.0 / 240.0])


def test_order_of_the_list_does_not_matter(riding):
    lost, back = Event(5.0, "UPS"), Event(30.0, "UPS", True)
    assert np.array_equal(course(riding, back, lost).racks, course(riding, lost, back).racks)
    assert course(riding, lost, back).racks == pytest.approx([1, 0, 0, 1, 1, 1, 1, 1])


def test_load_and_dry_bulb_run_along_straight_lines(riding):
    there = course(riding, load=Course((0.0, 10.0), (1.0, 0.4)), dry_bulb=Course((0.0, 60.0), (300.0, 306.0)))
    assert there.load == pytest.approx([1.0, 0.7, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4])
    assert there.dry_bulb == pytest.approx([300.0, 300.5, 301.0, 303.0, 304.5, 306.0, 306.0, 306.0])


def test_configured_events_and_load_come_back_in_order(site):
    import equinox as eqx

    rows = jnp.asarray([[45.0, 1.0, 1.0, 20.0], [0.0, 1.0, 0.0, -1.0]])
    riding = eqx.tree_at(
        lambda tree: (tree.events, tree.load), site.ride_through, (rows, jnp.asarray([[0.0, 1.0], [600.0, 0.5]]))
    )
    found = events_of(riding)
    assert found == (Event(0.0, "facility pumps"), Event(45.0, "facility pumps", True, 20.0))
    assert [str(event) for event in found] == [
        "facility pumps lost at 0 s",
        "facility pumps restored at 45 s over 20 s",
    ]
    assert load_of(riding) == Course((0.0, 600.0), (1.0, 0.5))


def test_events_that_mean_nothing_are_refused():
    with pytest.raises(ValueError, match="did you mean 'facility pumps'"):
        Event(0.0, "facility pump")
    with pytest.raises(ValueError, match="no time after the start"):
        Event(-1.0, "fans")
    with pytest.raises(ValueError, match="no time after the start"):
        Event(float("nan"), "fans")
    with pytest.raises(ValueError, match="is no time"):
        Event(0.0, "fans", True, -3.0)
    with pytest.raises(ValueError, match="have to rise"):
        Course((0.0, 0.0), (1.0, 2.0))
    with pytest.raises(ValueError, match="as many values as times"):
        Course((0.0, 1.0), (1.0,))
