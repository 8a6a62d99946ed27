"""From a case to what is timed: the workload, its peer, and how closely the two have to agree."""

from collections.abc import Callable
from typing import Any, NamedTuple

from benchmarks.kernels.cases import Case
from benchmarks.kernels.workload import TOLERANCE, Workload

VOLTAGE_LIMIT = 1e-6
"""p.u.: both end with a mismatch below 1e-8 p.u."""
FLOW_LIMIT = 1e-5
"""Of the largest flow: the accuracy of EPANET."""


class Prepared(NamedTuple):
    """A workload, what makes its peer from a number of cores, and the limit of their difference.

    Making a peer raises ImportError where it is not installed.
    """

    workload: Workload
    make_peer: Callable[[int], Any]
    limit: float


def prepared(case: Case, batch: int, implementation: str) -> Prepared:
    """Both sides of a case, built from the same numbers."""
    if case.suite == "power":
        from benchmarks.kernels import power_networks, power_workload
        from benchmarks.kernels.lightsim_peer import Peer as LightsimPeer

        arrays = power_networks.arrays(case.name)
        loads = power_networks.scenarios(arrays, batch)
        workload = power_workload.workload(arrays, loads, implementation)
        return Prepared(workload, lambda cores: LightsimPeer(arrays, loads, TOLERANCE, cores), VOLTAGE_LIMIT)
    from benchmarks.kernels import coolant_workload, water_networks
    from benchmarks.kernels.epanet_peer import Peer as EpanetPeer

    water = water_networks.network(case.name)
    given = water_networks.scenarios(water, batch)
    workload = coolant_workload.workload(water, given, implementation)
    return Prepared(workload, lambda cores: EpanetPeer(water, given, cores), FLOW_LIMIT)
