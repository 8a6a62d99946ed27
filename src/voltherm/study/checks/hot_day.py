"""The shipped building on its hot day, solved, against a re-computation by other equations and other numerics."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from voltherm.site import Site
from voltherm.study.checks.site import solved
from voltherm.study.validation import case_file

_TEMPERATURES = (
    "gpu_temperature",
    "cpu_temperature",
    "switch_temperature",
    "return_temperature",
    "facility_return_temperature",
)


def hot_day(folder: Path, reference: str, sites: Mapping[str, Site]) -> dict[str, float]:
    """Errors of all figures that the reference holds: temperatures in K, all others relative.

    `sites`: "building" as it is shipped.
    """
    expected = json.loads(case_file(folder, reference).read_text(encoding="utf-8"))
    state, figures = solved(sites["building"])
    racks = state.buildings.racks
    found = figures | {
        "cpu_temperature": float(np.max(racks.cpu_temperature)),
        "switch_temperature": float(np.max(racks.switch_temperature)),
    }
    return {
        name: abs(found[name] - value) if name in _TEMPERATURES else abs(found[name] / value - 1.0)
        for name, value in expected.items()
    } | {"supply above its set point": figures["supply_excess"]}
