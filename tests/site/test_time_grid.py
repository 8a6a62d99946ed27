"""Times of a course: all events are on it, no step is longer than asked for, and its length is known beforehand."""

import numpy as np
import pytest

from voltherm.site.time_grid import time_grid


@pytest.mark.parametrize("step", [0.2, 1.0, 5.0, 15.0, 100.0])
@pytest.mark.parametrize("events", [(), (0.0,), (0.0, 45.0), (0.0, 45.0, 45.3, 590.0), (12.0, 12.0)])
def test_events_are_on_the_grid_and_steps_are_short_behind_them(step, events):
    times = time_grid(600.0, step, events)
    lengths = np.diff(times)
    assert (times[0], times[-1]) == (0.0, 600.0)
    assert np.all(lengths > 0.0)
    assert np.all(lengths <= step * (1.0 + 1e-9))
    for event in events:
        here = int(np.flatnonzero(np.isclose(times, event, rtol=0.0, atol=1e-9))[0])
        assert lengths[here] <= 0.53


def test_as_many_steps_for_all_events_of_one_number():
    counts = {len(time_grid(7200.0, 15.0, events)) for events in ((0.0, 45.0), (3.0, 7199.0), (0.0, 0.0), (17.0, 17.5))}
    assert len(counts) == 1


def test_few_steps_are_added():
    assert len(time_grid(7200.0, 15.0, (0.0,))) < 480 + 60
