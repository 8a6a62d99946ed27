"""Times at which a site is followed: short steps after every event, growing to the step that was asked for.

    h(x) = min(step, h_0 + g x),   x: time since the last event
    nodes of a stretch of length L: equal shares of the integral of dx / h(x) from 0 to L

| symbol | meaning | unit | value |
| --- | --- | --- | --- |
| h_0 | first step after an event: pumps coast down within seconds | s | 0.5 |
| g | growth of the step with the time since the event | - | 0.1 |

How many times there are depends on duration, step and number of stretches alone, so that one compiled program serves
all events of the same number.
"""

import math
from collections.abc import Iterable

import numpy as np

_FIRST = 0.5
_GROWTH = 0.1


def time_grid(duration: float, step: float, events: Iterable[float]) -> np.ndarray:
    """Rising times [s] from 0 to `duration` that hold every time of `events` in between, steps at most `step` long."""
    given = list(events)
    stops = sorted({0.0, duration, *(at for at in given if 0.0 < at < duration)})
    lengths = np.diff(stops)
    wanted = np.array([math.ceil(_integral(length, step) - 1e-9) for length in lengths])
    allowed = math.ceil(duration / step) + (len(given) + 1) * (1 + math.ceil(_refinement(step)))
    wanted[int(np.argmax(lengths))] += allowed - int(np.sum(wanted))
    pieces = [
        start + _inverse(np.linspace(0.0, _integral(length, step), count + 1)[:-1], step)
        for start, length, count in zip(stops, lengths, wanted, strict=False)
    ]
    return np.concatenate([*pieces, [duration]])


def _grown(step: float) -> float:
    """Time since an event at which the step is reached [s]."""
    return max(step - _FIRST, 0.0) / _GROWTH


def _integral(length: float, step: float) -> float:
    """Steps that a stretch of this length [s] needs."""
    growing = min(length, _grown(step))
    first = min(step, _FIRST)
    return math.log1p(_GROWTH * growing / first) / _GROWTH + (length - growing) / step


def _refinement(step: float) -> float:
    """Steps more than equal ones that follow an event."""
    return _integral(_grown(step), step) - _grown(step) / step


def _inverse(number: np.ndarray, step: float) -> np.ndarray:
    """Time since the event [s] after this many steps."""
    first, turn = min(step, _FIRST), _integral(_grown(step), step)
    growing = np.expm1(_GROWTH * np.minimum(number, turn)) * first / _GROWTH
    return growing + np.maximum(number - turn, 0.0) * step
