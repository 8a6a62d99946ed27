"""Which building of a site a drawing shows, and names and numbers of its parts by position."""

import dataclasses

import numpy as np

from voltherm.study.answer import Answer, Point


@dataclasses.dataclass(frozen=True)
class Place:
    """One building of a solved point: its index, its name, and the sentence that says so where there are several."""

    building: int
    name: str
    sentence: str


def hottest_building(answer: Answer, point: Point) -> Place:
    """The building with the hottest GPU."""
    temperature = point.state.buildings.racks.gpu_temperature
    building = int(np.argmax(np.max(np.asarray(temperature), axis=(1, 2, 3, 4))))
    names = answer.layout.buildings
    if len(names) == 1:
        return Place(building, "", "")
    return Place(building, names[building], f"Building {names[building]} of {len(names)}, which holds the hottest GPU.")


def hottest_gpu_by_rack(point: Point) -> np.ndarray:
    """Hottest GPU junction of every rack (building, row, rack) [K]."""
    return np.asarray(point.state.buildings.racks.gpu_temperature).max(axis=(3, 4))


def hottest_row(point: Point, building: int) -> tuple[int, int]:
    """Row and rack of the hottest GPU of one building."""
    temperature = hottest_gpu_by_rack(point)[building]
    row, rack = np.unravel_index(np.argmax(temperature), temperature.shape)
    return int(row), int(rack)
