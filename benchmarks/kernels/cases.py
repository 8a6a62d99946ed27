"""The cases, the size of their batches, and what was asked of them on two cores."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """A network and its batch. Goals: microseconds per scenario on two cores, how many times faster than the peer, and
    microseconds on one H200, where that was asked for.
    """

    name: str
    suite: str
    batch: int
    goal_us: float
    goal_ratio: float
    goal_gpu_us: float | None = None

    def quick_batch(self) -> int:
        """Scenarios of a quick look: an eighth, but enough for a group of lanes on each of two cores."""
        return max(32, self.batch // 8)


CASES = (
    Case("case118", "power", 4096, 5.0, 3.0, 0.2),
    Case("case1354pegase", "power", 1024, 80.0, 3.0, 3.0),
    Case("case2869pegase", "power", 512, 200.0, 3.0, 10.0),
    Case("case9241pegase", "power", 128, 1500.0, 3.0),
    Case("radial100", "power", 4096, 1.0, 10.0),
    Case("radial1000", "power", 1024, 9.0, 10.0),
    Case("radial10000", "power", 128, 100.0, 10.0, 4.0),
    Case("loop10", "coolant", 8192, 1.5, 6.0, 0.05),
    Case("loop100", "coolant", 2048, 8.0, 10.0, 0.3),
    Case("loop1000", "coolant", 256, 80.0, 10.0, 4.0),
    Case("net3", "coolant", 2048, 3.0, 10.0, 0.2),
)


def named(name: str) -> Case:
    """The case of a name; KeyError names it."""
    return {case.name: case for case in CASES}[name]
